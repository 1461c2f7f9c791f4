#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The core can be linked where there is no libc.

Builds the core and its drivers as the preset release does, for several
targets, and compares the undefined symbols of the objects with those allowed.
"""
import pathlib
import re
import shutil
import subprocess
import sys

TARGETS = {
    "amd64": ("gcc", ["-DCMAKE_C_COMPILER=gcc"]),
    "amd64-clang": ("clang", ["-DCMAKE_C_COMPILER=clang"]),
    "i686": ("i686-linux-gnu-gcc", ["--toolchain", "cmake/toolchain-i686.cmake"]),
    "aarch64": (
        "aarch64-linux-gnu-gcc",
        ["--toolchain", "cmake/toolchain-aarch64.cmake"],
    ),
    "s390x": (
        "s390x-linux-gnu-gcc",
        ["--toolchain", "cmake/toolchain-s390x.cmake"],
    ),
}

# What the core asks for, and what the compiler brings by itself.
ALLOWED = re.compile(
    r"memcpy|memmove|memset|memcmp|_GLOBAL_OFFSET_TABLE_|__x86\.get_pc_thunk\.\w+"
)

# Drivers that have an operating system, and what of them can do without.
HOSTED = ("linux-tap", "mach")
PURE = [
    f"src/ports/mach/{name}.c"
    for name in (
        "complaint", "grant_text", "json", "json_writer", "netf", "shared",
        "shared_packet", "shared_table", "wire",
    )
]
PURE += map(str, pathlib.Path("src/ports/mach").glob("control_*.c"))

SKIP = 77


def run(*command):
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout}")
    return done.stdout


def symbols(nm, objects):
    """The symbols that objects define, and those that they need."""
    defined, needed = set(), set()
    for line in run(nm, "--format=posix", *objects).splitlines():
        fields = line.split()
        if len(fields) < 2:  # a file name
            continue
        name, kind = fields[0], fields[1]
        (needed if kind in "Uwv" else defined).add(name)
    return defined, needed


def check(target, options, build):
    """What is wrong with the objects for a target, a line each."""
    run(
        "cmake", "--preset", "release", "-B", build, *options,
        "-DVNET_BUILD_EXAMPLES=OFF",
    )
    run(
        "cmake", "--build", build,
        "--target", "vnet_core", "vnet_drivers", "vnet_mach_pure",
    )
    cache = (build / "CMakeCache.txt").read_text()
    nm = re.search(r"^CMAKE_NM:FILEPATH=(.*)$", cache, re.M)[1]

    # From the sources in the tree, so that none is left out.
    core, drivers, pure = (
        [
            build / "CMakeFiles" / f"{library}.dir" / f"{source}.o"
            for source in sources
        ]
        for library, sources in (
            ("vnet_core", sorted(pathlib.Path("src/core").glob("*.c"))),
            (
                "vnet_drivers",
                [
                    source
                    for source in sorted(pathlib.Path("src/ports").glob("*/*.c"))
                    if source.parent.name not in HOSTED
                ],
            ),
            ("vnet_mach_pure", PURE),
        )
    )
    every = core + drivers + pure
    wrong = [f"{target}: not built: {o}" for o in every if not o.exists()]
    if wrong:
        return wrong
    for what, objects in (
        ("core", core),
        ("core and drivers", core + drivers),
        ("core, drivers and mach", every),
    ):
        defined, needed = symbols(nm, objects)
        needed -= defined
        wrong += [
            f"{target}: {what}: needs {name}"
            for name in sorted(needed)
            if not ALLOWED.fullmatch(name)
        ]
        print(f"{target}: {what}: {len(objects)} objects need {sorted(needed)}")
    return wrong


def main():
    build = pathlib.Path(sys.argv[1])
    wrong, missing = [], []
    for target, (compiler, options) in TARGETS.items():
        if shutil.which(compiler):
            wrong += check(target, options, build / target)
        else:
            missing.append(f"{target}: no {compiler}")
    print("\n".join(wrong + missing))
    sys.exit(1 if wrong else SKIP if missing else 0)


main()
