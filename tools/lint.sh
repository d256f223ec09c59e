#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tools/lint.sh [FILE]...
# The linters over the whole project (or clang-tidy over the named files only).
set -u
build=build
bad=0
step() {
    echo "lint: $1" >&2
    shift
    "$@" || bad=1
}
sources=$(git ls-files --cached --others --exclude-standard 'src/*.c' 'tests/*.c' 'bench/*.c')
headers=$(git ls-files --cached --others --exclude-standard 'include/*.h' 'src/*.h' 'tests/*.h')

# one file a process: several in one make the analyser forget what va_start did
tidy() {
    # shellcheck disable=SC2086
    printf '%s\n' ${*:-$sources} | xargs -P 2 -n 1 clang-tidy -p $build --quiet \
        --extra-arg=-Wno-unknown-warning-option 2>$build/clang-tidy.err
    rc=$?
    grep -E '^error|^Error' $build/clang-tidy.err
    return $rc
}
analyse() {
    cppcheck -q -j 2 --std=c11 --enable=warning,performance,portability --inline-suppr \
        --error-exitcode=1 --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
        --suppress=unknownMacro -DATG_VERSION='"0"' -D__x86_64__ -Iinclude -Isrc src bench
}
if [ $# -gt 0 ]; then
    tidy "$@"
    exit
fi
step layers sh tools/check-layers.sh
step size sh tools/check-size.sh
# shellcheck disable=SC2086
step clang-format clang-format --dry-run --Werror $sources $headers
step cppcheck analyse
step clang-tidy tidy
[ $bad = 0 ] && echo "lint: nothing found" >&2
exit $bad
