#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tools/run.sh PROGRAM FOLDER
# The tour: makes a synthetic ferry accident in FOLDER, identifies it, keeps it as cases in a store,
# matches them, says what to look at, and serves them until Ctrl-C (SERVE=no: does not; LISTEN says
# where).
set -eu
antigone=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
say() { echo "$*" >&2; }

say "A ferry has sunk: 60 people are missing, 70 bodies and parts were recovered (all invented)."
# faces are drawn and compared where networks are installed (docs/models.md)
faces=
if "$antigone" model check >/dev/null 2>&1; then
    faces=$out/portraits
fi
"$antigone" exercise make --frequencies data/frequencies/norway.json --population norway \
    --markers fusion6c --min-frequency 0.001 --directory "$out" ${faces:+--portraits "$faces"} --quiet
"$antigone" identify "$out/operation.json" --save "$out/report.json" --html "$out/report.html"

# ---- the same as cases in a store: accounts with passwords made for this run ----
secrets=$out/secrets
rm -rf "$out/store" "$secrets"
(umask 077; mkdir -p "$secrets")
new_password() { (umask 077; head -c 18 /dev/urandom | base64 | tr -d '\n' >"$secrets/$1"); }
as() {
    ANTIGONE_ACCOUNT=$1 ANTIGONE_PASSWORD_FILE=$secrets/$1 ANTIGONE_SESSION=$secrets/$1.session
    export ANTIGONE_ACCOUNT ANTIGONE_PASSWORD_FILE ANTIGONE_SESSION
}
# account NAME ROLE...: made by the administrator, then given a password of its own
account() {
    name=$1
    shift
    as root
    (umask 077; "$antigone" users add "$name" --agency "Institute K1" -q >"$secrets/$name.first")
    "$antigone" users grant "$name" "$@" -q
    new_password "$name"
    ANTIGONE_PASSWORD_FILE=$secrets/$name.first ANTIGONE_NEW_PASSWORD_FILE=$secrets/$name \
        "$antigone" password "$name" -q
    rm "$secrets/$name.first"
    as "$name"
    "$antigone" login -q
}
# who signs, or rules over accounts, has a second factor
second_factor() { python3 tools/second-factor.py "$antigone" "$secrets/$1.telephone"; }
export ANTIGONE_STORE="$out/store"
say "Keeping the cases in $out/store ..."
new_password root
as root
"$antigone" init root --site K1 --agency "Institute K1" --plain-key -q
"$antigone" login -q
second_factor root
"$antigone" add operation name="Ferry accident (exercise)" kind=open -q
account lab interviewer mortuary geneticist board
second_factor lab
"$antigone" import "$out/operation.json" --agreed-on 2026-11-01 --ends-on 2036-11-01 \
    --basis consent --sign --invent
if [ -n "$faces" ]; then
    "$antigone" exercise photographs "$faces/portraits.json"
    account kim mortuary
    "$antigone" exercise photographs "$faces/portraits.json" --recoveries
    account eva examiner
    second_factor eva
else
    say "No faces: no networks are installed here ('$1 model list' says what to do)."
fi
account rita reconciler auditor
"$antigone" match
probe=
if [ -n "$faces" ]; then
    probe=$(sed -n 's/.*"id": *"\(PM-[^"]*\)".*/\1/p' "$faces/portraits.json" | head -n 1)
    as rita
    probe=$("$antigone" search remains "$probe" --json |
        sed -n 's/.*"code": *"\(PM-[^"]*\)".*/\1/p' | head -n 1)
    as eva
    "$antigone" face search "$probe" --reason "no papers were found on the body"
    "$antigone" face leads "$probe"
fi
as rita
"$antigone" audit checkpoint "$out/witness.checkpoints" >/dev/null
for name in root lab ${faces:+kim eva}; do
    as "$name"
    "$antigone" logout -q
done
cat >"$out/env" <<TXT
# . "$out/env" lets the commands of antigone work on this store as the reconciler Rita.
export ANTIGONE_STORE='$out/store' ANTIGONE_ACCOUNT=rita
export ANTIGONE_PASSWORD_FILE='$secrets/rita' ANTIGONE_SESSION='$secrets/rita.session'
TXT
cat <<TXT

Report to read: $out/report.html
The same for programs: $out/report.json
Operation and truth: $out/operation.json, $out/truth.json
Cases: $out/store (accounts root, lab and rita; passwords and telephones in $secrets)

${probe:+Faces: '$1 face leads $probe' lists who looks like one of the dead, as a lead.

}Three commands to try, after: . $out/env
  $1 leads
  $1 show AM-K1-000002 --reason "trying out the exercise"
  $1 audit verify $out/witness.checkpoints
TXT
[ "${SERVE:-yes}" = yes ] || exit 0

# ---- the service, until Ctrl-C ----
printf '\nThe same over HTTPS, for this run (Ctrl-C ends it):\n'
for name in root lab ${faces:+kim eva} rita; do
    printf '  %-5s %s\n' "$name" "$(cat "$secrets/$name")"
    [ ! -f "$secrets/$name.telephone" ] ||
        printf '        and the code of: python3 tools/second-factor.py --code %s\n' "$secrets/$name.telephone"
done
unset ANTIGONE_ACCOUNT ANTIGONE_PASSWORD_FILE ANTIGONE_SESSION
exec "$antigone" serve --listen "${LISTEN:-127.0.0.1:8443}" --log "$out/serve.log"
