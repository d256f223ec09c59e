# An exercise is the same for the same seed, and needs named parameters.
antigone exercise make -f "$FREQUENCIES" -p norway --markers fusion6c --min-frequency 0.001 --size 6 -d a
antigone exercise make -f "$FREQUENCIES" -p norway --markers fusion6c --min-frequency 0.001 --size 6 -d b -q
diff -r a b
antigone exercise truth a/operation.json a/truth.json
antigone exercise make -f "$FREQUENCIES" -p norway --size 6; echo "exit $?"
antigone exercise make -f "$FREQUENCIES" --size 6; echo "exit $?"
antigone exercise make -p norway --size 6; echo "exit $?"
antigone exercise make -f "$FREQUENCIES" -p atlantis --size 6; echo "exit $?"
antigone exercise make -f "$FREQUENCIES" -p norway --min-frequency 0.001 --markers TH01,nosuch; echo "exit $?"
antigone exercise make -f "$FREQUENCIES" -p norway --size many; echo "exit $?"
antigone exercise make -f "$FREQUENCIES" -p norway --mutation stepwise:0.1; echo "exit $?"
antigone exercise make -f "$FREQUENCIES" -p norway --markers TH01 --min-frequency 0.001 --size 2 -d c --portraits c/faces --threads 2 --json
(cd c/faces && ls -d */* && cat portraits.json)
antigone exercise make -f "$FREQUENCIES" -p norway --markers TH01 --min-frequency 0.001 --size 2 -d c -q --portraits c/operation.json; echo "exit $?"
antigone exercise make -f "$FREQUENCIES" -p norway --markers TH01 --min-frequency 0.001 --size 2 -d c -q --portraits c/faces --threads 0; echo "exit $?"
