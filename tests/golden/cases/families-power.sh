# What a family can prove is simulated; the same seed gives the same figures.
antigone families power "$EXAMPLES/boat.json" --simulations 200 --seed 3
antigone families power "$EXAMPLES/boat.json" --simulations 200 --seed 3 --missing MP-K1-04 --json
antigone families power "$EXAMPLES/boat.json" --simulations 1; echo "exit $?"
antigone families power "$EXAMPLES/boat.json" --missing NOBODY; echo "exit $?"
