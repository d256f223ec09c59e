#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Limits of size and of form that no compiler checks: lengths of files, lines and functions, the
# licence line, functions that are never used, and paths of one machine.
set -u
# files that are there: not those deleted and not yet committed; a golden case begins with its name
list() {
    git ls-files --cached --others --exclude-standard "$@" | while read -r f; do
        [ -e "$f" ] && echo "$f"
    done
}
files=$(list '*.c' '*.h')
scripts=$(list '*.sh' '*.py' Makefile .ci/run | grep -v '^tests/golden/cases/')
bad=0
say() { echo "$*"; bad=1; }

for f in $files; do
    [ "$(wc -l <"$f")" -le 800 ] || say "$f: longer than 800 lines"
    head -n 1 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || say "$f:1: no SPDX line"
    # characters, not bytes: those that go on with a character of UTF-8 do not count
    LC_ALL=C awk -v f="$f" '{ line = $0; gsub(/[\200-\277]/, "", line) }
        length(line) > 100 { print f ":" NR ": longer than 100 columns"; bad = 1 }
        /\t/ { print f ":" NR ": a tab"; bad = 1 }
        /[ \t]+$/ { print f ":" NR ": blanks at the end"; bad = 1 }
        END { exit bad }' "$f" || bad=1
done
for f in $files; do
    case $f in *.c) ;; *) continue ;; esac
    # a function opens with a brace at the end of an unindented line and ends with one in column 1
    awk -v f="$f" '/^[a-zA-Z_].*\) \{$/ || (/^ .*\) \{$/ && open) { start = NR; open = 0 }
        /^[a-zA-Z_][^;={]*\($|^[a-zA-Z_][^;={]*,$/ { open = 1 }
        /^\}/ { if (start && NR - start > 61) {
                print f ":" start ": function of " NR - start - 1 " lines, 60 are allowed"; bad = 1 }
            start = 0; open = 0 }
        END { exit bad }' "$f" || bad=1
done
for f in $scripts; do
    head -n 3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || say "$f: no SPDX line"
done

banned='strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|tmpnam|mktemp|strncpy|alloca'
# shellcheck disable=SC2086
if grep -nE "(^|[^a-zA-Z0-9_>.])($banned)\(" $files; then
    say "functions that are never used ($banned) stand above"
fi
if git ls-files --cached --others --exclude-standard -z |
    xargs -0 grep -InE '(^|[^a-zA-Z0-9_])/(work|home|root|Users|tmp/wt)/[a-zA-Z0-9_]' /dev/null; then
    say "paths of one machine stand above"
fi
exit $bad
