#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tools/test.sh BUILD-FOLDER [argument of `meson test`]...
# Runs the tests.  The last line is the count of single tests: "N passed, N failed[, N skipped]".
set -u
build=$1
shift
rm -f "$build"/meson-logs/testlog*.json
meson test -C "$build" --no-rebuild --print-errorlogs "$@" </dev/null
rc=$?
python3 tools/count-tests.py "$build"/meson-logs/testlog*.json || rc=1
exit $rc
