#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tools/bench.sh BUILD-FOLDER [NAME]...
# Runs every bench program (bench/bench_NAME.c), or the named ones, one after the other.
set -eu
build=$1
shift
# bench_joint measures the operations of a folder beside the project, if there is one
if [ -z "${ATG_REFERENCE:-}" ] && [ -d ../shared/reference/operations ]; then
    export ATG_REFERENCE=../shared/reference
fi
# bench_face_net makes its photographs of portraits there
if [ -z "${ATG_FACES:-}" ] && [ -d ../shared/faces ]; then
    export ATG_FACES=../shared/faces
fi
# the figures of DNA come first
first='nation compile joint exercise scan'
if [ $# -eq 0 ]; then
    # shellcheck disable=SC2086 # names without spaces
    set -- $first
    for file in bench/bench_*.c; do
        name=${file##*/bench_}
        case " $first " in *" ${name%.c} "*) ;; *) set -- "$@" "${name%.c}" ;; esac
    done
fi
for name in "$@"; do
    "$build/bench/bench_$name" </dev/null
done
