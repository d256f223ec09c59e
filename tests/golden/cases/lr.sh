# One comparison is explained marker by marker.
antigone lr "$EXAMPLES/boat.json" --remains PM-K1-001 --missing MP-K1-01
antigone lr "$EXAMPLES/boat.json" --remains PM-K1-003 --missing MP-K1-03
antigone lr "$EXAMPLES/boat.json" --remains PM-K1-006 --missing MP-K1-03
antigone lr --json "$DATA/mixed-up.json" -r P1 -m M1
