#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs programs as the tasks of a GNU Mach in QEMU.

The verdict is the exit code of QEMU alone, which guest/init.c decides: 33 is a
pass. Everything else fails, and is explained as far as it can be.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

# guest/protocol.h; QEMU makes 2 * n + 1 of it.
VERDICTS = {
    0x10: "pass",
    0x11: "fail",
    0x12: "exception",
    0x13: "died",
    0x14: "timeout",
    0x15: "broken",
}
SKIP = 77


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--kernel", required=True)
    p.add_argument("--init", required=True)
    p.add_argument("--name", required=True, help="of the test")
    p.add_argument("--expect", default="pass", choices=VERDICTS.values())
    p.add_argument("--timeout", type=int, default=20, help="seconds")
    p.add_argument("--icount", action="store_true", help="the same every time")
    p.add_argument("--nic", action="store_true", help="an NE2000, recorded")
    p.add_argument("--check", help="then run this with the record's path")
    p.add_argument("--says", action="append", help="a line of the console")
    p.add_argument("--addr2line", default="addr2line")
    for role in ("test", "server", "held"):
        p.add_argument(
            f"--{role}",
            dest="modules",
            action="append",
            type=lambda s, role=role: (role, s),
            help="[NAME=]PROGRAM [ARGUMENT]...",
        )
    return p.parse_args()


def modules(args):
    """(role, name, path, arguments) of each program; names are distinct."""
    seen = {}
    for role, text in args.modules or sys.exit("run.py: no programs"):
        program, _, rest = text.partition(" ")
        name, _, path = program.rpartition("=")
        name = name or pathlib.Path(path).stem
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name += f".{seen[name]}"
        yield role, name, os.path.relpath(path), rest


def initrd(args):
    """The boot script: init comes last, for it is given the others."""
    lines, tasks = [], []
    for i, (role, name, path, rest) in enumerate(modules(args)):
        lines.append(f"{path} {rest} $(t{i}=task-create)")
        tasks.append(f"{role}:{name}=${{t{i}}}")
    lines.append(
        f"{os.path.relpath(args.init)} ${{host-port}} ${{device-port}}"
        f" timeout={args.timeout} {' '.join(tasks)} $(task-create) $(task-resume)"
    )
    return ",".join(line.replace(",", ",,") for line in lines)


def qemu(args, record):
    command = [
        "qemu-system-i386",
        *("-m", "64", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-serial", "stdio", "-monitor", "none"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=4"),
        # No IDE: its probing takes two seconds.
        *("-kernel", args.kernel, "-append", "noide console=com0"),
        *("-initrd", initrd(args)),
    ]
    if args.icount:
        command += ["-icount", "shift=3,sleep=off"]
        command += ["-rtc", "base=2024-01-01T00:00:00,clock=vm"]
    if args.nic:
        command += ["-netdev", "user,id=n0"]
        command += ["-device", "ne2k_isa,netdev=n0,iobase=0x300,irq=10"]
        command += ["-object", f"filter-dump,id=f0,netdev=n0,file={record}"]
    return command


def explain_places(args, output):
    """Say what is at the addresses that init found on the stacks."""
    paths = {name: path for _, name, path, _ in modules(args)}
    for name, places in re.findall(r"init: (\S+) at((?: 0x[0-9a-f]+)+)$", output, re.M):
        if name not in paths:
            continue
        print(f"run.py: {name} is, or comes from:")
        sys.stdout.flush()
        found = subprocess.run(
            [args.addr2line, "-fpe", paths[name], *places.split()],
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in found.stdout.splitlines():
            if not line.startswith("??") and not line.endswith("?"):
                print(f"  {line}")


def main():
    args = arguments()
    record = f"{args.name}.pcap"
    pathlib.Path(record).unlink(missing_ok=True)
    try:
        done = subprocess.run(
            qemu(args, record),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # What the guest does not end by itself.
            timeout=args.timeout + 10,
        )
        output, code = done.stdout, done.returncode
    except FileNotFoundError as e:
        print(f"skipped: no {e.filename} (scripts/deps test gets it)")
        sys.exit(SKIP)
    except subprocess.TimeoutExpired as e:
        output, code = e.stdout or b"", None
    output = output.decode(errors="replace").replace("\r", "")
    print(output)

    if code is None:
        sys.exit("run.py: the machine did not end: the kernel, or init, hangs")
    # A machine that resets itself ends with 0.
    verdict = VERDICTS.get(code // 2) if code % 2 else None
    if verdict is None:
        sys.exit(f"run.py: no verdict: QEMU ended with {code}")
    if verdict in ("exception", "timeout"):
        explain_places(args, output)
    if verdict != args.expect:
        sys.exit(f"run.py: {verdict}, not {args.expect} (QEMU ended with {code})")
    for line in args.says or []:
        if not any(said.endswith(line) for said in output.splitlines()):
            sys.exit(f"run.py: nobody has said: {line}")
    if args.check:
        sys.exit(subprocess.run([*args.check.split(), record]).returncode)


if __name__ == "__main__":
    main()
