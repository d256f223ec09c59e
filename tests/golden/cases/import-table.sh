# A table with problems is refused whole, with each problem's place; a good one comes in once.
export ANTIGONE_STORE=$PWD/store
(umask 077; echo "seagull-lantern-17" >root.password; echo "harbour-compass-29" >ida.password)
as() { export ANTIGONE_ACCOUNT=$1 ANTIGONE_PASSWORD_FILE=$PWD/$1.password ANTIGONE_SESSION=$PWD/$1.session; }
as root
antigone init root --site K3 --agency "Institute K3" --plain-key -q
antigone login -q
antigone add operation name="Ferry accident" kind=closed -q
second_factor root.telephone
(umask 077; antigone users add ida --agency "Institute K3" -q >first.password)
antigone users grant ida interviewer -q
as ida
ANTIGONE_PASSWORD_FILE=$PWD/first.password ANTIGONE_NEW_PASSWORD_FILE=$PWD/ida.password antigone password ida -q
antigone login -q
cat >bad.csv <<CSV
id,family_name,given_name,sex,born,last_seen,last_place,informant_name,informant_contact,basis,shoe
1,Hansen,Nora,woman,1984-03-12,2026-11-01,Harbour,Ida Berg,+47 1,consent,38
2,Berg,Olav,male,1984-13-01,2026-11-01,Harbour,,+47 2,consent,44
CSV
cat >good.csv <<CSV
id,family_name,given_name,sex,born,last_seen,last_place,informant_name,informant_contact,basis
1,Hansen,Nora,female,1984-03-12,2026-11-01,Harbour,Ida Berg,+47 1,consent
2,=cmd|' /C calc'!A0,Olav,male,1984,2026-11-01,Harbour,Ida Berg,+47 2,consent
CSV
antigone import bad.csv --as missing
antigone import good.csv --as missing --dry-run
antigone import good.csv --as missing
antigone import good.csv --as missing
antigone list missing
antigone logout
