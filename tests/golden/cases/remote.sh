# Commands on cases say the same over the network as on the machine of the store.
umask 077
export HOME=$PWD XDG_RUNTIME_DIR=$PWD XDG_CONFIG_HOME=$PWD/config
unset ANTIGONE_STORE ANTIGONE_SESSION ANTIGONE_SERVER
echo "seagull-lantern-17" >root.password
echo "harbour-compass-29" >ida.password
as() { export ANTIGONE_ACCOUNT=$1 ANTIGONE_PASSWORD_FILE=$PWD/$1.password; }
person='family_name=Halvorsen given_name=Liv sex=female born=1984-03-12 last_seen=2026-11-01
    last_place=Harbour informant_name=Ida informant_contact=+47 basis=consent'
people() {
    antigone users add "$1" --agency "Institute K3" -q >first.password
    antigone users grant "$1" $2
    ANTIGONE_PASSWORD_FILE=$PWD/first.password ANTIGONE_NEW_PASSWORD_FILE=$PWD/$1.password \
        antigone password "$1"
}
# instants to the microsecond, and how far the tree of a store that is in use has come, differ
even() { steady | sed 's/TIME\.[0-9]*Z/TIME/g; /wait for their place in the tree/d'; }
# everything that people do, with what they are told
scenario() {
    as root
    antigone login ${1:-}
    antigone add operation name="Ferry accident" kind=closed
    antigone users list
    second_factor root.telephone
    people ida "interviewer mortuary reconciler board"
    antigone users grant ida surgeon
    antigone users grant ida auditor --operation OP-K3-000001
    antigone users revoke ida auditor --operation OP-K3-000001
    antigone users block ida
    antigone users unblock ida
    antigone users list
    antigone logout
    as ida
    antigone login ${1:-}
    antigone add missing family_name=王
    antigone add missing $person
    antigone add missing $person eyes="blue;grey"
    antigone add missing family_name=王 given_name=偉 sex=male born=1990 last_seen=2026-11-01 \
        last_place=Harbour informant_name="Wang Li" informant_contact="+86 1" basis=consent
    antigone add remains tag=B-17 what=body found_on=2026-11-03 found_place="Beach north" sex=male \
        age=30-45 condition=complete recovered_by="Coast guard"
    antigone add mark AM-K3-000001 kind=tattoo location="left arm" description="an anchor, blue"
    antigone add mark AM-K3-000001 kind=tattoo shape=anchor
    antigone add mark kind=tattoo
    antigone edit AM-K3-000001 hair=black height=170
    antigone edit AM-K3-000001 hair=black
    antigone edit AM-K3-000001 hair= eyes=green
    antigone edit AM-K3-000009 hair=black
    antigone list missing
    antigone list missing --order change --limit 2 --sex female
    antigone list missing --limit 1 --after AM-K3-000001
    antigone list missing --json
    antigone list mark
    antigone search missing "wang wei"
    antigone search missing nobody
    antigone search missing --json halv
    antigone show AM-K3-000001
    antigone show AM-K3-000001 --json --reason "to compare"
    antigone show PM-K3-000001
    antigone history AM-K3-000001
    antigone history AM-K3-000001 --json
    antigone duplicates
    antigone duplicates --json
    antigone leads
    antigone leads --conclusion perhaps
    antigone withdraw AM-K3-000001
    antigone state PM-K3-000001 released --reason "a test"
    antigone state PM-K3-000001 examined --reason "a test"
    antigone state PM-K3-000001 lost
    antigone merge AM-K3-000001 AM-K3-000002
    antigone merge AM-K3-000001 AM-K3-000002 --reason "one person"
    antigone unmerge AM-K3-000002 --reason "two after all"
    antigone withdraw AM-K3-000002 --reason "entered twice"
    printf 'id,family_name,given_name,sex,born\n1,Berg,Ida,feminine,1984\n2,Li,Wei,male,84-13\n' >bad.csv
    antigone import bad.csv --as missing
    antigone import bad.csv --as missing --dry-run
    printf '%s\n' id,family_name,given_name,sex,born,last_seen,last_place,informant_name,informant_contact,basis \
        1,Berg,Ida,female,1984,2026-11-01,Harbour,Ola,+47,consent >good.csv
    antigone import good.csv --as missing --dry-run
    antigone import good.csv --as missing
    antigone import good.csv --as missing
    # so much is a job
    head -1 good.csv >long.csv
    seq 4000 | sed 's/.*/l&,Berg,Ida&,female,1984-03-12,2026-11-01,the harbour of K1,Ola,+47 &,consent/' >>long.csv
    antigone import long.csv --as missing --dry-run
    echo 'm,Berg,Ida,womanly,1984' >>long.csv
    antigone import long.csv --as missing
    antigone import good.csv --as mark
    antigone import nothing.csv --as missing
    antigone export remains
    antigone add photograph PM-K3-000001 what=face image=@"$DATA/../../../docs/report.png" >photograph
    id=$(cat photograph)
    echo "photograph ${id:+added}"
    antigone picture "$id" -o out.png
    antigone picture "$id" -o out.png --reason "to compare the face"
    file -b --mime-type out.png
    antigone edit "photograph:$id" image=@"$PWD/good.csv"
    antigone users list
    antigone export remains --reason "for the institute"
    antigone export dna --reason "for the institute" --recipient "Institute K9"
    antigone export dna --to cmf --recipient "Institute K9"
    antigone export dna
    antigone conflicts list
    antigone sites list
    antigone sites card -q | grep -c .
    antigone sites join K9 --reason "a test"
    antigone audit verify | sed 's/[0-9][0-9]* \([elc]\)/N \1/g'
    antigone audit checkpoint witness | head -1
    antigone audit key | wc -c
    antigone audit export history
    antigone audit export history --reason "doubts of the ministry" | sed 's/[0-9a-f]\{64\}/KEY/'
    antigone audit verify --offline history --public-key "$(antigone audit key)" |
        sed 's/[0-9][0-9]* \([elc]\)/N \1/g'
    grep -c "doubts of the ministry" history
    stat -c "its file has mode %a" history
    antigone audit export history --reason "once more"
    rm history
    antigone show AM-K3-000003
    antigone logout
    as root
    paper root.telephone
    antigone login ${1:-}
    paper root.telephone
    antigone erase AM-K3-000003 --reason "a request"
    antigone erase due
    antigone list missing
    antigone show AM-K3-000001
    antigone withdraw AM-K3-000001 --reason "a test"
    antigone export missing --reason "a test"
    antigone users reset ida -q | wc -c
    antigone logout
    as nobody
    cp root.password nobody.password
    antigone list operation
}
for where in here there; do
    as root
    antigone init root --site K3 --agency "Institute K3" --plain-key -q --store $where
done
umask 022
: >address
"$program" serve --store there --listen 127.0.0.1:0 --log log >address &
service=$!
umask 077
trap 'kill $service 2>/dev/null' EXIT
for _ in $(seq 100); do
    grep -q https address && break
    sleep 0.1
done
server=$(sed -n 's/^Serving at //p' address)
export XDG_RUNTIME_DIR=$PWD
export ANTIGONE_STORE=$PWD/here
scenario >here.told 2>&1
rm witness
unset ANTIGONE_STORE
export ANTIGONE_SERVER=$server
scenario "--fingerprint $(tail -1 address)" >there.told 2>&1
even <here.told
echo "what differs over the network:"
diff <(even <here.told) <(even <there.told)
