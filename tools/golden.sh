#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: tools/golden.sh [--update] PROGRAM [CASE]...
# Runs tests/golden/cases/NAME.sh, each in a scratch folder with `antigone` as the program, and
# compares what it prints and its exit code with NAME.out (or, with --update, writes that anew).
# A case begins with a comment that says in a sentence what it shows.  Prints TAP.
set -u
update=
[ "${1:-}" = --update ] && update=1 && shift
program=$(realpath "$1")
shift
cd "$(dirname "$0")/../tests/golden" || exit 2
here=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C.UTF-8 TERM=dumb DATA="$here/data" EXAMPLES="${here%/tests/golden}/data/examples" \
    FREQUENCIES="${here%/tests/golden}/data/frequencies/norway.json"
unset COLUMNS

antigone() { "$program" "$@"; }
# The account of the environment gets a second factor, whose telephone is the file; what it shows.
second_factor() { "$here/../../tools/second-factor.py" "$program" "$@"; }
telephone() { "$here/../../tools/second-factor.py" --code "$1"; }
# The account logs in with the next code on paper from now on.
paper() {
    (umask 077; "$here/../../tools/second-factor.py" --paper "$1" >"$1.code")
    export ANTIGONE_CODE_FILE=$PWD/$1.code
}

# What differs from one machine or version to the next, and digits beyond the seventh.
steady() {
    SCRATCH=$scratch perl -pe '
        BEGIN { %names = map { quotemeta($ENV{$_}) => $_ } qw(SCRATCH DATA EXAMPLES FREQUENCIES) }
        for $path (keys %names) { s/$path/$names{$path}/g }
        s/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/UUID/g;
        s/20(?:2[6-9]|[3-9]\d)-\d\d-\d\d([ T])\d\d:\d\d(:\d\d)?/DAY$1TIME/g;
        s/antigone \d+\.\d+\.\d+/antigone VERSION/g;
        s/("version": )"\d+\.\d+\.\d+"/$1"VERSION"/g;
        s/("seconds": )[-+.\de]+/${1}0/g; s/\b\d+\.\d+ s\b/0 s/g;
        s/(?<![\w.])(-?\d+\.\d{7,}(?:e[-+]?\d+)?)/sprintf("%.7g", $1)/ge'
}

[ $# -gt 0 ] || set -- $(cd cases && ls ./*.sh | sed 's,^\./,,; s,\.sh$,,')
n=0
bad=0
echo "1..$#"
for name in "$@"; do
    n=$((n + 1))
    sentence=$(sed -n '1s/^# *//p' "cases/$name.sh")
    mkdir "$scratch/$name"
    got=$(
        cd "$scratch/$name" || exit 2
        {
            # shellcheck disable=SC1090
            (. "$here/cases/$name.sh") 2>&1 </dev/null
            echo "exit $?"
        } | steady
    )
    if [ -n "$update" ]; then
        printf '%s\n' "$got" >"cases/$name.out"
        echo "ok $n - $sentence"
    elif difference=$(diff -u "cases/$name.out" <(printf '%s\n' "$got") 2>&1); then
        echo "ok $n - $sentence"
    else
        echo "not ok $n - $sentence"
        printf '%s\n' "$difference" | sed 's/^/# /'
        bad=1
    fi
done
exit $bad
