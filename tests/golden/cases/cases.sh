# Cases are entered, seen by who may, found, changed and told as a story, from the command line.
export ANTIGONE_STORE=$PWD/store ANTIGONE_SESSION=$PWD/session
(umask 077; echo "seagull-lantern-17" >root.password; echo "harbour-compass-29" >ida.password)
as() { export ANTIGONE_ACCOUNT=$1 ANTIGONE_PASSWORD_FILE=$PWD/$1.password ANTIGONE_SESSION=$PWD/$1.session; }
as root
antigone init root --site K3 --agency "Institute K3" --plain-key
antigone login
antigone add operation name="Ferry accident" kind=closed
(umask 077; antigone users add ida --agency "Institute K3" -q >first.password)
second_factor root.telephone
(umask 077; antigone users add ida --agency "Institute K3" -q >first.password)
antigone users grant ida interviewer mortuary
antigone users list
as ida
ANTIGONE_PASSWORD_FILE=$PWD/first.password ANTIGONE_NEW_PASSWORD_FILE=$PWD/ida.password antigone password ida
antigone login
antigone add missing family_name=王 given_name=偉 sex=male born=1990
antigone add missing family_name=王 given_name=偉 sex=male born=1990 last_seen=2026-11-01 last_place=Harbour \
    informant_name="Wang Li" informant_contact="+86 1" basis=consent
antigone add remains tag=B-17 what=body found_on=2026-11-03 found_place="Beach north" sex=male age=30-45 \
    condition=complete recovered_by="Coast guard"
antigone edit AM-K3-000001 hair=black
antigone search missing "wang wei"
antigone list missing
antigone show AM-K3-000001
antigone history AM-K3-000001
antigone withdraw AM-K3-000001
antigone state PM-K3-000001 released --reason "a test"
as root
antigone list missing
antigone show AM-K3-000001
antigone audit verify | sed 's,[0-9]* checkpoints,N checkpoints,'
antigone logout
