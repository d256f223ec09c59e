#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts single tests in Meson's testlog.json: each line of TAP, and each program without TAP.

A program that breaks off, runs out of time or prints fewer results than it planned adds one
failure of its own.
"""
import json
import re
import sys

LINE = re.compile(r"^(not )?ok\b(.*)$", re.M)


def count(record):
    """(passed, failed, skipped) of one test program."""
    good = record["result"] in ("OK", "SKIP", "EXPECTEDFAIL")
    lines = LINE.findall(record.get("stdout") or "")
    skipped = sum(1 for no, rest in lines if not no and "# SKIP" in rest.upper())
    failed = sum(1 for no, _ in lines if no)
    passed = len(lines) - failed - skipped
    if not lines and good:
        skipped, passed = (1, 0) if record["result"] == "SKIP" else (0, 1)
    if not good and not failed:
        failed = 1
    return passed, failed, skipped


def main(paths):
    total = [0, 0, 0]
    for path in paths:
        with open(path, encoding="utf-8") as log:
            for line in log:
                total = [a + b for a, b in zip(total, count(json.loads(line)))]
    passed, failed, skipped = total
    text = f"{passed} passed, {failed} failed"
    print(text + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except OSError as problem:
        print(f"No log of the tests: {problem}", file=sys.stderr)
        print("0 passed, 1 failed")
        sys.exit(1)
