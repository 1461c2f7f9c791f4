# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of vnetctl share: a daemon that is none, which says what a test
has it say; vnetctl, which is the first argument; and what is expected.
"""
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback


VNETCTL = os.path.abspath(sys.argv[1])
WORK = tempfile.TemporaryDirectory(prefix="vnetctl-")
SOCKET = os.path.join(WORK.name, "socket")
PATIENCE = 20


class Daemon:
    """Answers each request with what `answer` gives for it: octets, an object
    (one line), a list of those, or None to hang up. A function among them is
    called with the connection."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.server = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SOCKET)
        self.server.bind(SOCKET)
        self.server.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(
                target=self.talk, args=[connection], daemon=True
            ).start()

    def talk(self, connection):
        with connection, connection.makefile("rb") as lines:
            with contextlib.suppress(OSError):
                for line in lines:
                    request = json.loads(line)
                    self.requests.append(request)
                    if not self.give(connection, self.answer(request)):
                        return

    def give(self, connection, what):
        if what is None:
            return False
        if isinstance(what, list):
            return all([self.give(connection, one) for one in what])
        if callable(what):
            what(connection)
        elif isinstance(what, bytes):
            connection.sendall(what)
        else:
            connection.sendall(json.dumps(what).encode() + b"\n")
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        os.unlink(SOCKET)


def always(*answers):
    return Daemon(lambda _: list(answers))


def results(**by_what):
    """A daemon that gives these results; port_show stands for "port show"."""

    def answer(request):
        what = request["do"].replace(" ", "_")
        if what not in by_what:
            return {"ok": False, "error": f"no answer for {what}"}
        return {"ok": True, "result": by_what[what]}

    return Daemon(answer)


def command(*args):
    return [VNETCTL, "--socket", SOCKET, *args]


def run(*args, status=0, **options):
    """What it prints; on stderr it is silent, or says one line."""
    p = subprocess.run(
        command(*args), capture_output=True, timeout=PATIENCE, **options
    )
    out = p.stdout.decode()
    err = p.stderr.decode()
    check(p.returncode == status, f"{args}: status {p.returncode}: {out}{err}")
    if status:
        check(re.fullmatch(r"vnetctl: .*\n", err), f"{args}: says {err!r}")
        check(("(see vnetctl --help)" in err) == (status == 2), err)
        return err
    if args[0] != "capture":
        check(not err, err)
    return out


def check(is_true, text="no"):
    if not is_true:
        raise AssertionError(text)


def check_in(part, text):
    check(part in text, f"{part!r} is not in {text!r}")


def check_rows(text, *rows):
    """These lines are in it, in this order, however wide the columns are."""
    lines = iter(text.splitlines())
    for row in rows:
        check(
            any(line.split() == row.split() for line in lines),
            f"{row!r} is not in, or not there in:\n{text}",
        )


PORTS = [
    {
        "name": "web",
        "type": "tap",
        "role": "vif",
        "link": "up",
        "id": 4294967296,
        "addresses": ["10.0.0.1/24", "fd00::1/64"],
        "medium": {
            "kind": "tap",
            "interface": "web0",
            "mac": "02:00:00:00:00:01",
            "mtu": 1500,
            "up": True,
            "carries": ["csum", "tso4"],
        },
    },
    {
        "name": "lan",
        "type": "uplink",
        "role": "uplink",
        "link": "down",
        "interface": "eth0",
        "error": "eth0 has gone",
    },
]


def count(frames, octets, **more):
    return {"frames": frames, "octets": octets, **more}


def port_stats(name, frames, drops):
    """As many frames in as out, of which drops are dropped on each side."""
    done = count((frames - drops), (frames - drops) * 100)
    dropped = count(drops, drops * 100)
    stats = {
        "in": count(
            frames, frames * 100, dropped=dropped, looked_up=done, copies=done
        ),
        "out": count(
            frames,
            frames * 100,
            segments=count(7, 700),
            delivered=count(frames - drops + 4, 400),
            dropped=dropped,
        ),
        "queue": count(3, 300, memory=2048),
        "drops": {
            "in": {"malformed": 0, "ingress_filter": drops, "link_down": 0},
            "out": {"link_down": 0, "queue_full": drops, "new_reason": 0},
        },
    }
    if name:
        stats.update(
            name=name,
            role="vif",
            link="up",
            medium={"in_dropped": 0, "out_dropped": 2, "in_errors": 0},
        )
    return stats


def client_stats(name, frames, drops):
    """The same of one of the clients of a port."""
    stats = port_stats(name, frames, drops)
    for key in "name", "role", "link":
        del stats[key]
    return {"client": name, "mac": "02:00:00:00:00:01", **stats}


def make_stats(round, names=("web", "db", "idle"), balanced=True):
    rates = {"web": 1000, "db": 2000000}
    ports = [
        port_stats(name, round * rates.get(name, 0), round * (name == "web"))
        for name in names
    ]
    totals = port_stats(None, round * sum(rates.values()), round)
    totals["fdb"] = {"entries": 3, "evictions": 1, "unlearned": 0}
    totals["pool"] = {"used": 2048, "octets": 16777216}
    return {
        "schema": 1,
        "time_ns": 5000000000 + round * 1000000000,
        "ports": ports,
        "totals": totals,
        "balanced": balanced,
    }


def run_tests(names):
    """Those that are called test_*; those that fail are named at the end."""
    failed = []
    only = os.environ.get("TEST")
    for name, test in list(names.items()):
        if not name.startswith("test_") or (only and only not in name):
            continue
        begin = time.monotonic()
        try:
            test()
        except Exception:
            traceback.print_exc()
            failed.append(name)
        print(f"{time.monotonic() - begin:6.2f} s  {name}", flush=True)
    for name in failed:
        print(f"FAILED: {name}")
    sys.exit(bool(failed))
