#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A telephone for exercises and tests.  Whoever keeps password and telephone on one machine has one
factor, not two: nobody does it in earnest.

usage: tools/second-factor.py PROGRAM FILE [ARGUMENT]...
           sets up the second factor of an account with `PROGRAM code ARGUMENT...`, as at a terminal,
           and keeps in FILE (mode 0600) what the telephone read, then the codes on paper
       tools/second-factor.py --code FILE       what the telephone shows now
       tools/second-factor.py --paper FILE      the next code on paper, which is crossed out
"""
import base64
import hashlib
import hmac
import os
import pty
import re
import struct
import sys
import termios
import time
import urllib.parse


def shown(uri, at):
    """RFC 6238 with SHA-1, 6 digits and 30 seconds."""
    secret = urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)["secret"][0]
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    number = struct.unpack_from(">I", digest, digest[-1] & 15)[0] & 0x7FFFFFFF
    return f"{number % 1000000:06d}"


def keep(path, lines):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("".join(line + "\n" for line in lines))


def kept(path):
    with open(path, encoding="ascii") as file:
        return file.read().split("\n")[:-1]


def read_until(terminal, said, pattern):
    while not (found := re.search(pattern, said)):
        more = os.read(terminal, 4096)
        if not more:
            sys.exit(said.decode())
        said += more
    return said, found


def read_rest(terminal, said):
    try:
        while more := os.read(terminal, 4096):
            said += more
    except OSError:  # so Linux says that the other side is closed
        pass
    return said


def set_up(command, path):
    child, terminal = pty.fork()
    if child == 0:
        os.environ.pop("ANTIGONE_CODE_FILE", None)
        os.execvp(command[0], command)
    said, found = read_until(terminal, b"", rb"otpauth://\S+(?=\s)")
    uri = found[0].decode()
    said, _ = read_until(terminal, said, rb"Code: ")
    # what is typed before it stops echoing is thrown away
    while termios.tcgetattr(terminal)[3] & termios.ECHO:
        time.sleep(0.01)
    os.write(terminal, (shown(uri, time.time()) + "\n").encode())
    said = read_rest(terminal, said).decode()
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        sys.exit(said)
    keep(path, [uri] + re.findall(r"^  (\S+)\r?$", said, re.MULTILINE))


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if sys.argv[1] == "--code":
        print(shown(kept(sys.argv[2])[0], time.time()))
    elif sys.argv[1] == "--paper":
        uri, paper, *rest = kept(sys.argv[2])
        keep(sys.argv[2], [uri] + rest)
        print(paper)
    else:
        set_up([sys.argv[1], "code"] + sys.argv[3:], sys.argv[2])


main()
