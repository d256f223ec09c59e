#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tools/run.sh PROGRAM FOLDER
# The tour: makes a synthetic ferry accident in FOLDER, identifies it, says where the report is.
set -eu
antigone=$1
out=$2
mkdir -p "$out"
echo "A ferry has sunk: 60 people are missing, 70 bodies and parts were recovered (all invented)." >&2
"$antigone" exercise make --frequencies data/frequencies/norway.json --population norway \
    --markers fusion6c --min-frequency 0.001 --directory "$out" --quiet
"$antigone" identify "$out/operation.json" --save "$out/report.json" --html "$out/report.html"
echo
echo "Report to read: $out/report.html"
echo "The same for programs: $out/report.json"
echo "Operation and truth: $out/operation.json, $out/truth.json"
