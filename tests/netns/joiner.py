#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Attaches to a vif twice, and sends by one client what it gets by the other: a
loop, until its standard input ends.

usage: joiner.py ATTACH_CLIENT PATH VIF
"""
import subprocess
import sys
import threading


def pass_on(lines, to):
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "got":
            to.write(f"send {rest}")
            to.flush()


def main():
    client, path, vif = sys.argv[1:]
    ends = [
        subprocess.Popen(
            [client, path, vif, "talk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one, other in zip(ends, reversed(ends)):
        print(one.stdout.readline().strip(), flush=True)
        threading.Thread(
            target=pass_on, args=[one.stdout, other.stdin], daemon=True
        ).start()
    sys.stdin.read()
    for one in ends:
        one.kill()
        one.wait()


main()
