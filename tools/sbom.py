# SPDX-License-Identifier: Apache-2.0
"""What a package is made of and linked with, as SPDX 2.3 in JSON."""
import json
import os
import re
import subprocess
import time
import uuid

# Of the libraries as a whole; a package of Debian may have files under others.
LICENCES = {
    "glib2.0": "LGPL-2.1-or-later", "glibc": "LGPL-2.1-or-later", "gnutls28": "LGPL-2.1-or-later",
    "icu": "ICU", "jansson": "MIT", "curl": "curl", "libmicrohttpd": "LGPL-2.1-or-later",
    "libseccomp": "LGPL-2.1-only", "libsodium": "ISC", "libxml2": "MIT",
    "oath-toolkit": "LGPL-2.1-or-later", "postgresql-15": "PostgreSQL",
    "qrencode": "LGPL-2.1-or-later", "sqlite3": "blessing", "vips": "LGPL-2.1-or-later",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1"}
QUERY = "${Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${Homepage}"


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def needed(paths):
    """Names of the shared libraries that the programs ask for, without their own."""
    names, own = set(), set()
    for path in paths:
        text = run("readelf", "-dW", path)
        names.update(re.findall(r"\(NEEDED\).*\[(.*)\]", text))
        own.update(re.findall(r"\(SONAME\).*\[(.*)\]", text))
    return sorted(names - own)


def packages(paths):
    """(name, version, architecture, source, home page) of the packages that bring them, sorted."""
    known = {}
    for line in run("/sbin/ldconfig", "-p").splitlines():
        found = re.match(r"\s+(\S+) .* => (\S+)", line)
        if found:
            known.setdefault(found[1], found[2])
    rows = set()
    for name in needed(paths):
        real = os.path.realpath(known[name])
        # a package may name the place before /lib became /usr/lib
        for path in (real, real.removeprefix("/usr"), "/usr" + real):
            found = subprocess.run(["dpkg-query", "-S", path], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, check=False).stdout
            if found:
                rows.add(tuple(run("dpkg-query", "-W", "-f", QUERY, found.split(": ")[0])
                               .split("\t")))
                break
        else:
            raise SystemExit(f"sbom.py: no package has {real}")
    return sorted(rows)


def entry(spdxid, name, version, licence, purl, **more):
    return {"SPDXID": spdxid, "name": name, "versionInfo": version,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": licence,
            "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": purl}], **more}


def make(paths, version, commit):
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                            time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"])))
    architecture = run("dpkg", "--print-architecture").strip()
    own = "SPDXRef-Package-antigone"
    listed = [entry(own, "antigone", version, "Apache-2.0",
                    f"pkg:deb/antigone@{version}?arch={architecture}",
                    supplier="Organization: Antigone maintainers",
                    sourceInfo=f"built from commit {commit}", primaryPackagePurpose="APPLICATION")]
    ties = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
             "relatedSpdxElement": own}]
    for name, its, arch, source, home in packages(paths):
        spdxid = "SPDXRef-Package-" + re.sub(r"[^a-zA-Z0-9.-]", "-", name)
        more = {"homepage": home} if home else {}
        listed.append(entry(spdxid, name, its, LICENCES.get(source, "NOASSERTION"),
                            f"pkg:deb/debian/{name}@{its}?arch={arch}".replace("+", "%2B"),
                            supplier="Organization: Debian", sourceInfo=f"source package {source}",
                            primaryPackagePurpose="LIBRARY", **more))
        ties.append({"spdxElementId": own, "relationshipType": "DYNAMIC_LINK",
                     "relatedSpdxElement": spdxid})
    space = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([listed, created], sort_keys=True))
    document = {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
                "name": f"antigone-{version}", "documentNamespace": f"urn:uuid:{space}",
                "creationInfo": {"created": created, "creators": ["Tool: antigone-sbom.py"]},
                "packages": listed, "relationships": ties}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
