# What a family's own check found is in no output unless the geneticist asks for it.
for option in '' --geneticist
do
    antigone identify "$DATA/mixed-up.json" $option --save run.json --html page.html >text
    antigone identify "$DATA/mixed-up.json" $option --json >again.json
    echo "option: ${option:-none}"
    grep -c 'without brother' text run.json again.json page.html
done
antigone identify "$DATA/mixed-up.json"
