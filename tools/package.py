#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""package.py SCRATCH DEBIAN OUT VERSION COMMIT: make a Debian package of what lies in SCRATCH/root.

DEBIAN holds copyright, changelog and the maintainer scripts.  Prints the SHA-256 and path of the
package and of its SBOM.  What differs from one run to the next (times, owners, modes, order) is set.
"""
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import time

import sbom

NAME = "antigone"
CONTROL = """Package: antigone
Version: {version}
Architecture: {architecture}
Maintainer: Antigone maintainers <maintainers@antigone.invalid>
Installed-Size: {size}
Depends: {depends}
Recommends: postgresql-client-15
Section: science
Priority: optional
Description: identification of disaster victims from DNA
 Antigone keeps what families report about their missing and what mortuaries
 find, compares the DNA of remains with that of the families, says who is who,
 how strongly, and what is still missing to decide, and carries a team to a
 decision that people sign.
 .
 This package has the program with its service and its worker, and the library
 libantigone with its headers.
"""


def run(*command, cwd=None):
    return subprocess.run(command, check=True, cwd=cwd, stdout=subprocess.PIPE, text=True).stdout


def walk(root):
    """(path, is a folder) of everything below root, sorted."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            yield path, os.path.isdir(path) and not os.path.islink(path)


def is_elf(path):
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF"


def binaries(root):
    return [p for p, folder in walk(root) if not folder and not os.path.islink(p) and is_elf(p)]


def strip(root):
    for path in binaries(root):
        run("strip", "--strip-unneeded", "--remove-section=.comment", "--remove-section=.note", path)
    for path, _ in walk(root):
        if path.endswith(".a"):
            run("strip", "--strip-debug", "--remove-section=.comment",
                "--enable-deterministic-archives", path)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode("utf-8"))


def pack(path):
    """PATH becomes PATH.gz."""
    with open(path, "rb") as f:
        data = f.read()
    write(path + ".gz", gzip.compress(data, 9, mtime=0))
    os.unlink(path)


def arrange(root, debian, version):
    """Where Debian wants things that other systems have elsewhere.  Returns the prefix's share."""
    share = next(p for p, folder in walk(root) if folder and p.endswith("/share"))
    functions = os.path.join(share, "zsh/site-functions")
    os.rename(functions, os.path.join(share, "zsh/vendor-completions"))
    for path, folder in list(walk(os.path.join(share, "man"))):
        if not folder:
            pack(path)
    doc = os.path.join(share, "doc", NAME)
    os.makedirs(doc, exist_ok=True)
    shutil.copyfile(os.path.join(debian, "copyright"), os.path.join(doc, "copyright"))
    with open(os.path.join(debian, "changelog"), encoding="utf-8") as f:
        text = f.read()
    if not text.startswith(f"{NAME} ({version})"):
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000",
                             time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"])))
        text = (f"{NAME} ({version}) bookworm; urgency=medium\n\n  * Built as {version}.\n\n"
                f" -- Antigone maintainers <maintainers@antigone.invalid>  {date}\n\n{text}")
    write(os.path.join(doc, "changelog.Debian"), text)
    pack(os.path.join(doc, "changelog.Debian"))
    return share


def depends(scratch, root):
    """Of the shared libraries, with the least versions that their symbols ask for."""
    write(os.path.join(scratch, "debian/control"), f"Source: {NAME}\n\nPackage: {NAME}\n"
          "Architecture: any\n")
    # what tells dpkg-shlibdeps that root is a package
    os.makedirs(os.path.join(root, "DEBIAN"), exist_ok=True)
    own = sorted({os.path.dirname(p) for p in binaries(root) if ".so" in p})
    out = run("dpkg-shlibdeps", "-O", *[f"-l{p}" for p in own], *binaries(root), cwd=scratch)
    found = next(line for line in out.splitlines() if line.startswith("shlibs:Depends="))
    return (found.split("=", 1)[1] +
            ", systemd | systemd-standalone-sysusers | systemd-sysusers")


def settle(root):
    """Modes and times."""
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    control = os.path.join(root, "DEBIAN")
    for path, folder in [(root, True), *walk(root)]:
        runs = folder or "/bin/" in path or "/libexec/" in path or (
            os.path.dirname(path) == control and path.endswith(("inst", "rm")))
        if not os.path.islink(path):
            os.chmod(path, 0o755 if runs else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def describe(root, debian, version, depended):
    control = os.path.join(root, "DEBIAN")
    files = [p for p, folder in walk(root) if not folder and not os.path.islink(p)]
    size = sum((os.path.getsize(p) + 1023) // 1024 for p in files)
    sums = ""
    for path in files:
        with open(path, "rb") as f:
            sums += f"{hashlib.md5(f.read()).hexdigest()}  {os.path.relpath(path, root)}\n"
    write(os.path.join(control, "md5sums"), sums)
    write(os.path.join(control, "control"), CONTROL.format(
        version=version, size=size, depends=depended,
        architecture=run("dpkg", "--print-architecture").strip()))
    write(os.path.join(control, "shlibs"), f"libantigone 0 {NAME}\n")
    write(os.path.join(control, "triggers"), "activate-noawait ldconfig\n")
    for script in ("postinst", "prerm", "postrm"):
        shutil.copyfile(os.path.join(debian, script), os.path.join(control, script))


def tell(path):
    with open(path, "rb") as f:
        print(hashlib.sha256(f.read()).hexdigest(), path)


def main(scratch, debian, out, version, commit):
    root = os.path.join(scratch, "root")
    strip(root)
    share = arrange(root, debian, version)
    bill = sbom.make(binaries(root), version, commit)
    write(os.path.join(share, "doc", NAME, NAME + ".spdx.json"), bill)
    describe(root, debian, version, depends(scratch, root))
    settle(root)
    architecture = run("dpkg", "--print-architecture").strip()
    package = os.path.join(out, f"{NAME}_{version}_{architecture}.deb")
    run("dpkg-deb", "--root-owner-group", "-Zxz", "--threads-max=1", "--build", root, package)
    write(package[:-4] + ".spdx.json", bill)
    tell(package)
    tell(package[:-4] + ".spdx.json")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except subprocess.CalledProcessError as problem:
        sys.exit(f"package.py: {problem}")
