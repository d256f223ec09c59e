#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: package.sh BUILD-FOLDER SOURCE-FOLDER
# What goes into the Debian package.  Prints TAP.
set -u
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
n=0
bad=0

# check SENTENCE TOOL COMMAND...: skipped where there is no such tool
check() {
    local name=$1 tool=$2
    shift 2
    n=$((n + 1))
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "ok $n - $name # SKIP there is no $tool: tools/setup.sh dist"
    elif "$@" >"$scratch/log" 2>&1; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name"
        sed 's/^/# /' "$scratch/log"
        bad=1
    fi
}

units_are_closed() {
    local unit
    for unit in antigone antigone-match; do
        systemd-analyze security --offline=true --threshold=20 --no-pager \
            "$build/packaging/$unit.service" || return 1
    done
}

check "both units are at most 2.0 exposed" systemd-analyze units_are_closed
echo "1..$n"
exit $bad
