# With theta the second marker of a linked pair is left out, and said to be; without, it counts.
python3 - <<'END'
import json, os
op = json.load(open(os.environ["EXAMPLES"] + "/boat.json"))
second = next(m for m in op["markers"] if m["name"] == "D12S391")
second["linked_to"], second["rho"] = "vWA", 0.117
for theta in 0, 0.01:
    op["theta"] = theta
    json.dump(op, open(f"theta-{theta}.json", "w"))
END
antigone lr theta-0.json --remains PM-K1-001 --missing MP-K1-01 | grep -E 'vWA|D12S391|LR'
antigone lr theta-0.01.json --remains PM-K1-001 --missing MP-K1-01 | grep -E 'vWA|D12S391|LR'
for theta in 0 0.01; do
    antigone lr --json theta-$theta.json --remains PM-K1-001 --missing MP-K1-01 |
        python3 -c 'import json, sys
lr = json.load(sys.stdin)
by = {m["marker"]: m for m in lr["markers"]}
for name in "vWA", "D12S391":
    print({k: v for k, v in by[name].items() if k not in ("remains", "relatives")})
counted = sum(m["log10_lr"] for m in lr["markers"] if m["counted"])
print("the counted add up:", abs(counted - lr["log10_lr"]) < 1e-3)'
done
