# The exclusion matrix counts markers that are impossible without mutation.
antigone exclusions "$EXAMPLES/boat.json"
antigone exclusions --json "$DATA/mixed-up.json"
