# SPDX-License-Identifier: BSD-2-Clause
"""Draws what churn.py asks for."""
import os
import random

from churn_parts import WORK

HOSTS = ["a", "b", "c"]
TAPS = ["t0", "t1", "t2", "t3"]
VIFS = ["w0", "w1", "w2"]
STREAMS = ["s0", "s1"]
NAMES = TAPS + VIFS + STREAMS + ["u0"]
MACS = [f"02:00:00:00:01:{n:02x}" for n in range(24)]
EXPRESSIONS = ["", "ip", "ip6", "arp", "ether broadcast", "ether multicast",
               "ether proto 0x88b6", "tcp", "udp port 53", "greater 1000",
               "ether host 02:00:00:00:01:05", "host 10.0.0.1 or udp"]



class Draw:
    """Draws what is asked for."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.choice = self.random.choice

    def often(self, n):
        """One of n times."""
        return self.random.randrange(n) == 0

    def number(self, least, most):
        return self.random.randint(least, most)

    def some(self, *what):
        return [one for one in what if self.often(2)]

    def limit(self):
        rate = lambda: self.choice([1, 100, 10000, 1000000, 10 ** 9])
        limit = {"side": self.choice(["in", "out"]),
                 "traffic": self.choice(["all", "broadcast", "multicast",
                                         "unknown"])}
        if self.often(2):
            limit["frames_per_s"] = rate()
            if self.often(2):
                limit["burst_frames"] = self.number(1, 1000)
        if len(limit) == 2 or self.often(2):
            limit["octets_per_s"] = rate()
            if self.often(2):
                limit["burst_octets"] = self.number(1, 1000000)
        return limit

    def limits(self):
        all_of = [self.limit() for _ in range(self.number(0, 3))]
        return list({(one["side"], one["traffic"]): one
                     for one in all_of}.values())

    def filter(self, sides=("in", "out")):
        return {"name": f"f{self.number(0, 9)}", "side": self.choice(sides),
                "priority": self.number(0, 3),
                "verdict": self.choice(["pass", "drop"]),
                "expr": self.choice(EXPRESSIONS)}

    def filters(self):
        all_of = [self.filter() for _ in range(self.number(0, 6))]
        return list({(one["side"], one["name"]): one
                     for one in all_of}.values())

    def own(self):
        """What a client has."""
        own = {"queue_octets": self.number(8192, 131072),
               "weight": self.number(1, 9), "max_addresses":
               self.number(1, 200)}
        return {key: own[key] for key in self.some(*own)}

    def row(self):
        row = {**self.own(), **self.choice([{}, {"user": os.geteuid()}])}
        if self.often(3):
            row["max_clients"] = self.number(1, 5)
        if self.often(3):
            row["accept"] = "own"
        if self.often(3):
            row["limits"] = self.limits()
        return row

    def of_type(self, kind, name):
        if kind == "tap":
            return {"netns": self.choice(HOSTS), "interface": name,
                    "without": self.some("csum", "tso4", "tso6", "uso"),
                    "mtu": self.choice([1280, 1500, 9000])}
        if kind == "uplink":
            return {"netns": "a", "interface": "u0",
                    "own_only": self.often(2)}
        if kind == "stream":
            return {"path": os.path.join(WORK, name),
                    "role": self.choice(["vif", "vif", "uplink"])}
        port = {"siblings": not self.often(3),
                "addresses": self.choice(["shared", "per-client"]),
                "max_clients": self.number(1, 8)}
        if self.often(2):
            port["mac"] = self.choice(MACS)
        if self.often(2):
            port["allow"] = [self.row() for _ in range(self.number(1, 3))]
        return port

    def common(self):
        common = {"sticky": self.often(3), "loop_guard": self.often(3),
                  "default_in": "drop" if self.often(5) else "pass",
                  "default_out": "drop" if self.often(5) else "pass",
                  "limits": self.limits(), "filters": self.filters()}
        return {key: common[key] for key in self.some(*common)}

    def kind_of(self, name):
        return {"t": "tap", "w": "attach", "s": "stream",
                "u": "uplink"}[name[0]]

    def port(self, name):
        kind = self.kind_of(name)
        port = {"name": name, "type": kind, **self.of_type(kind, name),
                **self.common(), **self.own()}
        return self.spoil(port) if self.often(20) else port

    def changes(self, name):
        """Mostly few, and some of them to the default."""
        kind = self.kind_of(name)
        all_of = {**self.of_type(kind, name), **self.common(), **self.own()}
        changes = {}
        for key in self.random.sample(sorted(all_of),
                                      min(len(all_of), self.number(1, 3))):
            changes[key] = None if self.often(5) and key not in (
                "path", "interface", "netns") else all_of[key]
        return self.spoil(changes) if self.often(20) else changes

    def spoil(self, port):
        wrong = {"mtu": 10, "weight": 0, "queue_octets": 1 << 29,
                 "limits": [{"side": "in"}], "nonsense": 1,
                 "filters": [{"name": "f", "side": "in", "verdict": "drop",
                              "expr": "no such thing"}]}
        key = self.choice(sorted(wrong))
        return {**port, key: wrong[key]}

    def frame(self):
        octets = [self.choice(MACS).replace(":", "") for _ in range(2)]
        kind = self.choice(["88b6", "0800", "8100", "88cc", "90", ""])
        return "".join(octets) + kind + "00" * self.number(0, 200)
