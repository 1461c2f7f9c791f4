#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vnetctl on a terminal, and its top where there is none.

usage: vnetctl_top.py VNETCTL
"""
import fcntl
import json
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


def rates(frames_in, frames_out, drops, **more):
    """As make_stats() has them: 100 octets a frame in, and none more out."""
    return {
        "in": {"frames_per_s": frames_in, "bits_per_s": frames_in * 800},
        "out": {"frames_per_s": frames_out, "bits_per_s": 0},
        "drops_per_s": drops,
        "queue": {"frames": 3, "octets": 300},
        **more,
    }


def test_top_is_a_line_of_json_a_round():
    with rounds():
        out = run("-j", "top", "-n", "2", "-d", "0.05")
        check(out.endswith("\n"), out)
        lines = [json.loads(line) for line in out.splitlines()]
        check(len(lines) == 2, out)
        for i, line in enumerate(lines):
            expected = {
                "schema": 1,
                "time_ns": 7000000000 + i * 1000000000,
                "interval_ns": 1000000000,
                "ports": [
                    rates(2000000, 2000000, 0, name="db", link="up"),
                    rates(1000, 999, 2, name="web", link="up"),
                    rates(0, 0, 0, name="idle", link="up"),
                ],
                "totals": rates(2001000, 2000999, 2),
            }
            check(line == expected, line)


def test_rates_in_json_are_those_of_the_interval():
    state = {"round": 0}

    def answer(_):
        state["round"] += 1
        stats = make_stats(state["round"])
        # Two rounds 1.5 s apart, and one at which the clock stands still.
        stats["time_ns"] = 5000000000 + (state["round"] > 1) * 1500000000
        return {"ok": True, "result": stats}

    with Daemon(answer):
        out = run("-j", "top", "-n", "2", "-d", "0.05")
        slow, still = [json.loads(line) for line in out.splitlines()]
        check(slow["interval_ns"] == 1500000000, slow)
        check(abs(slow["ports"][1]["in"]["frames_per_s"] - 2000 / 3) < 1e-6, slow)
        check(still["interval_ns"] == 1000000000, still)
        check(still["ports"][1]["in"]["frames_per_s"] == 1000, still)


def test_top_in_json_leaves_a_terminal_alone():
    args = command("-j", "top", "-n", "3", "-d", "0.05")
    with rounds(), Terminal(args) as t:
        t.wait()
        check(t.status == 0, t.status)
        check("\033" not in t.text(), t.text())
        lines = [json.loads(line) for line in t.text().splitlines()]
        check([len(line["ports"]) for line in lines] == [3] * 3, lines)
    with rounds(), Terminal(command("-j", "top", "-d", "0.05")) as t:
        t.read_until(b"totals")
        t.process.send_signal(signal.SIGINT)
        t.wait()
        check(t.status == -signal.SIGINT, t.status)


def test_top_in_json_is_live():
    with rounds(), subprocess.Popen(
        command("-j", "top", "-d", "0.05"), stdout=subprocess.PIPE
    ) as p:
        check(json.loads(p.stdout.readline())["schema"] == 1)
        p.stdout.close()
        check(p.wait(PATIENCE) == -signal.SIGPIPE, p.returncode)


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
