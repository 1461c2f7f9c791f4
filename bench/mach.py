#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures the switch as a server of GNU Mach, in QEMU.

usage: mach.py --list
       mach.py CASE SYSTEM

bench/README.md says what the cases are.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77  # exit status
GUEST_TIMEOUT_S = 200  # of the guest's clock, which is slower than ours

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BENCH_BUILD", ROOT / "build/release"))
BUILD /= "bench/mach"
PROGRAM = "examples/vnet-mach/vnet-mach"


class Skipped(Exception):
    """It cannot be measured here."""


class Failed(Exception):
    """It went wrong."""


def built(path):
    path = BUILD / path
    if not path.exists():
        raise Skipped(f"no {path}: GNU Mach was not there, or it was not built")
    return path


def need(tool, package):
    path = shutil.which(tool)
    if not path:
        raise Skipped(f"no {tool} (package {package})")
    return path


def run(*words, **options):
    """What a command prints."""
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        **options,
    )
    if done.returncode == SKIPPED:
        raise Skipped(done.stdout.strip())
    if done.returncode:
        raise Failed((done.stdout + done.stderr)[-1000:])
    return done.stdout


def boot(*programs):
    """The figures that the programs of a guest print, by what is before each."""
    out = run(
        ROOT / "tests/mach/run.py",
        *("--name", "bench", "--icount", "--timeout", GUEST_TIMEOUT_S),
        *("--kernel", built("tests/mach/gnumach")),
        *("--init", built("tests/mach/init")),
        *programs,
        cwd=BUILD,
    )
    return {
        what: int(figure)
        for what, figure in re.findall(r"\bbench (\S.*) (\d+)$", out, re.M)
    }


def frames():
    got = boot("--test", f"frames={built('bench/mach/bench_mach_frames')}")
    return {
        "cycles/frame": got["switch 2"],
        "cycles/frame, 8 clients": got["switch 8"],
        "cycles/frame, bare": got["bare 2"],
        "cycles/frame, to all": got["all 2"],
        "cycles/frame, to all 8": got["all 8"],
    }


def chain():
    """Of N hosts, on one switch or on a chain of N."""
    got = boot("--test", f"chain={built('bench/mach/bench_mach_chain')}")
    figures = {}
    for n in (2, 4, 8):
        for what in ("one", "chain"):
            figures[f"cycles/frame, {what} {n}"] = got[f"cycles {what} {n}"]
            figures[f"messages/frame, {what} {n}"] = got[f"messages {what} {n}"] / 100
    return figures


def resident():
    vifs = " ".join(f"--vif=vif{i}" for i in range(16))
    got = boot(
        *("--test", f"resident={built('bench/mach/bench_mach_resident')}"),
        *("--held", f"{built(PROGRAM)} {vifs}"),
    )
    return {
        "octets": got["resident 32"],
        "octets without clients": got["resident 0"],
    }


def text():
    """Code and constants, as the linker has put them together."""
    out = run(need("i686-linux-gnu-size", "binutils-i686-linux-gnu"), built(PROGRAM))
    return {"octets": int(out.splitlines()[1].split()[0])}


CASES = {"frames1514": frames, "chain1514": chain, "resident": resident, "text": text}


def main():
    if sys.argv[1:] == ["--list"]:
        for case in CASES:
            print(case, "vnet-mach", "ours", "-")
        return 0
    if len(sys.argv) != 3 or sys.argv[1] not in CASES:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        for unit, value in CASES[sys.argv[1]]().items():
            print(unit, value)
    except Skipped as why:
        print(why, file=sys.stderr)
        return SKIPPED
    except Failed as why:
        print(why, file=sys.stderr)
        return 1
    return 0


sys.exit(main())
