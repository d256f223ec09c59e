# A name that is not in the operation is bad input, a name not given is wrong usage.
for words in '' '--remains PM-K1-001' '--remains PM-K1-001 --missing NOBODY' \
    '--remains NOTHING --missing MP-K1-01'
do
    antigone lr "$EXAMPLES/boat.json" $words
    echo "exit $?"
done
