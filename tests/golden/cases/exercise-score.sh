# An exercise is identified and scored against its truth.
antigone exercise make -f "$FREQUENCIES" -p norway --markers fusion6c --min-frequency 0.001 --size 20 --seed 7 -q
antigone exercise score operation.json truth.json
antigone exercise score operation.json truth.json --json
antigone exercise score operation.json; echo "exit $?"
antigone exercise score operation.json operation.json; echo "exit $?"
antigone exercise score "$EXAMPLES/boat.json" truth.json; echo "exit $?"
