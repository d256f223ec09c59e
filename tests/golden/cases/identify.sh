# The whole operation is identified; the table, the JSON and the page come from one run.
antigone identify "$EXAMPLES/boat.json" --save run.json --html page.html
antigone identify "$EXAMPLES/boat.json" --json | sed 's/"seconds": .*/"seconds"/' >again.json
sed 's/"seconds": .*/"seconds"/' run.json | cmp - again.json
grep -c '<svg' page.html | sed 's/[1-9][0-9]*/pedigrees/'
grep -ciE 'https?://[^<"]*\.(js|css|png)|<script' page.html
python3 - <<'END'
import json
run = json.load(open("run.json"))
print(*run)
for body in run["bodies"]:
    print(body["id"], body["conclusion"])
END
