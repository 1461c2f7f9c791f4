#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is linked where there is no libc includes nothing of one.

Public headers are held to even less: they are all that everybody sees.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"].*[>"])', re.M)

# C11, 4.6: what a freestanding implementation has.
FREESTANDING = {
    f"<{name}.h>"
    for name in "float iso646 limits stdalign stdarg stdbool stddef stdint"
    " stdnoreturn".split()
}
CORE = FREESTANDING | {"<string.h>", "<errno.h>"}

# What the headers of the Mach port, and it, see beside these.
MACH = ("<mach/", "<device/")

# What MIG makes.
GENERATED = '"device_server.h"'

# For programs that have a libc; nothing else may include it.
HOSTED = "malloc.h"


def check(folder, allowed, own):
    """The includes below folder that are not allowed.

    own says where a header in quotes may lie, None for nowhere.
    """
    files = sorted(pathlib.Path(folder).rglob("*.[ch]"))
    if not files:
        yield f"{folder}: no sources"
    for file in files:
        if file == pathlib.Path("include/vnet", HOSTED):
            continue
        for name in INCLUDE.findall(file.read_text()):
            if name == f"<vnet/{HOSTED}>":
                ok = False
            elif name.startswith("<vnet/"):
                ok = pathlib.Path("include", name[1:-1]).exists()
            elif name == GENERATED:
                ok = file.parent.name == "mach"
            elif name.startswith('"'):
                ok = own and (own / name[1:-1]).exists()
            elif file.name.startswith("mach") or "mach" in file.parts:
                ok = name in allowed or name.startswith(MACH)
            else:
                ok = name in allowed
            if not ok:
                yield f"{file}: includes {name}"


def check_driver(folder):
    """A driver that has an operating system includes what it likes of that,
    but of ours the public headers and its own alone."""
    for file in sorted(pathlib.Path(folder).rglob("*.[ch]")):
        for name in INCLUDE.findall(file.read_text()):
            if name.startswith('"') and not (file.parent / name[1:-1]).exists():
                yield f"{file}: includes {name}"


def main():
    wrong = [
        *check("include/vnet", FREESTANDING, None),
        *check("src/core", CORE, pathlib.Path("src/core")),
        *check("src/ports/null", CORE, pathlib.Path("src/ports/null")),
        *check("src/ports/inproc", CORE, pathlib.Path("src/ports/inproc")),
        *check("src/ports/mach", CORE, pathlib.Path("src/ports/mach")),
        *check_driver("src/ports/linux-tap"),
    ]
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
