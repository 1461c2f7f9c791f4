#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""churn.py VNET_SWITCH CHURN_TRAFFIC ATTACH_CLIENT WORK: see churn.sh.

One thread, the driver, asks for changes at random and does to clients what can
happen to them; it alone does, so it knows what must be there. Others have all
shown to them meanwhile, and hear the events. At the end of each turn all is
taken down, and what is left must be what was there before.
"""
import collections
import contextlib
import os
import re
import signal
import socket
import subprocess
import time

from churn_draw import (
    EXPRESSIONS, HOSTS, MACS, NAMES, STREAMS, TAPS, VIFS, Draw)
from churn_parts import (
    ATTACH_CLIENT, BOUNDS, PATIENCE, WORK, Control, Process, Session, Switch,
    equal, once_it_is)
from churn_watch import Monitor, Refusals, Shower
from sums import check as check_sums

SECONDS = float(os.environ["VNET_CHURN_S"])
SEED = int(os.environ.get("VNET_CHURN_SEED", "0")) or int(time.time())
TURNS = max(2, int(SECONDS / 15))
SESSIONS_MAX = 12
CAPTURES_MAX = 4


class Driver:
    """Asks for changes, and does to clients what can happen to them."""

    def __init__(self, switch, refusals, draw):
        self.switch = switch
        self.control = Control(switch.path)
        self.refusals = refusals
        self.draw = draw
        self.ports = set()
        self.sessions = []
        self.dead = []  # names and processes of sessions that have gone
        self.touched = {}  # when something was set at a client, by name
        self.captures = []
        self.traffic = []
        self.before = None  # the configuration, while it is known
        self.count = collections.Counter()
        self.now = 0

    # What is asked

    def ask(self, do, **keys):
        result, why = self.control.ask(do, **keys)
        if why:
            self.refusals.note(do, keys, why)
        self.count[do + (": refused" if why else "")] += 1
        return result, why

    def change(self, do, owner, /, **keys):
        """@owner is a port that must be there, or not, as it is answered; None
        where that is not known. What is refused changes nothing."""
        if self.before is None and self.draw.often(3):
            self.before = self.ports_config()
        _, why = self.ask(do, **keys)
        if not why:
            self.before = None
        elif self.before is not None:
            equal(self.ports_config(), self.before,
                  f"{do} {keys} is refused ({why}) and changes something")
        if owner is not None:
            says_no = bool(why) and why[0] == f"there is no port {owner}"
            equal(says_no, owner not in self.ports, f"{do} of port {owner}")
        return why is None

    def ports_config(self):
        return self.control.get("config show").get("ports", [])

    def config_of(self, name):
        return next((port for port in self.ports_config()
                     if port["name"] == name), None)

    def learn_ports(self):
        found = {port["name"] for port in self.control.get("port show")}
        self.ports = found
        return found

    # Names: of ports, clients, both

    def port_name(self):
        if self.ports and not self.draw.often(6):
            return self.draw.choice(sorted(self.ports))
        return self.draw.choice(NAMES + ["nothing"])

    def client_name(self):
        live = [s.name for s in self.sessions if s.name and not s.is_over]
        gone = [name for name, _ in self.dead[-5:]]
        others = [f"{self.port_name()}/{self.draw.number(0, 3)}", "w0/99",
                  "w0/", "/", "w0/0/0"]
        kinds = [others] + ([live] * 4 if live else []) + (
            [gone] if gone else [])
        return self.draw.choice(self.draw.choice(kinds))

    def touch(self, name):
        if "/" not in name:
            name += "/0"
        self.touched[name] = self.now

    # Ports

    def port_add(self):
        port = self.draw.port(self.draw.choice(NAMES))
        was_there = port["name"] in self.ports
        is_done = self.change("port add", None, port=port)
        equal(is_done and was_there, False, f"{port} twice")
        equal(port["name"] in self.learn_ports(), is_done or was_there, port)

    def port_del(self):
        name = self.port_name()
        self.change("port del", name, port=name)
        self.learn_ports()

    def port_set(self):
        name = self.port_name()
        if name not in NAMES:
            return
        changes = self.draw.changes(name)
        self.change("port set", name, port=name, set=changes)

    def reload(self):
        names = self.draw.random.sample(NAMES, self.draw.number(2, 7))
        ports = [self.draw.port(name) for name in names]
        pins = [{"mac": mac, "port": self.draw.choice(names)}
                for mac in self.draw.random.sample(MACS, 3)]
        more = {"cpu": 0} if self.draw.often(4) else {}
        self.switch.write(ports, fdb=pins, **more)
        before = self.ports_config()
        _, why = self.ask("config reload")
        found = self.learn_ports()
        self.before = None
        if why and any(self.switch.file in text for text in why):
            equal(self.ports_config(), before, f"{why}, and a change")
        elif not why:
            equal(set(names) <= found, True, f"{names} in {found}")

    # Rules

    def filter_add(self):
        if self.draw.often(2):
            name = self.port_name()
            new = self.draw.filter()
            is_done = self.change("filter add", name, port=name, filter=new)
        else:
            name = self.client_name()
            self.touch(name)
            new = self.draw.filter(["receive_in", "receive_out"])
            is_done = self.change("filter add", None, port=name, filter=new)
        # A client may have gone meanwhile, or have replaced its filters.
        if is_done and "/" not in name and self.draw.often(4):
            self.has("filter show", {"port": name}, {
                key: new[key] for key in ("side", "name", "verdict")})

    def has(self, do, whose, new):
        rows, _ = self.ask(do, **whose)
        found = [row for row in rows
                 if all(row.get(key) == value for key, value in new.items())]
        equal(len(found), 1, f"{new} in {rows}")

    def filter_del(self):
        name = self.draw.choice([self.port_name(), self.client_name()])
        side = self.draw.choice(
            ["receive_in", "receive_out"] if "/" in name else ["in", "out"])
        self.change("filter del", None if "/" in name else name, port=name,
                    side=side, name=f"f{self.draw.number(0, 9)}")

    def limit_set(self):
        name = self.draw.choice([self.port_name(), self.client_name()])
        limit = self.draw.limit()
        self.touch(name)
        is_done = self.change("limit set", None if "/" in name else name,
                              owner=name, limit=limit)
        if is_done and "/" not in name and self.draw.often(4):
            self.has("limit show", {"owner": name}, {**limit, "owner": name})

    def limit_del(self):
        name = self.draw.choice([self.port_name(), self.client_name()])
        self.touch(name)
        self.change("limit del", None if "/" in name else name, owner=name,
                    side=self.draw.choice(["in", "out"]),
                    traffic=self.draw.choice(["all", "broadcast", "unknown"]))

    # Addresses

    def fdb_add(self):
        name = self.port_name()
        self.change("fdb add", name, port=name, mac=self.draw.choice(MACS))

    def fdb_del(self):
        self.change("fdb del", None, mac=self.draw.choice(MACS))

    def fdb_flush(self):
        if self.draw.often(2):
            self.change("fdb flush", None)
        else:
            name = self.port_name()
            self.change("fdb flush", name, port=name)

    # Clients

    def client_set(self):
        name = self.client_name()
        self.touch(name)
        verdict = lambda: self.draw.choice(["pass", "drop"])
        changes = {**self.draw.own(),
                   "accept": self.draw.choice(["all", "own"]),
                   "default_receive_in": verdict(),
                   "default_receive_out": verdict()}
        keys = self.draw.random.sample(sorted(changes), 2)
        self.change("client set", None, client=name,
                    changes={key: changes[key] for key in keys})

    def client_del(self):
        name = self.client_name()
        self.change("client del", None, client=name)

    def session_begin(self):
        if len(self.sessions) == SESSIONS_MAX:
            return
        self.sessions.append(Session(
            self.switch, self.draw.choice(VIFS), self.draw.number(1, 10 ** 6),
            self.now))

    def bury(self, session):
        self.sessions.remove(session)
        session.end()
        if session.name:
            self.dead.append((session.name, session.pid))

    def session_event(self):
        """One stalls, goes on, leaves, dies, sets filters."""
        if not self.sessions:
            return
        session = self.draw.choice(self.sessions)
        kind = self.draw.number(0, 9)
        self.count[["stalls", "stalls", "goes on", "goes on", "dies", "dies",
                    "leaves", "filters", "filters", "filters"][kind]] += 1
        if kind < 2:
            session.send_signal(signal.SIGSTOP)
        elif kind < 4:
            session.send_signal(signal.SIGCONT)
        elif kind < 6:
            session.send_signal(signal.SIGKILL)
            self.bury(session)
        elif kind < 7:
            self.bury(session)
        elif session.look().name:
            self.touch(session.name)
            session.tell("\n")

    def sessions_look(self):
        for session in [s for s in self.sessions if s.look().is_over]:
            self.bury(session)
        for session in [s for s in self.sessions if s.name and s.is_new]:
            session.is_new = False
            self.is_fresh(session)

    def is_fresh(self, session):
        """A client has nothing of the one that was called so before."""
        name = session.name
        if self.touched.get(name, -1) >= session.born:
            return
        rows, why = self.ask("filter show", port=name)
        limits, why_limits = self.ask("limit show", owner=name)
        clients, why_client = self.ask("client show", port=name)
        if why or why_limits or why_client:
            return
        if clients[0]["pid"] != session.pid:
            return
        port = self.config_of(name.split("/")[0])
        mine = [row for row in port.get("allow", [{}])
                if row.get("user", os.geteuid()) == os.geteuid()][0]
        equal([row.get("name") for row in rows], [None, None],
              f"{name} is new: {rows}")
        equal({(row["side"], row["traffic"]) for row in limits},
              {(row["side"], row.get("traffic", "all"))
               for row in mine.get("limits", [])},
              f"{name} is new: {limits}, {mine}")
        weight = mine.get("weight", port.get("weight", 1))
        equal([clients[0]["weight"], clients[0]["accept"]],
              [weight, mine.get("accept", "all")], f"{name} is new")
        self.count["new ones looked at"] += 1

    def identity(self):
        """A name is the process that it was given to, as long as that is
        there, and never afterwards."""
        live = [s for s in self.sessions if s.look().name and not s.is_over]
        if live:
            session = self.draw.choice(live)
            rows, _ = self.ask("client show", port=session.name)
            if not rows or rows[0]["pid"] != session.pid:
                session.send_signal(signal.SIGCONT)
                once_it_is(lambda: session.look().is_over, True,
                           f"{session.name} of {session.pid}: {rows}")
        for name, pid in self.dead[-20:]:
            once_it_is(lambda: self.is_called(name, pid), False,
                       f"{name} of {pid}, which has gone")
        del self.dead[:-20]

    def is_called(self, name, pid):
        rows, _ = self.ask("client show", port=name)
        return bool(rows) and rows[0]["pid"] == pid

    # Others

    def capture(self):
        if len(self.captures) == CAPTURES_MAX:
            return
        capture = Control(self.switch.path)
        some = {"expr": self.draw.choice(EXPRESSIONS)}
        if self.draw.often(2):
            some["snaplen"] = self.draw.number(1, 200)
        name = self.port_name()
        _, why = capture.ask("capture", port=name, **some)
        if why:
            self.refusals.note("capture", name, why)
            equal(name in self.ports, False, f"{name}: {why}")
            capture.close()
        else:
            self.captures.append(capture)
            self.count["capture"] += 1

    def capture_drop(self):
        if not self.captures:
            return
        capture = self.captures.pop(self.draw.number(0, len(self.captures) - 1))
        capture.socket.setblocking(False)
        with contextlib.suppress(OSError):
            for _ in range(self.draw.number(0, 20)):
                capture.socket.recv(1 << 16)
        capture.close()

    def rubbish(self):
        """Somebody who is no client at all."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s, \
                contextlib.suppress(OSError):
            s.setblocking(False)
            s.connect(self.switch.path + ".attach")
            for _ in range(self.draw.number(0, 3)):
                s.send(self.draw.random.randbytes(self.draw.number(1, 300)))

    def interface(self):
        """Somebody else's hands on a TAP."""
        name, host = self.draw.choice(TAPS), self.draw.choice(HOSTS)
        what = self.draw.choice([["set", name, "down"], ["set", name, "up"],
                                 ["set", name, "mtu", "1400"],
                                 ["set", name, "nomaster"],
                                 ["del", name]])
        subprocess.run(["ip", "-n", host, "link", *what], check=False,
                       stderr=subprocess.DEVNULL)

    def loop(self):
        """Two that are guarded, and a bridge behind them."""
        host = self.draw.choice(HOSTS)
        for name in self.draw.random.sample(TAPS, 2):
            self.change("port set", name, port=name, set={
                "netns": host, "loop_guard": True, "default_in": "pass",
                "default_out": "pass"})
            subprocess.run(["ip", "-n", host, "link", "set", name, "master",
                            "br0"], check=False, stderr=subprocess.DEVNULL)

    STEPS = [
        (port_add, 8), (port_del, 3), (port_set, 10), (reload, 1),
        (filter_add, 12), (filter_del, 8), (limit_set, 8), (limit_del, 6),
        (fdb_add, 4), (fdb_del, 2), (fdb_flush, 2), (client_set, 6),
        (client_del, 2), (session_begin, 8), (session_event, 8),
        (sessions_look, 8), (identity, 4), (capture, 3), (capture_drop, 3),
        (rubbish, 1), (interface, 1), (loop, 1),
    ]

    def run(self, seconds, watchers):
        steps = [step for step, weight in self.STEPS for _ in range(weight)]
        self.begin_traffic()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.now += 1
            self.draw.choice(steps)(self)
            for watcher in watchers:
                if watcher.failure:
                    raise watcher.failure
            equal(self.switch.is_running(), True, "vnet-switch")

    def begin_traffic(self):
        for i, host in enumerate(HOSTS):
            prefix = "v" if i == 0 else "t"
            self.traffic.append(Process(
                self.switch, "host", prefix, self.draw.number(1, 10 ** 6),
                host=host))
        self.traffic.append(Process(self.switch, "host", "t", 7, host="a"))
        for name in STREAMS:
            self.traffic.append(Process(
                self.switch, "stream", os.path.join(WORK, name),
                self.draw.number(1, 10 ** 6)))

    # The end

    def take_down(self):
        """Under traffic still; then that ends, too."""
        self.switch.write([])
        self.control.get("config reload")
        for name in sorted(self.learn_ports()):
            self.control.get("port del", port=name)
        self.ports = set()
        for session in self.sessions:
            session.send_signal(signal.SIGCONT)
            once_it_is(lambda: session.look().is_over, True, session.name)
        for session in list(self.sessions):
            self.bury(session)
        for process in self.traffic:
            process.end()
        self.traffic = []
        while self.captures:
            self.capture_drop()
        self.before = None

    def nothing_is_left(self):
        control = self.control
        for what in "port show", "client show", "filter show", "limit show":
            equal(control.get(what), [], what)
        once_it_is(lambda: control.get("fdb show"), [], "addresses")
        once_it_is(lambda: control.get("stats")["totals"]["fdb"]["entries"],
                   0, "entries")
        stats = control.get("stats")
        check_sums(stats)
        equal(stats["totals"]["queue"]["frames"], 0, "what waits")
        equal(stats["totals"]["pool"]["used"], 0, "the pool")
        equal("ports" in control.get("config show"), False, "config show")
        for host in HOSTS:
            found = subprocess.run(
                ["ip", "-n", host, "-o", "link"], check=True,
                stdout=subprocess.PIPE, text=True).stdout
            equal(re.findall(r": (t\d)[:@]", found), [], "interfaces")
        self.all_that_there_may_be()
        return stats

    def all_that_there_may_be(self):
        """Of nothing is there less than at the beginning."""
        control = self.control
        path = os.path.join(WORK, "s")
        for i in range(BOUNDS["max_ports"]):
            control.get("port add", port={
                "type": "stream", "name": f"p{i}", "path": f"{path}{i}"})
        for i in range(BOUNDS["max_rules"]):
            control.get("filter add", port="p0", filter={
                "name": f"f{i}", "side": "in", "verdict": "drop"})
        _, why = control.ask("filter add", port="p1", filter={
            "name": "f", "side": "in", "verdict": "drop"})
        equal(bool(why), True, "a rule more than there may be")
        for i in range(BOUNDS["max_ports"]):
            control.get("port del", port=f"p{i}")
        n = BOUNDS["max_clients"]
        control.get("port add", port={"type": "attach", "name": "w0",
                                      "max_clients": n})
        holder = subprocess.Popen(
            [ATTACH_CLIENT, self.switch.path + ".attach", "-", "hold", str(n)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=self.switch.environment)
        equal(holder.stdout.readline(), "done\n", "all the clients")
        equal(len(control.get("client show")), n, "clients")
        holder.communicate(timeout=PATIENCE)
        once_it_is(lambda: control.get("client show"), [], "clients")
        control.get("port del", port="w0")


def files():
    return sorted(name for name in os.listdir(WORK) if name != "traffic")


def run():
    print(f"seed {SEED}, {SECONDS:g} s", flush=True)
    switch = Switch()
    refusals = Refusals()
    driver = Driver(switch, refusals, Draw(SEED))
    left = []
    try:
        driver.learn_ports()
        descriptors, there = switch.descriptors(), files()
        for turn in range(TURNS):
            watchers = [Shower(switch, refusals, SEED + turn),
                        Monitor(switch)]
            for watcher in watchers:
                watcher.start()
            driver.run(SECONDS / TURNS, watchers)
            driver.take_down()
            watchers[0].stop.set()
            watchers[0].join()
            watchers[1].close()
            for watcher in watchers:
                if watcher.failure:
                    raise watcher.failure
            stats = driver.nothing_is_left()
            once_it_is(switch.descriptors, descriptors, "descriptors")
            equal(files(), there, "files")
            left.append(switch.memory_kib())
        driver.control.close()
        switch.end()
        equal(os.path.exists(switch.path), False, "the control socket")
    except BaseException:
        print(switch.said())
        raise
    for what in driver.count, refusals.count, watchers[1].seen:
        print("\n".join(f"{n:8} {key}" for key, n in sorted(what.items())))
    totals = stats["totals"]
    print(f"{totals['in']['frames']} frames in, "
          f"{totals['out']['delivered']['frames']} delivered, "
          f"{watchers[0].count} shown, memory {left} KiB")
    for side in "in", "out":
        print(side, {k: n for k, n in totals["drops"][side].items() if n})
    equal(totals["out"]["delivered"]["frames"] > 1000, True, "traffic")
    # What has been freed may still be there.
    equal(left[-1] - left[0] < 32768, True, f"memory: {left} KiB")


run()
