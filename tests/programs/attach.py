#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""attach.py VNET_SWITCH ATTACH_CLIENT: programs attach to ports of vnet-switch,
good ones and others, and each gets what its row of "allow" says.

Beside them is a port of type stream, at which this test itself is the host.
"""
import contextlib
import json
import os
import queue
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

VNET_SWITCH = os.path.abspath(sys.argv[1])
WORK = tempfile.mkdtemp(prefix="vnet-attach-")
os.chmod(WORK, 0o755)
# Where every user can run it.
CLIENT = shutil.copy(sys.argv[2], WORK)
os.chmod(CLIENT, 0o755)
PATIENCE = 30
NOBODY = 65534
BROADCAST = "ff" * 6
HOST = "020000000099"
IS_ROOT = os.geteuid() == 0
ENVIRONMENT = dict(os.environ)
ENVIRONMENT["ASAN_OPTIONS"] = ":".join(
    [ENVIRONMENT.get("ASAN_OPTIONS", ""), "quarantine_size_mb=1"]
).strip(":")


def eventually(what, expected=True):
    """Until it is so; what it is in the end."""
    end = time.monotonic() + PATIENCE
    while True:
        found = what()
        if found == expected or time.monotonic() > end:
            return found
        time.sleep(0.01)


def equal(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what}: found {found!r}, expected {expected!r}")


def frame(destination, source, text, length=60):
    """In hex, of an experimental EtherType."""
    octets = bytes.fromhex(destination + source + "88b5") + text.encode()
    return octets.ljust(length, b"\0").hex()


def text_of(octets):
    return bytes.fromhex(octets)[14:].rstrip(b"\0").decode(errors="replace")


class Control:
    """A connection to the control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def ask(self, do, **keys):
        self.socket.sendall(json.dumps({"do": do, **keys}).encode() + b"\n")
        whole = None
        while True:
            answer = json.loads(self.file.readline())
            if not answer["ok"]:
                return answer
            piece = answer.get("result")
            whole = piece if whole is None else whole + piece
            if not answer.get("more"):
                return {**answer, "result": whole}

    def get(self, do, **keys):
        answer = self.ask(do, **keys)
        equal(answer.get("error"), None, do)
        return answer["result"]

    def refuses(self, error, do, **keys):
        answer = self.ask(do, **keys)
        if error not in answer.get("error", ""):
            raise AssertionError(f"{do}: found {answer}, expected {error!r}")


class Switch:
    """vnet-switch with a configuration."""

    def __init__(self, ports, **more):
        self.config = {"switch": {"max_clients": 400}, "ports": ports}
        self.config.update(more)
        self.path = os.path.join(WORK, "control")
        self.attach = self.path + ".attach"
        self.file = os.path.join(WORK, "conf")
        self.log = open(os.path.join(WORK, "log"), "w+")
        self.write()
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [VNET_SWITCH, "-c", self.file, "--socket", self.path,
             "--ready-fd", str(write)],
            pass_fds=[write], stderr=self.log, env=ENVIRONMENT,
        )
        os.close(write)
        with os.fdopen(read) as ready:
            if ready.readline() != "ready\n":
                raise AssertionError("no start: " + self.said())
        self.control = Control(self.path)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def write(self):
        with open(self.file, "w") as conf:
            for key, value in self.config.items():
                conf.write(f"{key} = {libconfig(value)};\n")

    def reload(self):
        self.write()
        self.control.get("config reload")

    def port(self, name):
        return next(p for p in self.config["ports"] if p["name"] == name)

    def clients(self, port=None):
        keys = {"port": port} if port else {}
        return [c["client"] for c in self.control.get("client show", **keys)]

    def stats(self, port):
        stats = self.control.get("stats", port=port)
        equal(stats["balanced"], True, "the sums")
        return stats["ports"][0]

    def descriptors(self):
        # What the thread that controls was at is done then.
        self.control.get("show")
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS"):
                    return int(line.split()[1])

    def spare_kib(self):
        """What memory may grow by; a sanitizer keeps what is freed."""
        with open(f"/proc/{self.process.pid}/maps") as maps:
            return 32768 if "san.so" in maps.read() else 2048

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.said())
        self.control.socket.close()
        self.process.terminate()
        equal(self.process.wait(PATIENCE), 0, self.said())
        equal(os.path.exists(self.attach), False, "its socket is left")


def libconfig(value):
    if isinstance(value, dict):
        inner = " ".join(f"{k} = {libconfig(v)};" for k, v in value.items())
        return "{ " + inner + " }"
    if isinstance(value, list):
        return "( " + ", ".join(libconfig(v) for v in value) + " )"
    return json.dumps(value)


class Lines:
    """What a process says, line by line."""

    def __init__(self, process):
        self.process = process
        self.queue = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.queue.put(line.rstrip("\n"))
        self.queue.put(None)

    def next(self):
        return self.queue.get(timeout=PATIENCE)


def run_client(path, vif, *arguments, who=None):
    user = {}
    if who is not None:
        user = {"user": who[0], "group": who[1], "extra_groups": who[2:]}
    return subprocess.Popen(
        [CLIENT, path, vif, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=ENVIRONMENT, cwd=WORK, **user,
    )


class Client:
    """attach_client PATH VIF talk"""

    def __init__(self, path, vif="-", who=None):
        self.process = run_client(path, vif, "talk", who=who)
        self.lines = Lines(self.process)
        self.got = []
        first = self.lines.next().split(" ")
        if first[0] == "is":
            _, self.vif, index, mac, mtu = first
            self.index, self.mtu = int(index), int(mtu)
            self.mac = mac.replace(":", "")
            self.error = None
        else:
            self.error = " ".join(first)
            self.end()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self):
        """What it says beside frames, which are noted."""
        while True:
            line = self.lines.next()
            if line is None or not line.startswith("got "):
                return line
            self.got.append(text_of(line[4:]))

    def ask(self, line):
        self.tell(line)
        return self.hear()

    def send(self, octets):
        equal(self.ask("send " + octets), "done", "send")

    def hears(self, last):
        """All frames up to this one."""
        while last not in self.got:
            line = self.lines.next()
            if line is None or not line.startswith("got "):
                raise AssertionError(f"said {line!r}, expected {last!r}")
            self.got.append(text_of(line[4:]))
        got, self.got = self.got, []
        return got

    def ends(self):
        """The switch ends it."""
        equal(self.hear(), "end")
        self.end()

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.end()

    def __enter__(self):
        equal(self.error, None, "attach")
        return self

    def __exit__(self, *_):
        self.end()


class Host:
    """The peer of the stream port, in QEMU's framing."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)

    def send(self, octets):
        data = bytes.fromhex(octets)
        self.socket.sendall(struct.pack(">I", len(data)) + data)

    def read(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise AssertionError("the switch has hung up")
            data += piece
        return data

    def hears(self, last):
        got = []
        while last not in got:
            (n,) = struct.unpack(">I", self.read(4))
            got.append(text_of(self.read(n).hex()))
        return got

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


OUT = {"type": "stream", "name": "out", "path": os.path.join(WORK, "out")}


def web(**more):
    return {"type": "attach", "name": "web", **more}


def host_at(switch):
    """When the switch has taken it: it is heard there."""
    host = Host(OUT["path"])
    equal(eventually(lambda: switch.clients("out"), ["out/0"]), ["out/0"])
    return host


def two_clients_share_an_address_and_hear_each_other():
    with Switch([web(mtu=1400), OUT]) as switch, host_at(switch) as host:
        with Client(switch.attach) as a, Client(switch.attach, "web") as b:
            equal([a.vif, a.index, b.index, a.mtu], ["web", 0, 1, 1400])
            equal(a.mac, b.mac)
            shown = switch.control.get("port show", port="web")[0]
            equal(shown["mac"].replace(":", ""), a.mac)
            equal([shown["clients"], shown["link"]], [2, "up"])
            equal(shown["path"], switch.attach)
            equal(os.stat(switch.attach).st_mode & 0o777, 0o666)

            host.send(frame(BROADCAST, HOST, "hello"))
            equal(a.hears("hello"), ["hello"])
            equal(b.hears("hello"), ["hello"])
            a.send(frame(HOST, a.mac, "for the host"))
            a.send(frame(a.mac, a.mac, "for the address"))
            a.send(frame(BROADCAST, a.mac, "for all"))
            equal(host.hears("for all"), ["for the host", "for all"])
            equal(b.hears("for all"), ["for the address", "for all"])
            host.send(frame(a.mac, HOST, "answer"))
            host.send(frame(BROADCAST, HOST, "last"))
            equal(b.hears("last")[-1], "last")
            equal(a.hears("last")[-1], "last")

            stats = switch.stats("web")
            equal([c["client"] for c in stats["clients"]], ["web/0", "web/1"])
            equal(stats["clients"][0]["in"]["frames"], 3)
            equal(stats["in"]["frames"], 3)
            out = sum(c["out"]["frames"] for c in stats["clients"])
            equal(stats["out"]["frames"], out)
        equal(eventually(lambda: switch.clients("web"), []), [])
        stats = switch.stats("web")
        equal([stats["in"]["frames"], stats["clients"]], [3, []])
        equal(stats["out"]["frames"], out)
        equal(switch.control.get("port show", port="web")[0]["link"], "up")


def clients_can_have_addresses_of_their_own():
    port = web(addresses="per-client", mac="02:00:00:00:00:01")
    with Switch([port, OUT]) as switch, host_at(switch) as host:
        with Client(switch.attach) as a, Client(switch.attach) as b:
            equal(a.mac == b.mac, False)
            rows = switch.control.get("client show", port="web")
            equal([r["mac"].replace(":", "") for r in rows], [a.mac, b.mac])
            a.send(frame(BROADCAST, a.mac, "from a"))
            b.send(frame(BROADCAST, b.mac, "from b"))
            host.hears("from b")
            a.hears("from b")
            b.hears("from a")
            host.send(frame(a.mac, HOST, "for a"))
            host.send(frame(b.mac, HOST, "for b"))
            host.send(frame(BROADCAST, HOST, "for both"))
            equal(a.hears("for both"), ["for a", "for both"])
            equal(b.hears("for both"), ["for b", "for both"])
            a.send(frame(b.mac, a.mac, "for b alone"))
            equal(b.hears("for b alone"), ["for b alone"])
            where = {
                r["mac"].replace(":", ""): r.get("client")
                for r in switch.control.get("fdb show")
            }
            equal([where[a.mac], where[b.mac]], ["web/0", "web/1"])


def siblings_can_be_kept_apart_while_they_are_there():
    with Switch([web(siblings=False), OUT]) as switch:
        with host_at(switch) as host, Client(switch.attach) as a, \
                Client(switch.attach) as b:
            a.send(frame(BROADCAST, a.mac, "apart"))
            host.hears("apart")
            switch.port("web")["siblings"] = True
            switch.reload()
            a.send(frame(BROADCAST, a.mac, "together"))
            equal(b.hears("together"), ["together"])


# Instructions: ret #1; and the first octet of the destination is 0xff.
ALL = "6,0,0,1"
IS_BROADCAST = "48,0,0,0;21,0,1,255;6,0,0,1;6,0,0,0"


def a_session_has_filters_of_its_own():
    with Switch([web(), OUT]) as switch, host_at(switch) as host:
        control = switch.control
        with Client(switch.attach) as a, Client(switch.attach) as b:
            equal(a.ask(f"filter in drop pass {IS_BROADCAST}"), "done")
            host.send(frame(a.mac, HOST, "to the address"))
            host.send(frame(BROADCAST, HOST, "to all"))
            equal(a.hears("to all"), ["to all"])
            equal(b.hears("to all"), ["to the address", "to all"])
            rows = control.get("filter show", port="web/0")
            equal([r.get("name") for r in rows], ["rule0", None, None])
            equal([rows[0]["insns"], rows[0]["port"]], [4, "web/0"])
            equal(rows[1]["verdict"], "drop")

            equal(b.ask("filter out pass"), "done")
            b.send(frame(BROADCAST, b.mac, "to itself"))
            equal(b.hears("to itself"), ["to itself"])
            a.hears("to itself")

            # One that is refused changes nothing.
            said = b.ask("filter in pass drop 99,0,0,0")
            equal(said.startswith("failed "), True, said)
            equal("opcode" in said, True, said)
            said = a.ask("filter in pass" + f" drop {ALL}" * 17)
            equal("rules than a client may" in said, True, said)
            said = a.ask("filter in pass drop " + ";".join([ALL] * 257))
            equal("instructions than a client may" in said, True, said)
            equal(a.ask("filter out drop" + f" drop {ALL}" * 15), "done")
            said = a.ask("filter in pass" + f" drop {ALL}" * 2)
            equal("rules than a client may" in said, True, said)
            host.send(frame(a.mac, HOST, "to the address"))
            host.send(frame(BROADCAST, HOST, "again"))
            equal(a.hears("again"), ["again"])

            control.get("filter add", port="web/1", filter={
                "name": "quiet", "side": "receive_in", "verdict": "drop",
                "expr": "ether broadcast"})
            host.send(frame(BROADCAST, HOST, "not for b"))
            host.send(frame(b.mac, HOST, "for b"))
            equal("not for b" in b.hears("for b"), False)
            rows = control.get("filter show", port="web/1")
            equal([rows[0]["name"], rows[0]["expr"], rows[0]["side"]],
                  ["quiet", "ether broadcast", "receive_in"])
            control.refuses("receive_in", "filter add", port="web/1", filter={
                "name": "x", "side": "in", "verdict": "drop"})
            control.refuses("several clients", "filter add", port="web",
                            filter={"name": "x", "side": "receive_in",
                                    "verdict": "drop"})
            control.refuses("no client web/7", "filter show", port="web/7")
            control.get("filter del", port="web/1", side="receive_in",
                        name="quiet")
            equal("filters" in control.get("config show")["ports"][0], False)


def sessions_have_half_of_the_room_for_filters():
    bounds = {"max_clients": 10, "max_rules": 20, "max_insns": 400}
    with Switch([web()], switch=bounds) as switch:
        with Client(switch.attach) as a, Client(switch.attach) as b:
            equal(a.ask("filter in pass" + f" drop {ALL}" * 8), "done")
            equal(b.ask("filter in pass" + f" drop {ALL}" * 2), "done")
            said = b.ask("filter in pass" + f" drop {ALL}" * 3)
            equal("rules than all sessions" in said, True, said)
            said = b.ask("filter in pass drop " + ";".join([ALL] * 200))
            equal("instructions than all sessions" in said, True, said)
            # The rest is for others.
            for i in range(10):
                switch.control.get("filter add", port="web", filter={
                    "name": f"own{i}", "side": "in", "verdict": "drop",
                    "expr": ""})
            # What one no longer has another may.
            equal(a.ask("filter in pass"), "done")
            equal(b.ask("filter in pass" + f" drop {ALL}" * 9), "done")
        with Client(switch.attach) as c:
            equal(c.ask("filter out drop" + f" pass {ALL}" * 10), "done")


def rows_say_who_may_and_with_what():
    if not IS_ROOT:
        return
    allow = [
        {"user": "nobody", "group": 4711, "weight": 3},
        {"user": "nobody", "max_clients": 1, "queue_octets": 65536,
         "max_addresses": 2, "accept": "own"},
        {"group": 4712},
    ]
    ports = [web(allow=allow, weight=2, max_clients=4), OUT,
             {"type": "attach", "name": "own"}]
    with Switch(ports) as switch:
        path = switch.attach
        said = Client(path).error
        equal("several vifs" in said, True, said)
        said = Client(path, "nowhere").error
        equal("no such vif" in said, True, said)
        said = Client(path, "web").error
        equal("may not attach" in said, True, said)
        said = Client(path, "own", (NOBODY, NOBODY)).error
        equal("may not attach" in said, True, said)
        said = Client(path, "web", (1, 1, 4711)).error
        equal("may not attach" in said, True, said)
        with Client(path, "own"), \
                Client(path, "web", (NOBODY, NOBODY)) as a, \
                Client(path, "web", (NOBODY, 4711)), \
                Client(path, "web", (NOBODY, 1, 4711)), \
                Client(path, "web", (1, 1, 4712)):
            said = Client(path, "web", (NOBODY, NOBODY)).error
            equal("as many clients" in said, True, said)
            said = Client(path, "web", (1, 4712)).error
            equal("as many clients as there may be" in said, True, said)
            rows = switch.control.get("client show", port="web")
            found = [(r["client"], r["uid"], r["weight"], r["accept"],
                      r["max_addresses"]) for r in rows]
            equal(found, [("web/0", NOBODY, 2, "own", 2),
                          ("web/1", NOBODY, 3, "all", 0),
                          ("web/2", NOBODY, 3, "all", 0),
                          ("web/3", 1, 2, "all", 0)])
            equal([rows[0]["queue_octets"], rows[0]["gid"], rows[0]["pid"]],
                  [65536, NOBODY, a.process.pid])


def nobody_gets_in_where_the_list_is_empty():
    with Switch([web(allow=[])]) as switch:
        said = Client(switch.attach).error
        equal("may not attach" in said, True, said)
        switch.control.get("port set", port="web", set={"allow": None})
        with Client(switch.attach):
            pass


def a_reload_ends_who_may_no_more_and_gives_others_their_row():
    me = os.geteuid()
    with Switch([web(allow=[{"user": me}, {"weight": 2}])]) as switch:
        path = switch.attach
        port = switch.port("web")
        other = (NOBODY, NOBODY) if IS_ROOT else None
        with Client(path) as a, Client(path, who=other) as b:
            control = switch.control
            control.get("client set", client="web/0",
                        changes={"weight": 7, "accept": "own"})
            rows = control.get("client show", port="web/0")
            equal([rows[0]["weight"], rows[0]["accept"]], [7, "own"])
            control.refuses("queue_octets", "client set", client="web/0",
                            changes={"queue_octets": 1 << 29})
            control.refuses("weight", "client set", client="web/0",
                            changes={"weight": 0})

            # What is said of others leaves it alone.
            port["allow"] = [{"user": me}, {"weight": 5}]
            switch.reload()
            weights = [r["weight"] for r in control.get("client show")]
            equal(weights, [7, 5 if IS_ROOT else 1])
            port["allow"] = [{"user": me, "weight": 4, "limits": [
                {"side": "in", "traffic": "broadcast", "frames_per_s": 1,
                 "burst_frames": 1}]}]
            switch.reload()
            if IS_ROOT:
                b.ends()
            rows = control.get("client show", port="web/0")
            equal([rows[0]["weight"], rows[0]["accept"]], [4, "all"])
            for _ in range(20):
                a.send(frame(BROADCAST, a.mac, "storm"))
            drops = lambda: switch.stats("web")["clients"][0]["drops"]["in"]
            equal(eventually(lambda: drops()["storm"] > 10), True, drops())

            # A file with an error changes nothing.
            port["allow"] = [{"user": "no-such-user"}]
            switch.write()
            control.refuses("allow[0].user", "config reload")
            control.refuses(f"{switch.file}:", "config reload")
            equal(switch.clients("web")[0], "web/0")

            control.get("port set", port="web", set={"allow": []})
            a.ends()
        equal(switch.clients("web"), [])


def of_too_many_the_last_go():
    with Switch([web()]) as switch, Client(switch.attach) as a, \
            Client(switch.attach) as b, Client(switch.attach) as c:
        switch.control.get("port set", port="web", set={"max_clients": 1})
        b.ends()
        c.ends()
        equal(switch.clients("web"), ["web/0"])
        switch.control.get("port set", port="web", set={"mtu": 1000})
        equal(a.mtu, 1500)
        said = Client(switch.attach).error
        equal("as many clients" in said, True, said)
        # A change that takes another port ends them all.
        switch.control.get("port set", port="web",
                           set={"addresses": "per-client", "max_clients": 3})
        a.ends()
        with Client(switch.attach) as a, Client(switch.attach) as b:
            equal(a.mac == b.mac, False)
            equal(a.mtu, 1000)


def a_session_can_be_ended():
    with Switch([web(), OUT]) as switch, host_at(switch):
        with Client(switch.attach) as a, Client(switch.attach) as b:
            switch.control.get("client del", client="web/0")
            a.ends()
            equal(switch.clients("web"), ["web/1"])
            switch.control.refuses("no client web/0", "client del",
                                   client="web/0")
            switch.control.refuses("port's own", "client del", client="out")
            switch.control.refuses("port's own", "client set",
                                   client="out/0", changes={"weight": 2})
            with Client(switch.attach) as c:
                equal([b.index, c.index], [1, 0])
            switch.control.get("port del", port="web")
            b.ends()


def a_path_is_shared_and_goes_with_the_last_port():
    path = os.path.join(WORK, "shared")
    ports = [web(path=path), {"type": "attach", "name": "db", "path": path}]
    with Switch(ports) as switch:
        control = switch.control
        with Client(path, "web") as a, Client(path, "db") as b:
            equal([a.vif, b.vif], ["web", "db"])
            control.refuses("has its path", "port add", port={
                "type": "stream", "name": "s", "path": path})
            control.get("port del", port="db")
            b.ends()
            equal(os.path.exists(path), True)
            with Client(path) as c:
                equal(c.vif, "web")
            # Somebody's own file is not ours to remove.
            os.rename(path, path + ".away")
            open(path, "w").close()
            control.get("port del", port="web")
            a.ends()
        equal(os.path.isfile(path), True)
        os.unlink(path)
        os.unlink(path + ".away")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
            other.bind(path)
            other.listen()
            control.refuses("somebody listens", "port add",
                            port=web(path=path))
        control.get("port add", port=web(path=path))
        with Client(path):
            pass
    equal(os.path.exists(path), False)


def a_pinned_address_is_its_first_clients():
    pinned = "020000000007"
    fdb = [{"mac": "02:00:00:00:00:07", "port": "web"}]
    with Switch([web(), OUT], fdb=fdb) as switch, host_at(switch) as host:
        with Client(switch.attach) as a, Client(switch.attach) as b:
            host.send(frame(pinned, HOST, "one"))
            host.send(frame(BROADCAST, HOST, "two"))
            equal(a.hears("two"), ["one", "two"])
            equal(b.hears("two"), ["two"])
            a.kill()
            equal(eventually(lambda: switch.clients("web"), ["web/1"]),
                  ["web/1"])
            host.send(frame(pinned, HOST, "three"))
            equal(b.hears("three"), ["three"])


def captures_and_monitors_hear_clients():
    with Switch([web(), OUT]) as switch, host_at(switch):
        capture, monitor = Control(switch.path), Control(switch.path)
        for asked, request in (capture, {"do": "capture", "port": "web"}), \
                (monitor, {"do": "monitor"}):
            asked.socket.sendall(json.dumps(request).encode() + b"\n")
            equal(json.loads(asked.file.readline())["ok"], True)
        with Client(switch.attach) as a, Client(switch.attach) as b:
            a.send(frame(BROADCAST, a.mac, "first of a"))
            b.send(frame(BROADCAST, b.mac, "second of b"))
            a.hears("second of b")
            b.hears("first of a")
        heard = b""
        while heard.count(b"first of a") < 2 or \
                heard.count(b"second of b") < 2:
            heard += capture.file.read1(65536)
        seen = []
        while "web/1 client_removed" not in seen:
            event = json.loads(monitor.file.readline())
            if event.get("port") == "web":
                seen.append(f"{event.get('client')} {event['event']}")
        for event in "web/0 client_added", "web/1 client_added":
            equal(event in seen, True, f"{event} in {seen}")
        capture.socket.close()
        monitor.socket.close()


def one_that_stops_costs_the_others_nothing():
    with Switch([web(), OUT]) as switch, host_at(switch) as host:
        with Client(switch.attach) as a, Client(switch.attach) as b:
            before = switch.memory_kib()
            os.kill(b.process.pid, signal.SIGSTOP)
            big = frame(BROADCAST, HOST, "flood", 1500)
            for i in range(2000):
                host.send(big)
                if i % 50 == 0:
                    host.send(frame(BROADCAST, HOST, f"turn {i}"))
                    a.hears(f"turn {i}")
            stats = switch.stats("web")["clients"]
            equal(stats[0]["out"]["dropped"]["frames"], 0)
            equal(stats[1]["drops"]["out"]["queue_full"] > 1000, True, stats)
            queued = stats[1]["queue"]["memory"]
            equal(0 < queued <= 262144, True, queued)
            grown = switch.memory_kib() - before
            equal(grown < switch.spare_kib(), True, f"{grown} KiB")
            # It wakes up, reads what is left, and is there as before.
            os.kill(b.process.pid, signal.SIGCONT)
            host.send(frame(BROADCAST, HOST, "end"))
            a.hears("end")
            equal(eventually(lambda: switch.stats("web")["clients"][1]
                             ["queue"]["frames"], 0), 0)
            host.send(frame(BROADCAST, HOST, "awake"))
            equal(b.hears("awake")[-1], "awake")
            os.kill(b.process.pid, signal.SIGSTOP)
            b.process.kill()
            equal(eventually(lambda: switch.clients("web"), ["web/0"]),
                  ["web/0"])


def those_that_die_leave_nothing_behind():
    with Switch([web(max_clients=300), OUT]) as switch:
        with host_at(switch) as host, Client(switch.attach) as a:
            descriptors = switch.descriptors()
            for _ in range(10):
                with Client(switch.attach) as b:
                    b.send(frame(BROADCAST, b.mac, "alive"))
                    a.hears("alive")
                    b.kill()
            clients = [run_client(switch.attach, "-", "hold", 20)
                       for _ in range(10)]
            for client in clients:
                equal(client.stdout.readline(), "done\n")
            equal(len(switch.clients("web")), 201)
            host.send(frame(BROADCAST, HOST, "to 201"))
            equal(a.hears("to 201"), ["to 201"])
            for client in clients[:5]:
                client.kill()
            for client in clients:
                client.stdin.close()
                client.wait(PATIENCE)
                client.stdout.close()
            equal(eventually(lambda: switch.clients("web"), ["web/0"]),
                  ["web/0"])
            equal(eventually(switch.descriptors, descriptors), descriptors)
            out = switch.stats("web")["out"]["frames"]
            equal(out >= 201, True, out)


def a_thousand_come_and_go():
    with Switch([web(), OUT]) as switch, host_at(switch), \
            Client(switch.attach) as a:
        def go(n):
            client = run_client(switch.attach, "web", "churn", n)
            equal(client.communicate(timeout=60)[0], "done\n")
            equal(eventually(lambda: switch.clients("web"), ["web/0"]),
                  ["web/0"])

        go(100)
        descriptors, memory = switch.descriptors(), switch.memory_kib()
        go(1000)
        equal(switch.descriptors(), descriptors)
        grown = switch.memory_kib() - memory
        equal(grown < switch.spare_kib(), True, f"{grown} KiB")
        equal(switch.stats("web")["in"]["frames"] > 0, True)
        a.send(frame(BROADCAST, a.mac, "still there"))


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(path)
    s.settimeout(PATIENCE)
    return s


def rubbish_and_silence_do_no_harm():
    source = random.Random(1)
    with Switch([web(), OUT]) as switch, host_at(switch), \
            Client(switch.attach) as a:
        descriptors = switch.descriptors()
        for length in list(range(0, 80)) + [4096, 65536]:
            with connect(switch.attach) as s:
                with contextlib.suppress(OSError):
                    for _ in range(3):
                        s.send(source.randbytes(length))
                    s.recv(4096)
        # Nobody who says nothing keeps others out, or stays for ever.
        silent = []
        for _ in range(100):
            s = connect(switch.attach)
            silent.append(s)
        with Client(switch.attach) as b:
            b.send(frame(BROADCAST, b.mac, "through"))
            a.hears("through")
        begin = time.monotonic()
        for s in silent:
            with contextlib.suppress(OSError):
                equal(s.recv(100), b"")
            s.close()
        equal(time.monotonic() - begin < 15, True)
        equal(eventually(switch.descriptors, descriptors), descriptors)
        equal(switch.clients("web"), ["web/0"])


TESTS = [
    two_clients_share_an_address_and_hear_each_other,
    clients_can_have_addresses_of_their_own,
    siblings_can_be_kept_apart_while_they_are_there,
    a_session_has_filters_of_its_own,
    sessions_have_half_of_the_room_for_filters,
    rows_say_who_may_and_with_what,
    nobody_gets_in_where_the_list_is_empty,
    a_reload_ends_who_may_no_more_and_gives_others_their_row,
    of_too_many_the_last_go,
    a_session_can_be_ended,
    a_path_is_shared_and_goes_with_the_last_port,
    a_pinned_address_is_its_first_clients,
    captures_and_monitors_hear_clients,
    one_that_stops_costs_the_others_nothing,
    those_that_die_leave_nothing_behind,
    a_thousand_come_and_go,
    rubbish_and_silence_do_no_harm,
]


def main():
    try:
        for test in TESTS:
            if sys.argv[3:] and test.__name__ not in sys.argv[3:]:
                continue
            begin = time.monotonic()
            print(test.__name__.replace("_", " "), flush=True)
            test()
            print(f"    {time.monotonic() - begin:.1f} s", flush=True)
    finally:
        shutil.rmtree(WORK)


main()
