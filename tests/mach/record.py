# SPDX-License-Identifier: BSD-2-Clause
"""A record of the wire, as tcpdump reads it."""
import re
import shutil
import subprocess
import sys

SKIP = 77


def tcpdump(record, *options):
    if not shutil.which("tcpdump"):
        print("skipped: no tcpdump (scripts/deps test gets it)")
        sys.exit(SKIP)
    return subprocess.run(
        ["tcpdump", "-nn", "-r", record, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    ).stdout


def frames(record):
    """The octets of each, as tcpdump prints them."""
    for text in re.split(r"\n(?!\t)", tcpdump(record, "-t", "-xx")):
        lines = re.findall(r"^\t0x[0-9a-f]+:  ([0-9a-f ]+)$", text, re.M)
        if lines:
            yield bytes.fromhex("".join(lines))
