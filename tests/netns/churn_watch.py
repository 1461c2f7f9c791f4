# SPDX-License-Identifier: BSD-2-Clause
"""Those who look on while churn.py changes things, and what may be said."""
import collections
import re
import socket
import threading

from churn_draw import NAMES, Draw
from churn_parts import Control, equal
from sums import check as check_sums

# What may be refused, and in which words. Whatever else is said is wrong.
REFUSALS = [
    r"there is no (port|client) .+",
    r"port \S+ exists",
    r"port \S+ has (no client|several clients: which one\? .*)",
    r"port \S+: port \S+ has its (interface|path)",
    r"port \S+: there are max_ports already, 10",
    r"port \S+ has (a|no) filter \S+ on (this side|side \w+)",
    r"client \S+ has no filter \S+ on side \w+",
    r"client \S+ is the port's own: change the port instead",
    r"client \S+: filter \S+: (a rule of that name exists: .*|"
    r"side that the owner lacks: .*)",
    r"(port|client) \S+: filters?.*: no more (rules|instructions) in this "
    r"switch: .*",
    r"\S+ has no limit (in|out) \w+",
    r"the table does not have \S+",
    r".*: found .*, expected .*",
    r"(.*[.:] ?)?nonsense: no such key.*",
    r".*limits\[0\]: there is no \"frames_per_s\" and no \"octets_per_s\"",
    r"cpu: a change takes a restart",
    r".*: expression \"no such thing\": .*syntax error",
]


class Refusals:
    """What was refused, in which words, and how often."""

    def __init__(self):
        self.words = [re.compile(r) for r in REFUSALS]
        self.count = collections.Counter()

    def note(self, do, keys, why):
        for text in why:
            word = next((w for w in self.words if w.fullmatch(text)), None)
            if not word:
                raise AssertionError(f"{do} {keys}: says {text!r}")
            self.count[word.pattern] += 1


class Shower(threading.Thread):
    """Has all shown to it, again and again."""

    def __init__(self, switch, refusals, seed):
        super().__init__(daemon=True)
        self.control = Control(switch.path)
        self.refusals = refusals
        self.draw = Draw(seed)
        self.stop = threading.Event()
        self.failure = None
        self.count = 0

    def show(self):
        port = self.draw.choice(NAMES)
        client = f"{port}/{self.draw.number(0, 9)}"
        some = self.draw.choice([port, client])
        ask = self.draw.choice([
            ("stats", {}), ("stats", {"port": port}), ("show", {}),
            ("config show", {}), ("port show", {}), ("client show", {}),
            ("client show", {"port": some}), ("fdb show", {}),
            ("fdb show", {"port": port}), ("filter show", {}),
            ("filter show", {"port": some}), ("limit show", {}),
            ("limit show", {"owner": some}),
            ("explain", {"client": some, "frame": self.draw.frame()}),
        ])
        result, why = self.control.ask(ask[0], **ask[1])
        if why:
            self.refusals.note(*ask, why)
        elif ask[0] == "stats":
            check_sums(result)
        elif ask[0] == "explain":
            check_explained(result)
        self.count += 1

    def run(self):
        try:
            while not self.stop.is_set():
                self.show()
        except (AssertionError, OSError, ValueError, KeyError, TypeError,
                SystemExit) as e:
            self.failure = e
        self.control.close()


def check_explained(result):
    for one in [result, *result["dests"]]:
        equal(isinstance(one["client"], str), True, result)
        steps = one["steps"]
        equal(len(steps) > 0, True, result)
        equal({tuple(sorted(step)) for step in steps},
              {("detail", "result", "step")}, result)
        if one["drop"] and one is not result:
            equal(steps[-1]["result"], "dropped", result)


class Monitor(threading.Thread):
    """Hears of everything, and that clients are of the port that is named."""

    def __init__(self, switch):
        super().__init__(daemon=True)
        self.control = Control(switch.path)
        self.control.get("monitor")
        self.failure = None
        self.is_over = False
        self.seen = collections.Counter()

    def run(self):
        try:
            while not self.is_over:
                event = self.control.read()
                self.seen[event["event"]] += 1
                client = event.get("client")
                if client:
                    equal(client.split("/")[0], event["port"], "an event")
        except (AssertionError, OSError, ValueError, KeyError) as e:
            self.failure = None if self.is_over else e

    def close(self):
        self.is_over = True
        self.control.socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self.control.close()
