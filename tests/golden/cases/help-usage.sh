# A wrong command line is told what is wrong, on standard error, with exit code 2.
for words in nosuch 'help nosuch' 'version more' 'version --nosuch' 'version -x' completion \
    'completion tcsh' 'completion --output' 'version --json=1' 'version --json --json' 'doctor -jj'
do
    antigone $words >/dev/null
    echo "$? antigone $words"
done
