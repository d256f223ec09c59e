# An operation survives being written; relatives leave only for a recipient they agreed to.
antigone convert --to json "$EXAMPLES/boat.json" >one.json
antigone convert --to json one.json | cmp - one.json
antigone convert --to json --recipient Nobody "$EXAMPLES/boat.json" --output out.json
echo "exit $?"
antigone convert --to json --recipient Nobody "$EXAMPLES/boat.json" >stays.json
grep -c genotypes one.json stays.json
antigone convert --to fam "$EXAMPLES/boat.json"
antigone convert --to nosuch "$EXAMPLES/boat.json"
antigone convert "$EXAMPLES/boat.json"
antigone convert --to cmf "$EXAMPLES/boat.json"
