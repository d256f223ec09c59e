#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py FILE NAME HEADER: the bytes of a text file as a C string constant, on standard output.

Comments and indentation of style sheets are left out."""
import re
import sys

path, name, header = sys.argv[1:]
with open(path, encoding="utf-8") as f:
    text = f.read()
text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
text = "".join(line.strip() + "\n" for line in text.splitlines() if line.strip())
numbers = ", ".join(str(b) for b in text.encode("utf-8") + b"\0")
print(f'#include "{header}"\n\nconst char {name}[] = {{{numbers}}};')
