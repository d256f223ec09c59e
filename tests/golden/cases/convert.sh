# Exports hold the remains, and of the relatives only those who agreed to the recipient.
export SOURCE_DATE_EPOCH=1700000000
antigone convert --to csv "$DATA/mixed-up.json" --recipient Institute
antigone convert --to csv "$DATA/mixed-up.json" --recipient "Somebody else" | tail -n 12
antigone convert --to cmf "$DATA/mixed-up.json" --lab XX1234567 -o out.xml; echo "exit $?"
sed -n '1,20p' out.xml
grep -cE 'father|mother|brother|sister' out.xml
antigone convert --to fam "$DATA/mixed-up.json" --recipient Institute -o out.fam; echo "exit $?"
antigone direct out.fam
antigone convert --to json out.fam -q | grep -c genotypes
