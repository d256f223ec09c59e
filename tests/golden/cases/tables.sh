# Tables of remains and of relatives are merged with frequencies and named parameters.
named="-f $FREQUENCIES -p norway --theta 0 --mutation equal:0.001 --min-frequency 0.001"
antigone identify "$DATA/remains.csv" "$DATA/relatives.csv" $named
antigone lr "$DATA/remains.csv" "$DATA/relatives.csv" $named -r PM-1 -m AM-1
antigone convert --to json "$DATA/remains.csv" "$DATA/relatives.csv" $named -q >one.json
antigone identify one.json | grep -v SHA-256 >one
antigone identify "$DATA/remains.csv" "$DATA/relatives.csv" $named | grep -v SHA-256 | diff - one
