# A family that does not fit needs another reference; why is told to the geneticist only.
antigone families check "$EXAMPLES/boat.json"
echo "exit $?"
antigone families check "$DATA/mixed-up.json"
echo "exit $?"
antigone families check --geneticist "$DATA/mixed-up.json"
antigone families check --json "$DATA/mixed-up.json"
antigone families check --json --geneticist "$DATA/mixed-up.json"
