#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""attach_delegate.py VNET_SWITCH ATTACH_CLIENT: who attaches with a grant
learns it, and gives parts of it on, to whoever gets the descriptor.
"""
import contextlib
import os
import signal
import socket
import struct
import threading
import time

from attach_support import (
    BROADCAST, HOST, IS_ROOT, NOBODY, OUT, PATIENCE, WORK, Client, Switch,
    equal, eventually, frame, host_at, run, run_client,
)

LAB = {
    "mac": ["02:00:00:00:aa:00/40"], "ethertype": [0x88b5],
    "may": ["broadcast"], "max_addresses": 8, "max_clients": 6, "depth": 2,
}
ALL_OF_LAB = "grant lab 02:00:00:00:aa:00/40 6 8 2"
A, B, C = "02000000aa01", "02000000aa02", "02000000aa03"


def lab(**more):
    return {"type": "attach", "name": "lab",
            "allow": [{"grant": "lab", "max_clients": 100}],
            "max_clients": 100, **more}


def plain():
    return {"type": "attach", "name": "plain"}


@contextlib.contextmanager
def network(**more):
    """A port with the grant, one without, and the host."""
    with Switch([lab(), plain(), OUT], grants={"lab": {**LAB, **more}}) as s:
        with host_at(s) as host:
            yield s, host


class Giver(Client):
    """One that delegates: the descriptor comes by a socket of ours."""

    def __init__(self, path, vif="-", **more):
        self.ours, theirs = socket.socketpair()
        fds = (theirs.fileno(), *more.pop("fds", ()))
        self.theirs = fds[0]
        super().__init__(path, vif, fds=fds, **more)
        theirs.close()

    def delegates(self, macs, clients=1, addresses=1, depth=0):
        """The descriptor, or what is said."""
        said = self.ask(f"delegate {self.theirs} {macs} {clients} {addresses} "
                        f"{depth}")
        if said != "done":
            return said
        self.ours.settimeout(PATIENCE)
        return socket.recv_fds(self.ours, 1, 1)[1][0]

    def end(self):
        super().end()
        self.ours.close()


def given(fd, kind=Client):
    """A client of a descriptor that was passed on."""
    client = kind(f"fd:{fd}", fds=(fd,))
    os.close(fd)
    return client


def mac(text):
    return ":".join(text[i:i + 2] for i in range(0, 12, 2))


def own(text):
    return mac(text) + "/48"


def passes(host, client, source):
    """What it sends from there, and nothing that was sent before."""
    text = str(time.monotonic())
    client.send(frame(BROADCAST, source, text))
    return host.hears(text) == [text]


def who_has_a_prefix_is_told_an_address_of_it():
    with network() as (switch, host), Client(switch.attach, "lab") as a:
        with Client(switch.attach, "lab") as b:
            equal([c.mac[:10] for c in (a, b)], [A[:10]] * 2)
            equal(a.mac == b.mac, False)
            equal(passes(host, b, b.mac), True)


def a_client_learns_its_grant():
    with network() as (switch, _):
        with Client(switch.attach, "lab") as a:
            equal(a.ask("grant"), ALL_OF_LAB)
            switch.config["grants"]["lab"]["max_clients"] = 5
            switch.reload()
            equal(a.ask("grant"), ALL_OF_LAB.replace(" 6 8", " 5 8"))
        with Client(switch.attach, "plain") as b:
            equal(b.ask("grant"), "failed there is no grant: No such file or "
                  "directory")
            equal(b.ask("delegate 1 02:00:00:00:00:00/0 1 1 1"),
                  "failed there is no grant: No such file or directory")


def a_part_is_given_on():
    with network() as (switch, host):
        with Giver(switch.attach, "lab") as a:
            equal(passes(host, a, A), True)
            with given(a.delegates(own(B))) as b:
                equal(b.ask("grant"), f"grant lab/1 {own(B)} 1 1 0")
                equal(b.mac, B)
                equal(passes(host, b, B), True)
                b.send(frame(BROADCAST, C, "another's"))
                b.send(frame(BROADCAST, HOST, "the host's"))
                equal(passes(host, b, B), True)
                row = switch.control.get("client show", port="lab")[1]
                equal([row["uid"], row["grant"]], [os.geteuid(), "lab/1"])
                # To the one behind, and to nobody else.
                host.send(frame(B, HOST, "for b"))
                host.send(frame(BROADCAST, HOST, "for all"))
                equal(b.hears("for all")[-2:], ["for b", "for all"])
                equal("for b" in a.hears("for all"), False)
                equal(b.ask(f"delegate 1 {own(B)} 1 1 0").split(":")[0],
                      "failed depth")
                with Client(switch.attach, "plain"):
                    pass
                shown = switch.control.get("grant show")
                equal([g["name"] for g in shown], ["lab", "lab/1"])
                equal([shown[1]["parent"], shown[1]["clients"],
                       shown[1]["mac"]], ["lab", 1, [mac(B)]])
                # One by itself can be taken away.
                switch.control.get("grant revoke", name="lab/1")
                b.ends()
            equal(passes(host, a, A), True)
            # What has ended is given back.
            for _ in range(20):
                os.close(a.delegates(own(B), clients=5, addresses=7))
            equal(a.ask("grant"), ALL_OF_LAB)


def what_does_not_fit_is_refused_and_named():
    with network() as (switch, host), Giver(switch.attach, "lab") as a:
        for part, macs, clients, addresses, depth in [
            ("macs", own(HOST), 1, 1, 0),
            ("macs", "02:00:00:00:00:00/32", 1, 1, 0),
            ("addresses", "02:00:00:00:aa:00/40", 1, 9, 0),
            ("clients", own(B), 7, 1, 0),
            ("depth", own(B), 1, 1, 2),
            ("macs", "02:00:00:00:aa:01/40", 1, 1, 0),
        ]:
            said = a.delegates(macs, clients, addresses, depth)
            equal(said.split(":")[0], "failed " + part, said)
        # All that there is, which is taken then.
        first = a.delegates(own(B), clients=5)
        said = a.delegates(own(C))
        equal(said.split(":")[0], "failed clients", said)
        os.close(first)
        second = eventually(lambda: isinstance(a.delegates(own(C)), int), True)
        equal(second, True)
        equal(passes(host, a, A), True)


def with_who_gives_end_those_who_were_given():
    for end in Client.end, Client.kill:
        with network() as (switch, host), Client(switch.attach, "lab") as x:
            a = Giver(switch.attach, "lab")
            b = given(a.delegates("02:00:00:00:aa:02/47", 3, 2, 1), Giver)
            c = given(b.delegates(own(C)))
            unopened = b.delegates(own(C))
            equal(passes(host, c, C), True)
            equal(len(switch.clients("lab")), 4)
            end(a)
            b.ends()
            c.ends()
            late = Client(f"fd:{unopened}", fds=(unopened,))
            equal("failed the switch has hung up" in late.error, True)
            os.close(unopened)
            equal(switch.clients("lab"), ["lab/0"])
            equal(passes(host, x, A), True)


def a_descriptor_opens_once_and_that_vif_alone():
    with network() as (switch, _), Giver(switch.attach, "lab") as a:
        fd = a.delegates(own(B))
        wrong = Client(f"fd:{fd}", "plain", fds=(fd,))
        os.close(fd)
        equal("it was delegated for another vif" in wrong.error, True)
        fd = a.delegates(own(B))
        with Client(f"fd:{fd}", fds=(fd,)):
            again = Client(f"fd:{fd}", fds=(fd,))
            equal("failed" in again.error, True)
        os.close(fd)
        # Whoever has it may be anybody.
        if IS_ROOT:
            fd = a.delegates(own(B))
            with Client(f"fd:{fd}", fds=(fd,), who=[NOBODY, NOBODY]) as b:
                equal(b.ask("grant"), f"grant lab/3 {own(B)} 1 1 0")
            os.close(fd)


def frames_of(switch, port):
    """Those that were let in."""
    return switch.stats(port)["in"]["looked_up"]["frames"]


def revoked_under_load_nothing_passes():
    """Two with the grant send to a third without as fast as they can, and that one
    back; none of them reads."""
    rest = {"type": "attach", "name": "rest", "allow": [{"grant": "rest"}]}
    config = {"lab": {**LAB, "max_clients": 3},
              "rest": {**LAB, "mac": [own(HOST)], "max_clients": 1}}
    with Switch([lab(), rest], grants=config) as switch:
        floods = [
            run_client(switch.attach, vif, "flood", frame(to, source, "load"))
            for vif, source, to in [("rest", HOST, A), ("lab", A, HOST),
                                    ("lab", B, HOST)]
        ]
        with Client(switch.attach, "lab") as quiet:
            for f in floods:
                f.stdout.readline()
            for port in "lab", "rest":
                moved = frames_of(switch, port)
                equal(eventually(lambda: frames_of(switch, port) > moved), True)
            switch.control.get("grant revoke", name="lab")
            # Of these nothing comes in any more,
            last = frames_of(switch, "lab")
            begin = time.monotonic()
            for f in floods[1:]:
                equal(f.stdout.readline(), "end\n")
                equal(f.wait(PATIENCE), 0)
            quiet.ends()
            equal(time.monotonic() - begin < 2, True)
            equal(frames_of(switch, "lab"), last)
            equal(switch.clients("lab"), [])
            # and the other one goes on, though nobody is left to hear it.
            came = switch.stats("rest")["in"]["frames"]
            equal(eventually(
                lambda: switch.stats("rest")["in"]["frames"] > came), True)
            equal(switch.clients("rest"), ["rest/0"])
        floods[0].kill()
        for f in floods:
            f.wait(PATIENCE)
            f.stdin.close()
            f.stdout.close()


def under(switch, **more):
    """What attaches there, and gives on what it has."""
    return {"type": "uplink", "name": "above", "path": switch.attach,
            "vif": "lab", **more}


ALICE = {"parent": "above", "mac": [mac(A)], "ethertype": [0x88b5],
         "may": ["broadcast"]}


def mine(grant):
    return {"type": "attach", "name": "lab", "allow": [{"grant": grant}],
            "max_clients": 100}


def a_switch_gives_on_what_it_was_granted():
    """Three levels: root's, that of a user, and that of a user's user."""
    with network() as (top, host):
        shown = {"name": "lab", **LAB}
        bob = {**ALICE, "mac": ["02:00:00:00:aa:02/47"], "max_addresses": 2,
               "max_clients": 3}
        with Switch([under(top), mine("bob")], name="middle",
                    grants={"bob": {**bob, "depth": 1}}) as middle, \
                Switch([under(middle), mine("carl"), plain()], name="low",
                       grants={"carl": {**ALICE, "mac": [mac(C)]}}) as low:
            port = middle.control.get("port show", port="above")[0]
            equal(port["granted"], shown)
            port = low.control.get("port show", port="above")[0]
            equal([port["granted"]["mac"], port["granted"]["depth"]],
                  [["02:00:00:00:aa:02/47"], 1])
            with Client(low.attach, "lab") as c, \
                    Client(low.attach, "plain") as free:
                equal(passes(host, c, C), True)
                c.send(frame(BROADCAST, B, "stopped by its own switch"))
                equal(passes(host, free, B), True)
                free.send(frame(BROADCAST, A, "stopped by the middle one"))
                free.send(frame(BROADCAST, HOST, "stopped by the middle one"))
                equal(passes(host, c, C), True)
                host.send(frame(C, HOST, "down"))
                equal(c.hears("down")[-1], "down")
                # What root takes away is gone for all.
                top.control.get("grant revoke", name="lab")
                equal(eventually(lambda: middle.control.get(
                    "port show", port="above")[0]["link"], "down"), "down")
                equal(low.control.get("port show", port="above")[0]["link"],
                      "up")


def fails(port, grants, *expected):
    try:
        with Switch([port, mine("alice")], name="low", grants=grants):
            pass
    except AssertionError as e:
        for text in expected:
            equal(text in str(e), True, f"{text}: {e}")
    else:
        raise AssertionError(f"it started: {grants}")


def what_was_not_granted_is_not_given_on():
    with network(depth=1) as (top, _):
        for more, part in [
            ({"mac": [mac(HOST)]}, "macs"), ({"ipv4": ["10.0.0.1"]}, "ipv4"),
            ({"may": ["dhcp"]}, "dhcp"), ({"max_addresses": 9}, "addresses"),
            ({"depth": 1}, "depth"), ({"max_clients": 7}, "clients"),
        ]:
            fails(under(top), {"alice": {**ALICE, **more}},
                  "grant alice: does not fit into grant lab of the switch "
                  "that port above attaches to: " + part)
        fails(under(top), {"alice": {**ALICE, "parent": "nobody"}},
              "there is no grant nobody, and no uplink")
        with Switch([under(top), mine("alice")], name="low",
                    grants={"alice": ALICE}) as low:
            low.control.refuses("does not fit into grant lab", "grant set",
                                name="alice", set={"may": ["dhcp"]})
            # With less than it gives on it is down, until it has that again.
            top.config["grants"]["lab"]["mac"] = [mac(B)]
            top.reload()
            top.control.get("client del", client="lab/0")
            equal(eventually(lambda: "does not fit" in low.control.get(
                "port show", port="above")[0].get("error", "")), True)
            top.config["grants"]["lab"]["mac"] = LAB["mac"]
            top.reload()
            equal(eventually(lambda: low.control.get(
                "port show", port="above")[0]["link"], "up"), "up")
    # Depth 0: it may use it, and not give it on.
    with network(depth=0) as (top, host):
        fails(under(top), {"alice": ALICE}, ": depth")
        with Switch([under(top), plain()], name="low") as low, \
                Client(low.attach, "plain") as c:
            equal(passes(host, c, C), True)


def those_that_stall_fork_and_die_cost_nothing():
    with network() as (switch, host), Giver(switch.attach, "lab") as a:
        descriptors = switch.descriptors()
        for i in range(3):
            b = given(a.delegates(own(B)))
            if i == 0:
                b.process.send_signal(signal.SIGSTOP)
                for _ in range(200):
                    host.send(frame(B, HOST, "for one that does not read"))
                equal(passes(host, a, A), True)
            b.kill()
            equal(eventually(switch.descriptors, descriptors), descriptors)
        # Both copies, of which the last one counts.
        fd = a.delegates(own(B))
        first = Client(f"fd:{fd}", fds=(fd,))
        first.end()
        equal(len(switch.clients("lab")), 1)
        os.close(fd)
        equal(eventually(switch.descriptors, descriptors), descriptors)
        equal(passes(host, a, A), True)


def a_thousand_leave_nothing_behind():
    with network() as (switch, host), Giver(switch.attach, "lab") as a:
        descriptors = switch.descriptors()
        spare = switch.spare_kib()
        memory = 0
        for i in range(1000):
            os.close(a.delegates(own(B), clients=5))
            if i == 300:
                memory = switch.memory_kib()
        equal(eventually(switch.descriptors, descriptors), descriptors)
        equal(switch.memory_kib() - memory < spare, True)
        equal(a.ask("grant"), ALL_OF_LAB)
        equal(passes(host, a, A), True)
        equal(len(switch.control.get("grant show")), 1)


def rubbish_is_refused():
    """As long as a request, and no grant: its counts are out of bounds."""
    with network() as (switch, host):
        head = struct.pack("=IHHII", 0x766e6174, 2, 1, 1, 0)
        for kind, length in [(5, 16), (5, 17), (7, 16), (7, 2824), (7, 2823)]:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.settimeout(PATIENCE)
            s.connect(switch.attach)
            s.send(head + b"lab".ljust(32, b"\0") + bytes(16))
            _, fds, _, _ = socket.recv_fds(s, 4096, 1)
            request = struct.pack("=IHHII", 0x766e6174, 2, kind, 2, 0)
            s.send(request.ljust(length, b"\xff"))
            answer = s.recv(4096)
            if kind == 5 and length == 16:
                equal(len(answer), 2824)
            else:
                equal([len(answer), s.recv(4096)], [176, b""], kind)
            s.close()
            os.close(fds[0])
        with Client(switch.attach, "lab") as a:
            equal(passes(host, a, A), True)


def who_waits_for_a_client_ends_with_the_grant():
    """It would be a descriptor for as long as the other end is kept."""
    with network() as (switch, _), Giver(switch.attach, "lab") as a:
        before = switch.descriptors()
        kept = []
        for i in range(1, 10):
            kept.append(a.delegates(own(B)))
            switch.control.get("grant revoke", name=f"lab/{i}")
        equal(eventually(switch.descriptors, before), before)
        with given(a.delegates(own(B))) as b:
            equal(b.mac, B)
        for fd in kept:
            os.close(fd)


def what_is_delegated_leaves_instructions_to_others():
    with Switch([lab()], grants={"lab": LAB}) as switch:
        switch.config["switch"]["max_insns"] = 1000
        switch.end()
        switch.start()
        with Giver(switch.attach, "lab") as a:
            kept = [a.delegates(own(B)) for _ in range(5)]
            fds = [fd for fd in kept if isinstance(fd, int)]
            equal(0 < len(fds) < 5, True, kept)
            equal("what is delegated" in kept[-1], True, kept)
            for fd in fds:
                os.close(fd)
            again = eventually(lambda: isinstance(a.delegates(own(B)), int))
            equal(again, True)


def answers_with(listener, grant):
    """A switch for one client, to which it says that this is granted."""
    client, _ = listener.accept()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    request = client.recv(4096)
    welcome = struct.pack("=IHHII", 0x766e6174, 2, 3, 0, 0)[:8] + request[8:16]
    welcome += b"lab".ljust(32, b"\0") + struct.pack("=II6s2x", 0, 1500, b"\2")
    socket.send_fds(client, [welcome], [theirs.fileno()])
    theirs.close()
    request = client.recv(4096)
    client.send(struct.pack("=IHH", 0x766e6174, 2, 6) + request[8:16] + grant)
    client.recv(4096)
    ours.close()
    client.close()


def granted(name=b"lab", bits=48, vlans=(0, 0)):
    """One source address, and a range of VLANs."""
    counts = (1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0)
    text = name.ljust(32, b"\0") + struct.pack("=12I40x", *counts)
    text += struct.pack("=6sB", b"\2\0\0\0\xaa\1", bits).ljust(2304, b"\0")
    return (text + struct.pack("=HH", *vlans)).ljust(2808, b"\0")


def a_switch_that_lies_is_not_believed():
    path = os.path.join(WORK, "liar")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()
        for grant, expected in [
            (granted(), f"grant lab {own(A)} 1 1 0"),
            (granted(b"l\x1b[1m"), f"grant l?[1m {own(A)} 1 1 0"),
            (granted(bits=254), "failed"),
            (granted(vlans=(0, 65535)), "failed"),
            (granted(vlans=(2, 1)), "failed"),
            (granted(b"x" * 32), "failed"),
            (granted(b""), "failed"),
        ]:
            thread = threading.Thread(target=answers_with,
                                      args=(listener, grant), daemon=True)
            thread.start()
            with Client(path) as client:
                equal(client.ask("grant").startswith(expected), True, grant)
            thread.join(PATIENCE)
    os.unlink(path)


TESTS = [
    who_has_a_prefix_is_told_an_address_of_it,
    a_client_learns_its_grant,
    a_part_is_given_on,
    what_does_not_fit_is_refused_and_named,
    with_who_gives_end_those_who_were_given,
    a_descriptor_opens_once_and_that_vif_alone,
    revoked_under_load_nothing_passes,
    a_switch_gives_on_what_it_was_granted,
    what_was_not_granted_is_not_given_on,
    those_that_stall_fork_and_die_cost_nothing,
    a_thousand_leave_nothing_behind,
    rubbish_is_refused,
    who_waits_for_a_client_ends_with_the_grant,
    a_switch_that_lies_is_not_believed,
    what_is_delegated_leaves_instructions_to_others,
]

run(TESTS)
