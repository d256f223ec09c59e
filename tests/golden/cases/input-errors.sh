# What cannot be read is refused with its place and exit code 3.
antigone direct nosuch.json; echo "exit $?"
antigone direct /; echo "exit $?"
printf '{"schema": "antigone-operation/1",\n "theta": 2, "population": {"name": "x"}, "markers": []}' >theta.json
antigone direct theta.json; echo "exit $?"
printf '{"schema": "antigone-operation/1",\n "theta" 2}' >broken.json
antigone direct broken.json; echo "exit $?"
antigone direct - <theta.json; echo "exit $?"
printf 'nothing\n' >text
antigone direct text; echo "exit $?"
: >empty
antigone direct empty; echo "exit $?"
antigone direct "$EXAMPLES/boat.json" text; echo "exit $?"
antigone direct "$EXAMPLES/boat.json" "$EXAMPLES/boat.json"; echo "exit $?"
antigone direct "$FREQUENCIES"; echo "exit $?"
antigone direct --theta 0.01 "$EXAMPLES/boat.json"; echo "exit $?"
antigone direct --population norway "$EXAMPLES/boat.json"; echo "exit $?"
