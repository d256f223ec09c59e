# An own sample of a missing person carries the identification, and every report says so.
python3 - <<'END'
import json, os
op = json.load(open(os.environ["EXAMPLES"] + "/boat.json"))
body = next(r for r in op["remains"] if r["id"] == "PM-K1-003")
member = next(m for f in op["families"] for m in f["members"] if m.get("missing") == "MP-K1-03")
shown = dict(list(body["genotypes"].items()))
first = next(iter(shown))
shown[first] = [shown[first][0], "-"]
member["own"] = [{"id": "toothbrush", "dropout": 0.05, "genotypes": shown}]
json.dump(op, open("own.json", "w"))
END
antigone identify own.json --save run.json --html page.html
antigone lr own.json --remains PM-K1-003 --missing MP-K1-03
antigone direct own.json
antigone families check own.json
grep -o 'own sample</span>' page.html | sort | uniq -c
python3 - <<'END'
import json
for p in json.load(open("run.json"))["pairs"]:
    if "n_direct" in p:
        print(p["body"], p["missing"], p["n_direct"], p["n_markers"], p["conclusion"])
END
