#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""attach_grants.py VNET_SWITCH ATTACH_CLIENT: programs attach to ports of
vnet-switch with grants, which are changed, revoked and end while they are there.

What a guard lets pass is tested elsewhere: here it is who has which.
"""
import json
import time

from attach_support import (
    BROADCAST, HOST, IS_ROOT, NOBODY, OUT, Client, Control, Switch, equal,
    eventually, frame, host_at, run,
)

A = "0200000000aa"
B = "0200000000bb"


def mac(octets):
    return ":".join(octets[i:i + 2] for i in range(0, 12, 2))


def grant(*macs, **more):
    """The frames of these tests are within it."""
    return {"mac": [m if "/" in m else mac(m) for m in macs],
            "ethertype": [0x88b5], "may": ["broadcast"], **more}


LAB = grant("02:00:00:00:00:00/40", max_addresses=8, max_clients=8, depth=2)
ALICE = grant(A, parent="lab")


def web(**more):
    return {"type": "attach", "name": "web", **more}


def switch_with(grants, *ports, **more):
    return Switch([*ports, OUT], grants=grants, **more)


def show(switch, name):
    return switch.control.get("grant show", name=name)[0]


def refused(switch, name, side="in"):
    return {part: n["frames"]
            for part, n in show(switch, name)["refused"][side].items()}


def grants_of(switch):
    return {c["client"]: c.get("grant")
            for c in switch.control.get("client show", port="web")}


def is_refused(switch, error, vif="-"):
    found = Client(switch.attach, vif).error
    if error not in (found or ""):
        raise AssertionError(f"found {found!r}, expected {error!r}")


def sends(client, host, source, last=[0]):
    """Does a frame from there come to the host?"""
    last[0] += 1
    client.send(frame(BROADCAST, source, f"try {last[0]}"))
    client.send(frame(BROADCAST, A, f"last {last[0]}"))
    return f"try {last[0]}" in host.hears(f"last {last[0]}")


def who_attaches_has_the_grant_of_their_row():
    port = web(grant="lab", allow=[
        {"user": NOBODY, "grant": "bob"}, {"user": 0, "grant": "alice"}])
    grants = {"lab": LAB, "alice": ALICE, "bob": grant(B, parent="lab")}
    with switch_with(grants, port) as switch, host_at(switch) as host:
        with Client(switch.attach) as a:
            equal(grants_of(switch), {"web/0": "alice"})
            equal([sends(a, host, A), sends(a, host, B)], [True, False])
            equal(refused(switch, "alice"), {"macs": 1})
            host.send(frame(B, HOST, "for another"))
            host.send(frame(A, HOST, "for it"))
            equal(a.hears("for it"), ["for it"])
            equal(refused(switch, "alice", "out"), {"macs": 1})
            is_refused(switch, "as many clients as it may")
            if not IS_ROOT:
                return
            with Client(switch.attach, who=(NOBODY, NOBODY)) as b:
                equal(grants_of(switch), {"web/0": "alice", "web/1": "bob"})
                b.send(frame(BROADCAST, A, "as another"))
                b.send(frame(BROADCAST, B, "as itself"))
                equal(host.hears("as itself"), ["as itself"])
                equal(refused(switch, "bob"), {"macs": 1})


def a_row_without_a_grant_has_that_of_the_port():
    port = web(grant="alice", allow=[{"user": 0}])
    with switch_with({"lab": LAB, "alice": ALICE}, port) as switch:
        with host_at(switch) as host, Client(switch.attach) as a:
            equal(grants_of(switch), {"web/0": "alice"})
            equal(sends(a, host, B), False)
            del switch.port("web")["grant"]
            switch.reload()
            equal(grants_of(switch), {"web/0": None})
            equal(sends(a, host, B), True)
            switch.port("web")["allow"][0]["grant"] = "alice"
            switch.reload()
            equal(sends(a, host, B), False)


def a_reload_changes_grants_under_their_sessions():
    grants = {"lab": LAB, "alice": ALICE}
    with switch_with(grants, web(grant="alice")) as switch:
        with host_at(switch) as host, Client(switch.attach) as a:
            grants["alice"] = grant(A, B, parent="lab")
            switch.reload()
            equal(sends(a, host, B), True)
            # Neither fits with the other as it was.
            grants["lab"] = grant("0200000000aa", "06:00:00:00:00:00/40",
                                  max_addresses=8, max_clients=8, depth=2)
            grants["alice"] = grant(A, "060000000001", parent="lab")
            switch.reload()
            equal([sends(a, host, B), sends(a, host, "060000000001")],
                  [False, True])
            equal(grants_of(switch), {"web/0": "alice"})
            # It hangs elsewhere.
            grants["other"] = dict(grants["lab"])
            grants["alice"] = dict(grants["alice"], parent="other")
            switch.reload()
            equal(show(switch, "alice")["parent"], "other")
            equal([sends(a, host, B), sends(a, host, "060000000001")],
                  [False, True])


def a_reload_that_does_not_fit_changes_nothing():
    grants = {"lab": LAB, "alice": ALICE}
    with switch_with(grants, web(grant="alice")) as switch:
        with host_at(switch) as host, Client(switch.attach) as a:
            grants["alice"] = grant("060000000001", parent="lab")
            switch.port("web")["mtu"] = 1400
            switch.write()
            switch.control.refuses(
                "grants.alice.mac[0]: does not fit into grant lab: macs",
                "config reload")
            equal("mtu" in switch.control.get("port show", port="web")[0],
                  False)
            # What is there, and not in the file, can be in the way as well.
            grants["alice"] = dict(ALICE, max_clients=2)
            switch.reload()
            with Client(switch.attach):
                grants["alice"] = dict(ALICE)
                grants["eve"] = grant(B, parent="lab")
                switch.write()
                switch.control.refuses(
                    "grant alice: clients: ", "config reload")
                equal([g["name"] for g in switch.control.get("grant show")],
                      ["lab", "alice"])
                equal(show(switch, "alice")["clients"], 2)
            equal(sends(a, host, A), True)
            equal(eventually(lambda: show(switch, "alice")["clients"], 1), 1)
            switch.reload()
            equal(show(switch, "eve")["state"], "active")


def what_hangs_below_a_revoked_grant_ends_with_its_sessions():
    grants = {"lab": LAB, "alice": dict(ALICE, max_clients=2),
              "other": grant(B)}
    ports = [web(grant="alice"),
             {"type": "attach", "name": "db", "grant": "other"}]
    with switch_with(grants, *ports) as switch, host_at(switch):
        with Client(switch.attach, "web") as a, \
                Client(switch.attach, "web") as b, \
                Client(switch.attach, "db") as other:
            switch.control.get("grant revoke", name="lab")
            a.ends()
            b.ends()
            names = [g["name"] for g in switch.control.get("grant show")]
            equal(names, ["other"])
            equal(switch.clients(), ["db/0", "out/0"])
            is_refused(switch, "has ended", "web")
            equal(other.ask("send " + frame(BROADCAST, B, "x")), "done")
        # The file still has it.
        switch.reload()
        with Client(switch.attach, "web"):
            pass


def a_grant_ends_by_itself():
    grants = {"lab": dict(LAB), "alice": ALICE, "stream": grant(HOST)}
    with Switch([web(grant="alice"), {**OUT, "grant": "stream"}],
                grants=grants) as switch, host_at(switch) as host:
        with Client(switch.attach) as a:
            equal(sends(a, host, A), True)
            until = time.gmtime(time.time() + 2)
            until = time.strftime("%Y-%m-%dT%H:%M:%SZ", until)
            grants["lab"]["until"] = grants["stream"]["until"] = until
            switch.reload()
            a.ends()
        equal(show(switch, "alice")["state"], "ended")
        is_refused(switch, "has ended", "web")
        # A port stays, and is closed.
        host.send(frame(BROADCAST, HOST, "late"))
        drops = eventually(
            lambda: switch.stats("out")["drops"]["in"]["revoked"], 1)
        equal(drops, 1)
        error = switch.control.get("port show", port="out")[0]["error"]
        equal(error, "closed, since its grant stream has ended")
        # So is one that is opened later.
        switch.control.get("port set", port="out", set={"mtu": 1400})
        host.send(frame(BROADCAST, HOST, "later"))
        drops = eventually(
            lambda: switch.stats("out")["drops"]["in"]["revoked"], 2)
        equal(drops, 2)
        # More time opens it.
        grants["stream"] = grant(HOST)
        switch.reload()
        host.send(frame(BROADCAST, HOST, "again"))
        equal(eventually(
            lambda: switch.stats("out")["in"]["looked_up"]["frames"] +
            switch.stats("out")["drops"]["in"]["no_destination"] > 0), True)
        equal(switch.control.get("port show", port="out")[0].get("error"),
              None)
        # And none is no guard.
        grants["stream"] = grant(HOST, until="2001-01-01T00:00:00Z")
        switch.reload()
        equal(show(switch, "stream")["state"], "ended")
        del switch.port("out")["grant"]
        switch.reload()
        drops = switch.stats("out")["drops"]["in"]
        host.send(frame(BROADCAST, B, "free"))
        equal(eventually(
            lambda: switch.stats("out")["drops"]["in"]["no_destination"] >
            drops["no_destination"]), True)


def a_switch_starts_with_what_has_ended():
    grants = {"lab": dict(LAB, until="2001-01-01T00:00:00Z"), "alice": ALICE}
    with switch_with(grants, web(grant="alice")) as switch:
        equal([g["state"] for g in switch.control.get("grant show")],
              ["ended", "ended"])
        is_refused(switch, "has ended", "web")
        equal(switch.control.get("config show")["grants"]["alice"]["parent"],
              "lab")


def the_control_socket_makes_and_changes_grants():
    with switch_with({"lab": LAB}, web(grant="lab")) as switch:
        control = switch.control
        control.get("grant add", name="eve", grant=grant(B, parent="lab"))
        control.refuses("grants.mal.mac[0]: does not fit into grant lab: macs",
                        "grant add", name="mal",
                        grant=grant("060000000001", parent="lab"))
        control.refuses("grants.lab.parent: found \"eve\", which is below lab",
                        "grant set", name="lab", set={"parent": "eve"})
        control.refuses("grants.eve.mac[0]: does not fit into grant lab",
                        "grant set", name="lab", set={"mac": [mac(A)]})
        control.refuses("there is no grant nobody", "port set", port="web",
                        set={"grant": "nobody"})
        with host_at(switch) as host, Client(switch.attach) as a:
            control.get("port set", port="web", set={"grant": "eve"})
            equal(grants_of(switch), {"web/0": "eve"})
            a.send(frame(BROADCAST, A, "no"))
            a.send(frame(BROADCAST, B, "yes"))
            equal(host.hears("yes"), ["yes"])
            control.get("grant set", name="eve",
                        set={"mac": [mac(A), mac(B)]})
            equal(sends(a, host, B), True)
            # What it has added is not the file's to take away.
            switch.reload()
            equal(show(switch, "eve")["state"], "active")
            control.get("port set", port="web", set={"grant": None})
            equal(grants_of(switch), {"web/0": None})


def the_program_of_a_guard_is_handed_out():
    with switch_with({"lab": LAB, "alice": ALICE}, web(grant="alice")) \
            as switch:
        control = switch.control
        lab = control.get("grant program", name="lab")
        insns = show(switch, "lab")["insns"]
        equal({k: len(v) for k, v in lab["programs"].items()}, insns)
        equal([lab["grant"], lab["config"]["max_addresses"]], ["lab", 8])
        control.refuses("there is no client web/0", "grant program",
                        name="web/0")
        with Client(switch.attach), host_at(switch):
            equal(control.get("grant program", name="web/0")["grant"], "alice")
            control.refuses("client out/0 has no grant", "grant program",
                            name="out/0")
        control.get("grant revoke", name="alice")
        control.refuses("there is no port alice", "grant program",
                        name="alice")


def the_part_is_told():
    with switch_with({"lab": LAB, "alice": ALICE}, web(grant="alice")) \
            as switch, Client(switch.attach):
        steps = switch.control.get(
            "explain", client="web/0", frame=frame(BROADCAST, B, "x"))["steps"]
        equal([steps[-1]["step"], steps[-1]["detail"]],
              ["guard", "not granted: macs of alice"])
        steps = switch.control.get(
            "explain", client="web/0", frame=frame(BROADCAST, A, "x"))["steps"]
        equal([s["detail"] for s in steps if s["step"] == "guard"],
              ["within grant alice"])


def what_happens_is_told():
    with switch_with({"lab": LAB, "alice": ALICE}, web(grant="alice")) \
            as switch, Client(switch.attach) as a:
        monitor = Control(switch.path)
        monitor.get("monitor")
        a.send(frame(BROADCAST, B, "x"))
        told = {}
        while "not_granted" not in told:
            event = json.loads(monitor.file.readline())
            told[event["event"]] = event
        event = told["not_granted"]
        equal([event["client"], event["grant"], event["mac"]],
              ["web/0", "alice", mac(B)])
        switch.control.get("grant revoke", name="alice")
        while "client_removed" not in told:
            event = json.loads(monitor.file.readline())
            told[event["event"]] = event
        equal(told["grant_ended"]["grant"], "alice")
        monitor.socket.close()
        a.ends()


run([
    who_attaches_has_the_grant_of_their_row,
    a_row_without_a_grant_has_that_of_the_port,
    a_reload_changes_grants_under_their_sessions,
    a_reload_that_does_not_fit_changes_nothing,
    what_hangs_below_a_revoked_grant_ends_with_its_sessions,
    a_grant_ends_by_itself,
    a_switch_starts_with_what_has_ended,
    the_control_socket_makes_and_changes_grants,
    the_program_of_a_guard_is_handed_out,
    the_part_is_told,
    what_happens_is_told,
])
