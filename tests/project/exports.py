#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A shared library exports what its headers mark VNET_API, and no more.

usage: exports.py LIBRARY SONAME

libvnet-tap has the headers of HOSTED, libvnet the others.

The version script does the hiding: a function that is in neither list, or in
one alone, shows here.
"""
import pathlib
import re
import subprocess
import sys

DECLARATION = re.compile(r"^VNET_API\b[^;{]*?\b(vnet_\w+)\s*\(", re.M)
HOSTED = {"attach.h", "medium.h", "stream.h", "tap.h", "uplink.h"}

# In a static library of its own, where there is Mach.
MACH = "mach*.h"


def main():
    library, soname = sys.argv[1:]
    wrong = []

    declared = set()
    for header in pathlib.Path("include/vnet").glob("*.h"):
        if header.match(MACH):
            continue
        if (header.name in HOSTED) != soname.startswith("libvnet-tap"):
            continue
        text = header.read_text()
        names = DECLARATION.findall(text)
        marks = len(re.findall(r"^VNET_API\b", text, re.M))
        if len(names) != marks:
            wrong.append(f"{header}: {marks} marks, {len(names)} functions")
        declared.update(names)

    output = subprocess.check_output(
        ["nm", "--dynamic", "--defined-only", "--format=posix", library],
        text=True,
    )
    exported = {
        line.split("@")[0]
        for line in output.splitlines()
        if line.split()[1] != "A"  # the version itself
    }

    wrong += [f"not exported: {name}" for name in sorted(declared - exported)]
    wrong += [f"exported: {name}" for name in sorted(exported - declared)]

    output = subprocess.check_output(["readelf", "-d", library], text=True)
    if f"[{soname}]" not in output:
        wrong.append(f"{library}: SONAME is not {soname}")

    print(f"{len(exported)} functions exported")
    print("\n".join(wrong))
    sys.exit(1 if wrong or not exported else 0)


main()
