#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: audit_doc.py AUDIT.MD EXPORTED

Run the program of docs/audit.md on an exported history: it must find the root that the last
checkpoint in it is signed over, and must stop at each entry or leaf that is changed.
"""
import base64
import contextlib
import io
import re
import sys
import tempfile


def blocks(data, kind):
    at = 17
    while at < len(data):
        n = int.from_bytes(data[at + 1:at + 5], "big")
        if data[at:at + 1] == kind:
            yield at + 5, data[at + 5:at + 5 + n]
        at += 5 + n


def run(program, data):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        out, sys.argv[1:] = io.StringIO(), [f.name]
        with contextlib.redirect_stdout(out):
            exec(program, {"__name__": "doc"})
        return out.getvalue()


def stops(program, data, at):
    changed = bytearray(data)
    changed[at] ^= 1
    try:
        run(program, bytes(changed))
    except AssertionError:
        return True
    except (KeyError, IndexError):
        return True
    return False


def main():
    doc, exported = sys.argv[1:]
    with open(doc, encoding="utf-8") as f:
        program = compile(re.search(r"```python\n(.*?)```", f.read(), re.S).group(1), doc, "exec")
    with open(exported, "rb") as f:
        data = f.read()
    note = list(blocks(data, b"C"))[-1][1][16:].decode().split("\n")
    found = run(program, data)
    wanted = f"{note[1]} entries in the tree, root {base64.b64decode(note[2]).hex()}\n"
    if found != wanted:
        sys.exit(f"the program of the page says {found!r}, the checkpoint {wanted!r}")
    for kind in (b"E", b"L"):
        for at, block in blocks(data, kind):
            for i in range(0, len(block), 7):
                if not stops(program, data, at + i):
                    sys.exit(f"byte {at + i} was changed")


main()
