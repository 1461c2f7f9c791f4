#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The first program in README.md is built and prints what stands below it.

The program is the first block marked c, its output the first one marked text
behind it.
"""
import pathlib
import re
import subprocess
import sys

BLOCK = r"^```{}\n(.*?)^```$"


def main():
    compiler, library, work = sys.argv[1:]
    work = pathlib.Path(work)
    readme = pathlib.Path("README.md").read_text()

    program = re.search(BLOCK.format("c"), readme, re.M | re.S)
    if not program:
        sys.exit("README.md has no block marked c")
    output = re.compile(BLOCK.format("text"), re.M | re.S).search(
        readme, program.end()
    )
    if not output:
        sys.exit("README.md has no block marked text behind the program")

    work.mkdir(parents=True, exist_ok=True)
    source = work / "example.c"
    source.write_text(program[1])
    subprocess.run(
        [
            compiler, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
            "-I", "include", "-o", work / "example", source, library,
        ],
        check=True,
    )
    printed = subprocess.check_output([work / "example"], text=True)
    if printed != output[1]:
        sys.exit(f"it prints:\n{printed}README.md says:\n{output[1]}")


main()
