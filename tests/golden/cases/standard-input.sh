# The file - is standard input, and --output a file that is written whole.
antigone exclusions - <"$EXAMPLES/boat.json" >one
antigone exclusions "$EXAMPLES/boat.json" --output two
cmp one two
antigone exclusions "$EXAMPLES/boat.json" --output nosuch/folder
echo "exit $?"
ls
