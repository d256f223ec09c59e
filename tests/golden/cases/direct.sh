# Parts of one body, staff and exchanged samples are found among all profiles.
antigone direct "$EXAMPLES/boat.json"
echo "exit $?"
antigone direct "$DATA/mixed-up.json"
echo "exit $?"
antigone direct --json "$DATA/mixed-up.json"
