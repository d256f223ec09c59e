#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sbom.py FILE DEPENDS: what SPDX 2.3 (clauses 6, 7, 10, 11) asks of a document, and that each
library of DEPENDS (of the package's control file) is in it.  Exit 1 with what is wrong."""
import json
import re
import sys

DOCUMENT = ("spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo")
LICENCES = {"Apache-2.0", "BSD-3-Clause", "GPL-3.0-or-later WITH GCC-exception-3.1", "ICU", "ISC",
            "LGPL-2.1-only", "LGPL-2.1-or-later", "MIT", "PostgreSQL", "blessing", "curl",
            "NOASSERTION", "NONE"}
KINDS = {"DESCRIBES", "DYNAMIC_LINK"}


def document(d):
    for field in DOCUMENT:
        if not d.get(field):
            yield f"the document has no {field}"
    if d["spdxVersion"] != "SPDX-2.3" or d["dataLicense"] != "CC0-1.0" or \
            d["SPDXID"] != "SPDXRef-DOCUMENT":
        yield "version, licence or identifier of the document"
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*:[^#\s]+", d["documentNamespace"]):
        yield "the namespace is no URI, or has a fragment"
    made = d["creationInfo"]
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made.get("created", "")):
        yield "created"
    if not made.get("creators") or not all(
            re.match(r"(Tool|Organization|Person): \S", c) for c in made["creators"]):
        yield "creators"


def package(p):
    for field in ("SPDXID", "name", "downloadLocation", "versionInfo", "supplier"):
        if not p.get(field):
            yield f"no {field}"
    if not re.fullmatch(r"SPDXRef-[a-zA-Z0-9.-]+", p["SPDXID"]):
        yield "SPDXID"
    if not re.match(r"(Organization|Person): \S|NOASSERTION$", p["supplier"]):
        yield "supplier"
    if p.get("filesAnalyzed") is not False or "packageVerificationCode" in p:
        yield "files that were not looked at are not told as analysed"
    for field in ("licenseConcluded", "licenseDeclared"):
        if p.get(field) not in LICENCES:
            yield f"{field} {p.get(field)}"
    for r in p.get("externalRefs", ()):
        if r["referenceCategory"] != "PACKAGE-MANAGER" or r["referenceType"] != "purl" or \
                not re.fullmatch(r"pkg:deb/\S+@\S+", r["referenceLocator"]):
            yield f"reference {r}"


def relations(d, ids):
    ties = d.get("relationships", [])
    if not any(t["relationshipType"] == "DESCRIBES" and t["spdxElementId"] == "SPDXRef-DOCUMENT"
               for t in ties):
        yield "the document describes nothing"
    for t in ties:
        if t["relationshipType"] not in KINDS or t["spdxElementId"] not in ids or \
                t["relatedSpdxElement"] not in ids:
            yield f"relationship {t}"


def main(path, depends):
    with open(path, encoding="utf-8") as f:
        d = json.load(f)
    wrong = list(document(d))
    for p in d["packages"]:
        wrong += [f"{p.get('name')}: {w}" for w in package(p)]
    ids = [d["SPDXID"]] + [p["SPDXID"] for p in d["packages"]]
    if len(set(ids)) != len(ids):
        wrong.append("an identifier stands twice")
    wrong += relations(d, ids)
    names = {p["name"] for p in d["packages"]}
    # those with a version are of libraries
    for name in re.findall(r"(lib\S+) \(", depends):
        if name not in names:
            wrong.append(f"{name} is not in it")
    for p in d["packages"]:
        if p["licenseDeclared"] == "NOASSERTION":
            wrong.append(f"{p['name']}: its licence is not known to tools/sbom.py")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
