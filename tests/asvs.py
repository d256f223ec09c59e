#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: asvs.py SOURCE-FOLDER

Each file, function and test that docs/asvs.md names exists, and no number stands twice in a table
of a chapter.
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
page = (root / "docs/asvs.md").read_text(encoding="utf-8")
code = "".join(p.read_text(encoding="utf-8") for p in root.glob("src/**/*.[ch]"))
wrong = []

for path in set(re.findall(r"`((?:src|tests|docs|tools|schema|packaging)/[^`]+)`|"
                           r"\b(docs/[a-z-]+\.md)", page)):
    wrong += [p for p in path if p and not (root / p).is_file()]
for name in set(re.findall(r"`(\w+)\(\)`", page)):
    if not re.search(rf"\b{name}\(", code):
        wrong.append(name + "()")

cited = re.findall(r'`(test_\w+)`((?:,? "[^"]+")+)', page)
for program, sentences in cited:
    source = root / "tests/unit" / (program + ".c")
    text = source.read_text(encoding="utf-8") if source.is_file() else ""
    for sentence in re.findall(r'"([^"]+)"', sentences):
        if f'"{sentence}"' not in text and f"({sentence.replace(' ', '_')})" not in text:
            wrong.append(f"{program}: {sentence}")
if len(cited) != len(re.findall(r"`test_\w+`", page)) or not cited:
    wrong.append("a test program without a sentence")

rows = re.findall(r"^\| (V[\d.]+)[^|]*\| [\d, ]+\| ", page.split("## V1 ", 1)[1], re.M)
wrong += [number for number in set(rows) if rows.count(number) > 1]
for what in sorted(wrong):
    print("docs/asvs.md names what is not there, or twice:", what)
sys.exit(1 if wrong else 0)
