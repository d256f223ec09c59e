# Numbers of other programs are compared; one that is off is the answer no.
case_of() {
    cat <<END
{"schema": "mutation-matrices/1", "cases": [{"id": "m1", "marker": "L", "alleles": ["1", "2"],
 "freqs": [0.5, 0.5], "spec": {"female": {"model": "equal", "rate": 0.1, "matrix": [[0.9, 0.1], [0.1, $1]]}}}]}
END
}
case_of 0.9 >good.json
case_of 0.91 >wrong.json
echo '{"schema": "mutation-matrices/1", "cases": []}' >none.json
antigone reference check good.json; echo "exit $?"
antigone reference check good.json wrong.json; echo "exit $?"
antigone reference check --json wrong.json; echo "exit $?"
antigone reference check none.json; echo "exit $?"
antigone reference check "$EXAMPLES/boat.json"; echo "exit $?"
antigone reference check nosuch.json; echo "exit $?"
