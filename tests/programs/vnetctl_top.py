#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vnetctl on a terminal, and its top where there is none.

usage: vnetctl_top.py VNETCTL
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from vnetctl_support import (
    PATIENCE,
    Daemon,
    check,
    check_in,
    check_rows,
    command,
    make_stats,
    run,
    run_tests,
)


class Terminal:
    """A program on a pseudo-terminal of 80 columns, or as said."""

    def __init__(self, args, columns=80, rows=24):
        self.master, slave = pty.openpty()
        self.output = b""
        self.status = None
        self.resize(columns, rows)
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            args, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )

    def resize(self, columns, rows):
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def read(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            ready, _, _ = select.select([self.master], [], [], 0.02)
            if ready:
                self.output += os.read(self.master, 65536)

    def read_until(self, octets):
        end = time.monotonic() + PATIENCE
        while octets not in self.output:
            check(time.monotonic() < end, self.output)
            self.read(0.02)

    def wait(self):
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.02)
        self.read(0.05)
        self.status = self.process.poll()

    def text(self):
        return self.output.decode()

    def last_screen(self):
        """The lines of the last that was drawn from top to bottom."""
        drawn = self.text().split("\033[H")[-1].split("\033[J")[0]
        return [
            line.replace("\033[K", "").rstrip("\r")
            for line in drawn.split("\n")
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.master)


def rounds(names=("web", "db", "idle")):
    state = {"round": 0}

    def answer(_):
        state["round"] += 1
        return {"ok": True, "result": make_stats(state["round"], names)}

    return Daemon(answer)


def test_pcapng_is_not_for_a_terminal():
    with Terminal(command("capture", "web", "-w", "-")) as t:
        t.wait()
        check_in("not for a terminal", t.text())
        check(t.status == 2)


def test_top_is_a_table_a_round_where_there_is_no_terminal():
    with rounds():
        out = run("top", "-n", "2", "-d", "0.05")
        table = (
            "PORT LINK IN f/s IN bit/s OUT f/s OUT bit/s DROP/s QUEUED",
            "db up 2.00M 1.60G 2.00M 0 0 3",
            "web up 1.00k 800k 999 0 2 3",
            "idle up 0 0 0 0 0 3",
            "(total) - 2.00M 1.60G 2.00M 0 2 3",
        )
        check_rows(out, *table, *table)
        check("\033" not in out)


def test_top_leaves_the_terminal_as_it_was():
    for end in (b"q", signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with rounds(), Terminal(command("top", "-d", "0.05")) as t:
            t.read_until(b"(total)")
            if end == b"q":
                os.write(t.master, end)
            else:
                t.process.send_signal(end)
            t.wait()
            check(t.status == 0, t.status)
            check(t.output.startswith(b"\033[?1049h\033[?25l"), t.output)
            check(t.output.endswith(b"\033[?25h\033[?1049l"), t.output)
            check(termios.tcgetattr(t.slave) == t.before)


def test_top_leaves_the_terminal_as_it_was_when_the_daemon_dies():
    state = {"round": 0}

    def answer(_):
        state["round"] += 1
        if state["round"] > 3:
            return None
        return {"ok": True, "result": make_stats(state["round"])}

    with Daemon(answer), Terminal(command("top", "-d", "0.05")) as t:
        t.wait()
        check(t.status == 1)
        check(t.text().count("\033[?1049l") == 1)
        check_in("hung up", t.text().split("\033[?1049l")[1])
        check(termios.tcgetattr(t.slave) == t.before)


def test_top_fits_the_window():
    names = ["web", "db", *(f"a-port-with-a-long-name-{i}" for i in range(998))]
    with rounds(names), Terminal(command("top", "-d", "0.2")) as t:
        for columns, rows in ((80, 24), (40, 10), (20, 5), (7, 3), (1, 1)):
            t.resize(columns, rows)
            t.process.send_signal(signal.SIGWINCH)
            t.read(0.1)
            t.output = b""
            t.read_until(b"\033[J")
            lines = t.last_screen()
            check(len(lines) <= max(rows, 2), f"{columns}x{rows}: {lines}")
            for line in lines:
                check(len(line) < max(columns, 2), f"{columns}: {line!r}")
            if columns == 80:
                check_rows("\n".join(lines), "... 980 more")
                check(lines[0].endswith("  1000 ports, each 0.2 s, q quits"))
                check(lines[2].startswith("db "), lines)
                check(len(lines) == 24, lines)
                # As much of the end of a name as of its beginning.
                check(re.match(r"a-port-~name-\d+ +up ", lines[7]), lines)
        check(t.process.poll() is None)


run_tests(globals())
