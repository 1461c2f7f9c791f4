#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""attach_uplink.py VNET_SWITCH ATTACH_CLIENT: a vnet-switch is a client of another
one, which may be a client of a third.

    host -- stream port  top  vif "up" -- uplink  middle  vif "up" -- uplink  low
                                                            vif "up" -- clients
"""
import contextlib
import json
import os
import signal
import socket
import time

from attach_support import (
    BROADCAST, HOST, IS_ROOT, NOBODY, OUT, WORK, Client, Switch, equal,
    eventually, frame, host_at, run,
)

UP = {"type": "attach", "name": "up"}


def uplink(switch, **more):
    return {"type": "uplink", "name": "above", "path": switch.attach, **more}


def port_of(switch, name="above"):
    return switch.control.get("port show", port=name)[0]


def link_of(switch):
    return port_of(switch)["link"]


def talks(host, client):
    """Frames pass both ways, as those of ARP and ping would."""
    text = str(time.monotonic())
    client.send(frame(BROADCAST, client.mac, "who has? " + text))
    host.hears("who has? " + text)
    host.send(frame(client.mac, HOST, "answer " + text))
    client.hears("answer " + text)
    client.send(frame(HOST, client.mac, "ping " + text))
    equal(host.hears("ping " + text), ["ping " + text])
    host.send(frame(client.mac, HOST, "pong " + text))
    equal(client.hears("pong " + text), ["pong " + text])


@contextlib.contextmanager
def chain(**more):
    """Three switches, and the host at the first."""
    with Switch([{**UP, **more}, OUT], name="top") as top, \
            host_at(top) as host, \
            Switch([UP], ["--uplink", f"attach:{top.attach},vif=up,name=above"],
                   name="middle") as middle, \
            Switch([UP, uplink(middle)], name="low") as low:
        yield host, top, middle, low


def reaches(sender, receiver, source, destination):
    """A frame to one alone."""
    text = str(time.monotonic())
    sender.send(frame(destination, source, text))
    equal(receiver.hears(text)[-1], text)


def frames_pass_three_switches_of_one_vif():
    """On each vif a host, and with it the switch below; and all pairs of them."""
    macs = [f"0200000000a{i}" for i in range(3)]
    with chain() as (host, *switches), contextlib.ExitStack() as stack:
        hosts = [stack.enter_context(Client(s.attach)) for s in switches]
        for client, mac in zip(hosts, macs):
            client.send(frame(BROADCAST, mac, "who is there?"))
            host.hears("who is there?")
        for i, sender in enumerate(hosts):
            reaches(sender, host, macs[i], HOST)
            reaches(host, sender, HOST, macs[i])
            for k, receiver in enumerate(hosts):
                if k != i:
                    reaches(sender, receiver, macs[i], macs[k])
        for switch in switches:
            known = {r["mac"].replace(":", "")
                     for r in switch.control.get("fdb show")}
            equal(set(macs) <= known, True, known)
            equal(switch.control.get("stats")["balanced"], True)


def it_is_what_the_switch_above_says():
    mac = "02:00:00:00:00:07"
    with chain(mtu=1400, mac=mac) as (_, top, middle, low):
        shown = port_of(middle)
        equal([shown["link"], shown["role"], shown["sessions"]],
              ["up", "uplink", 1])
        medium = shown["medium"]
        equal([medium["kind"], medium["mac"], medium["mtu"]],
              ["attach", mac, 1400])
        equal(sorted(medium["carries"]), ["csum", "tso4", "tso6", "uso"])
        equal([c["client"] for c in top.control.get("client show", port="up")],
              ["up/0"])
        saved = middle.control.get("config show")["ports"]
        equal([p for p in saved if p["name"] == "above"],
              [{"name": "above", "type": "uplink", "path": top.attach,
                "vif": "up"}])


def one_that_ends_is_opened_again():
    with chain() as (host, top, middle, low), Client(low.attach) as client:
        talks(host, client)
        top.control.get("client del", client="up/0")
        equal(eventually(lambda: port_of(middle)["sessions"], 2), 2)
        equal(eventually(lambda: link_of(middle), "up"), "up")
        talks(host, client)
        equal("the switch there has ended the session" in middle.said(), True)
        equal(port_of(low)["sessions"], 1)


def one_that_is_killed_and_started_is_found_again():
    with chain() as (host, top, middle, low), Client(low.attach) as client:
        talks(host, client)
        middle.kill()
        equal(eventually(lambda: link_of(low), "down"), "down")
        equal("ended the session" in port_of(low)["error"], True)
        equal(eventually(lambda: "Connection refused" in
                         port_of(low).get("error", "")), True)
        middle.start()
        equal(eventually(lambda: link_of(low), "up"), "up")
        equal(port_of(low)["sessions"], 2)
        equal(port_of(low).get("error"), None)
        talks(host, client)
        # Each failure is said once.
        equal(low.said().count("cannot connect"), 1)


def one_that_stops_holds_up_nothing():
    with Switch([UP], name="top") as top, \
            Switch([UP, uplink(top), OUT], name="middle") as middle:
        with host_at(middle) as host, Client(middle.attach) as client:
            top.process.send_signal(signal.SIGSTOP)
            try:
                # It goes, and does not come back.
                middle.control.get("port set", port="above", set={"weight": 2})
                for _ in range(10):
                    talks(host, client)
                full = frame("0200000000bb", client.mac, "x", 1500)
                for _ in range(3000):
                    # As many as its socket takes.
                    client.ask("send " + full)
                talks(host, client)
            finally:
                top.process.send_signal(signal.SIGCONT)
            equal(link_of(middle), "up")


def what_changes_opens_another():
    second = {"type": "attach", "name": "other", "mac": "02:00:00:00:00:09"}
    with Switch([UP, second], name="top") as top, \
            Switch([uplink(top, vif="up")], name="low") as low:
        low.port("above")["vif"] = "other"
        low.reload()
        equal(port_of(low)["medium"]["mac"], second["mac"])
        equal([c["client"] for c in top.control.get("client show")],
              ["other/0"])
        low.control.refuses("there is no such vif", "port set", port="above",
                            set={"vif": "nothing"})
        equal(link_of(low), "up")
        low.control.get("port del", port="above")
        equal(eventually(top.clients, []), [])
        low.control.get("port add", port=uplink(top, vif="up"))
        equal(top.clients(), ["up/0"])
        low.control.get("port set", port="above", set={"vif": "other"})
        equal(eventually(top.clients, ["other/0"]), ["other/0"])


def fails(port, expected):
    try:
        with Switch([port], name="low"):
            pass
    except AssertionError as e:
        equal(expected in str(e), True, str(e))
    else:
        raise AssertionError(f"it started: {port}")


def what_cannot_be_is_refused():
    with Switch([UP, {**UP, "name": "other"}], name="top") as top:
        fails(uplink(top), "there are several vifs: say which")
        fails(uplink(top, vif="none"), "there is no such vif at this socket")
        fails(uplink(top, path=WORK + "/nobody"), "cannot connect")
        fails(uplink(top, netns="x"), "netns: an uplink with a \"path\" has no")
        fails({"type": "uplink", "name": "x", "vif": "up"},
              "there is no \"path\" beside it")
        # One that says nothing.
        path = os.path.join(WORK, "silent")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
            silent.bind(path)
            silent.listen()
            fails(uplink(top, path=path), "no answer of the switch")
    if IS_ROOT:
        with Switch([{**UP, "allow": [{"user": str(NOBODY)}]}],
                    name="top") as top:
            fails(uplink(top), "this user may not attach to it")


def one_that_attaches_to_itself_starts_not():
    with Switch([UP], name="top") as top:
        answer = top.control.ask("port add", port=uplink(top))
        equal("no answer of the switch" in answer["error"], True, json.dumps(
            answer))
        equal(eventually(top.clients, []), [])


TESTS = [
    frames_pass_three_switches_of_one_vif,
    it_is_what_the_switch_above_says,
    one_that_ends_is_opened_again,
    one_that_is_killed_and_started_is_found_again,
    one_that_stops_holds_up_nothing,
    what_changes_opens_another,
    what_cannot_be_is_refused,
    one_that_attaches_to_itself_starts_not,
]

run(TESTS)
