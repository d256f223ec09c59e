# Two sites exchange sealed bundles; what was changed on both sides is shown, and decided by somebody.
(umask 077; echo "seagull-lantern-17" >root.password; echo "harbour-compass-29" >ida.password)
at() { # WHERE [WHO]
    export ANTIGONE_STORE=$PWD/$1 ANTIGONE_ACCOUNT=${2:-ida}
    export ANTIGONE_PASSWORD_FILE=$PWD/$ANTIGONE_ACCOUNT.password
    export ANTIGONE_SESSION=$PWD/$1-$ANTIGONE_ACCOUNT.session
}
why="exchange between K1 and K2"
for k in 1 2; do
    at k$k root
    antigone init root --site K$k --agency "Institute K$k" --plain-key -q
    antigone login -q
    second_factor k$k.telephone
    (umask 077; antigone users add ida --agency "Institute K$k" -q >first.password)
    antigone users grant ida board interviewer -q
    antigone sites card >k$k.card 2>note
    sed 's/.*another way: //' note >k$k.fingerprint
    at k$k
    ANTIGONE_PASSWORD_FILE=$PWD/first.password ANTIGONE_NEW_PASSWORD_FILE=$PWD/ida.password \
        antigone password ida -q
    antigone login -q
done
at k1 root
antigone add operation name="Ferry accident" kind=closed
antigone sites add "Institute K2" --card k2.card --fingerprint 0000 --agency "Institute K2" --reason "$why" 2>&1 |
    cut -c1-60
antigone sites add "Institute K2" --card k2.card --fingerprint "$(cat k2.fingerprint)" --agency "Institute K2" \
    --reason "$why"
antigone sites list | sed 's/[0-9a-f]\{4\}\( [0-9a-f]\{4\}\)\{7\}/FINGERPRINT/'
at k1
antigone sites join "Institute K2" --reason "$why"
at k2 root
antigone sites add "Institute K1" --card k1.card --fingerprint "$(cat k1.fingerprint)" --agency "Institute K1" \
    --reason "$why" -q
at k1
antigone add missing family_name=Hansen given_name=Nora sex=female born=1984-03-12 last_seen=2026-11-01 \
    last_place="Harbour" informant_name="Ida Berg" informant_contact="+47 22" basis=consent
antigone bundle make first --to "Institute K2" --reason "$why" | sed 's/[0-9]* bytes/N bytes/'
antigone bundle check first | sed 's/key [0-9a-f]*, made .*/key KEY, made THEN/'
dd if=first of=cut bs=1000 count=1 2>dd.note
antigone bundle check cut | tail -n 3
at k2
antigone bundle open cut --reason "$why"
antigone bundle open first --reason "$why"
antigone bundle open first --reason "$why"
antigone list missing --reason "$why"
antigone edit AM-K1-000001 hair=brown --reason "$why"
at k1
antigone edit AM-K1-000001 hair=red eyes=grey --reason "$why"
antigone bundle make second AM-K1-000001 --to "Institute K2" --reason "$why" -q
at k2
antigone bundle open second --reason "$why"
antigone conflicts list --reason "$why" | tee conflicts
antigone conflicts decide "$(sed -n 's/^\([0-9a-f-]\{36\}\): .*/\1/p' conflicts)" --theirs eyes --reason "$why"
antigone bundle make third --to "Institute K1" --part-size 3 --reason "$why" -q
at k1
antigone bundle open third.001 --reason "$why"
antigone show AM-K1-000001 --reason "$why" | grep -E "hair|eyes|Hair|Eyes"
antigone conflicts list --reason "$why"
at k1 root
antigone sites remove "Institute K2" --reason "$why"
