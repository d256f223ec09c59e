# A service that is away, starts again, changes its certificate or refuses is told in one sentence.
umask 077
export HOME=$PWD XDG_RUNTIME_DIR=$PWD XDG_CONFIG_HOME=$PWD/config ANTIGONE_ACCOUNT=root
export ANTIGONE_PASSWORD_FILE=$PWD/root.password
unset ANTIGONE_STORE ANTIGONE_SESSION ANTIGONE_SERVER ANTIGONE_CA
echo "seagull-lantern-17" >root.password
antigone init root --site K3 --agency "Institute K3" --plain-key -q --store store
listen=127.0.0.1:0
start() {
    umask 022
    : >address
    "$program" serve --store store --listen "$listen" --log log >address &
    service=$!
    umask 077
    for _ in $(seq 100); do
        grep -q https address && break
        sleep 0.1
    done
}
stop() {
    kill -TERM "$service"
    wait "$service"
}
trap 'kill $service 2>/dev/null' EXIT
start
server=$(sed -n 's/^Serving at //p' address)
listen=${server#https://}
print=$(tail -1 address)
place() { sed "s/$listen/HOST:PORT/g; s/[0-9A-F:]\{95\}/FINGERPRINT/g"; }
say() {
    echo "- $*" | place
    antigone "$@" 2>&1 | place
    code=${PIPESTATUS[0]}
    [ "$code" = 0 ] || echo "  exit code $code"
}
say list operation --server "$server"
say list operation --server http://localhost
say list operation --server "$server" --store store
say login --server "$server" --fingerprint AB:CD
say login --server "$server" --ca root.password
say login --server "$server" --ca store/tls/ca.pem
export ANTIGONE_SERVER=$server
say add operation name="Ferry accident" kind=closed
for command in "init root" serve match "backup x" "restore x" "keys add x" "keys rotate x" \
    "bundle make x" "bundle open x"; do
    say $command | head -2
done
say backup x --server "$server" | head -2
antigone backup copy -q --store store && echo "a store that is named comes before the variable"
# it starts again while a command runs: what was not said is said then
printf '%s\n' id,family_name,given_name,sex,born,last_seen,last_place,informant_name,informant_contact,basis \
    1,Berg,Ida,female,1984,2026-11-01,Harbour,Ola,+47,consent >table.csv
second_factor root.telephone
antigone users add ida --agency "Institute K3" -q >first.password
antigone users grant ida interviewer
echo "harbour-compass-29" >ida.password
ANTIGONE_PASSWORD_FILE=$PWD/first.password ANTIGONE_NEW_PASSWORD_FILE=$PWD/ida.password antigone password ida
export ANTIGONE_ACCOUNT=ida ANTIGONE_PASSWORD_FILE=$PWD/ida.password
antigone login -q
mkfifo hold
say import - --as missing --source table <hold &
asked=$!
exec 3>hold
until grep -q 'operations/{operation}\|"/api/v1/operations"' log; do sleep 0.1; done
sleep 0.5
stop >/dev/null
cat table.csv >&3
exec 3>&-
sleep 0.3
start
wait $asked
say list missing --limit 1 -q | sed 's/  20.*TIME/  DAY TIME/'
# away
stop
say list missing
say logout
start
# whoever is kept out, and who asks for more than there is
token=$(sed -n 's/.*"token": "\([0-9a-f]*\)".*/\1/p' antigone-127*)
export ANTIGONE_ACCOUNT=root ANTIGONE_PASSWORD_FILE=$PWD/root.password
paper root.telephone
antigone login -q
root=$(sed -n 's/.*"token": "\([0-9a-f]*\)".*/\1/p' antigone-127*)
sed -i "s/$root/$token/; s/root/ida/" antigone-127*
curl -s --cacert store/tls/ca.pem -H "Authorization: Bearer $root" -H 'Content-Type: application/json' \
    "$server/api/v1/accounts/ida/quota" -d '{"kind": "search", "most": 0}'
export ANTIGONE_ACCOUNT=ida ANTIGONE_PASSWORD_FILE=$PWD/ida.password
say list missing | sed 's/in [0-9]* minutes/in N minutes/'
curl -s --cacert store/tls/ca.pem -H "Authorization: Bearer $root" -X DELETE "$server/api/v1/accounts/ida/sessions"
say list operation
say list operation
# another authority
stop
mv store/tls tls.old
start
say list operation
say login --fingerprint "$print"
say login --fingerprint "$(tail -1 address)"
say list operation | sed 's/  20.*TIME/  DAY TIME/'
say logout
ls antigone-* 2>/dev/null
stop
echo "the service ended with $?"
