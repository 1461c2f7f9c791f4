#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""attach.py VNET_SWITCH ATTACH_CLIENT: programs attach to ports of vnet-switch,
good ones and others, and each gets what its row of "allow" says.

Beside them is a port of type stream, at which this test itself is the host.
"""
import contextlib
import json
import os
import random
import signal
import socket
import time

from attach_support import (
    BROADCAST, HOST, IS_ROOT, NOBODY, OUT, PATIENCE, WORK, Client, Control,
    Switch, equal, eventually, frame, host_at, run, run_client,
)


def web(**more):
    return {"type": "attach", "name": "web", **more}


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


run(TESTS)
