#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vnetctl grant: what is shown, asked for and proved.

usage: vnetctl_grants.py VNETCTL
"""
import json
import subprocess

from vnetctl_support import (
    PATIENCE,
    always,
    check,
    check_in,
    check_rows,
    command,
    count,
    make_stats,
    results,
    run,
    run_tests,
)

LAB = {
    "name": "lab",
    "mac": ["02:00:00:00:aa:00/40"],
    "depth": 1,
    "rate": {"octets_per_s": 5000},
    "state": "active",
    "clients": 0,
    "addresses": 0,
    "given_clients": 1,
    "given_addresses": 2,
    "max_clients": 4,
    "max_addresses": 8,
    "insns": {"in": 300, "out": 40},
    "refused": {"in": {}, "out": {}},
}
ALICE = {
    "name": "alice",
    "parent": "lab",
    "mac": ["02:00:00:00:aa:01"],
    "ipv4": ["10.9.0.1", "10.9.0.2"],
    "state": "active",
    "clients": 1,
    "addresses": 2,
    "given_clients": 0,
    "given_addresses": 0,
    "max_clients": 1,
    "max_addresses": 2,
    "insns": {"in": 300, "out": 40},
    "refused": {
        "in": {"arp": count(3, 126), "ipv4": count(2, 200)},
        "out": {"macs": count(1, 60)},
    },
}
GONE = {"name": "gone", "mac": ["02:00:00:00:aa:09"], "state": "ended"}


def test_grants_are_shown():
    with results(grant_show=[LAB, ALICE, GONE]) as daemon:
        check_rows(
            run("grant", "show"),
            "GRANT PARENT STATE CLIENTS ADDRESSES MAC IPV4 REFUSED",
            "lab - active 1/4 2/8 02:00:00:00:aa:00/40 - 0",
            "alice lab active 1/1 2/2 02:00:00:00:aa:01 10.9.0.1 10.9.0.2 6",
            "gone - ended - - 02:00:00:00:aa:09 - 0",
        )
        check(json.loads(run("grant", "-j"))[1] == ALICE)
        check(daemon.requests[0] == {"do": "grant show"})


def test_one_grant_is_shown_with_what_it_has_refused():
    with results(grant_show=[ALICE]) as daemon:
        check_rows(
            run("grant", "show", "alice"),
            "alice",
            "parent lab",
            "ipv4 10.9.0.1 10.9.0.2",
            "state active",
            "REFUSED PART FRAMES OCTETS",
            "in arp 3 126",
            "in ipv4 2 200",
            "out macs 1 60",
        )
        check(daemon.requests[0] == {"do": "grant show", "name": "alice"})
    with results(grant_show=[LAB]):
        text = run("grant", "show", "lab")
        check_rows(text, "rate", "octets_per_s 5000", "instructions", "in 300")
        check("REFUSED" not in text)


def test_grants_are_changed():
    with always({"ok": True}) as daemon:
        run("grant", "add", "bob", "parent=lab", "mac=02-00-00-00-AA-02",
            "mac=02:00:00:00:aa:03", "vlan=5,7-9", "rate.octets_per_s=7",
            "--may-exist")
        run("grant", "set", "bob", "depth=", "may=dhcp,llc")
        run("grant", "revoke", "bob", "--if-exists")
        check(daemon.requests == [
            {"do": "grant add", "name": "bob", "may_exist": True, "grant": {
                "parent": "lab",
                "mac": ["02-00-00-00-AA-02", "02:00:00:00:aa:03"],
                "vlan": ["5", "7-9"],
                "rate": {"octets_per_s": 7},
            }},
            {"do": "grant set", "name": "bob",
             "set": {"depth": None, "may": ["dhcp", "llc"]}},
            {"do": "grant revoke", "name": "bob", "if_exists": True},
        ], daemon.requests)
    check_in('there is no "mac"', run("grant", "add", "a", "depth=1", status=1))
    check_in("no such key", run("grant", "set", "a", "mtu=1", status=1))
    check_in("cannot be set so", run("grant", "set", "a", "rate=1", status=1))
    check_in("there is no \"octets_per_s\"",
             run("grant", "set", "a", "rate.burst_octets=1", status=1))


def guard(insns_in, insns_out, **config):
    return {
        "grant": "alice",
        "config": {"mac": ["02:00:00:00:aa:01"], **config},
        "programs": {"in": insns_in, "out": insns_out},
    }


# ret #0; and all that has 14 octets: ldb [13]; ret #1
NOTHING = [[6, 0, 0, 0]]
ALL = [[48, 0, 0, 13], [6, 0, 0, 1]]


def test_a_guard_that_holds_is_said_to():
    with results(grant_program=guard(NOTHING, NOTHING)) as daemon:
        text = run("grant", "prove", "alice")
        check_in("grant alice\nin: holds; 1 instructions", text)
        check_in("\nout: holds; 1 instructions", text)
        check(daemon.requests == [{"do": "grant program", "name": "alice"}])
        found = json.loads(run("grant", "prove", "web/0", "-j"))
        check(found["in"]["result"] == "holds", found)
        check(found["grant"] == "alice", found)


def test_a_guard_that_does_not_hold_is_shown_with_a_frame():
    with results(grant_program=guard(ALL, NOTHING)):
        p = subprocess.run(command("grant", "prove", "alice"),
                           capture_output=True, timeout=PATIENCE, text=True)
        check(p.returncode == 1, p)
        check(p.stderr == "vnetctl: grant alice: its guard does not hold\n",
              p.stderr)
        check_in("in: does not hold: instruction 1 passes", p.stdout)
        check_in("out: holds", p.stdout)
        p = subprocess.run(command("grant", "prove", "alice", "--json"),
                           capture_output=True, timeout=PATIENCE, text=True)
        found = json.loads(p.stdout)["in"]
        check([p.returncode, found["result"]] == [1, "hole"], p)
        # Not from its address, or something else that it is not granted.
        check(len(bytes.fromhex(found["frame"])) >= 14, found)
        check(found["part"] != "pass", found)


def test_what_is_no_program_is_refused():
    for answer, text in (
        (guard([], NOTHING), "in: found 0 instructions, expected 1 to 16384"),
        (guard(NOTHING, [[7, 0, 0, 0]]), "out: instruction 0: "),
        (guard(NOTHING, [[6, 0, 0]]), "out: instruction 0 is none"),
        (guard(NOTHING, [[6, 0, 256, 0]]), "out: instruction 0 is none"),
        (guard(NOTHING, [[6, 0, 0, -1]]), "out: instruction 0 is none"),
        (guard(NOTHING, [["6", 0, 0, 0]]), "out: instruction 0 is none"),
        (guard(NOTHING, NOTHING * 16385), "found 16385 instructions"),
        (guard(NOTHING, NOTHING, mac=[]), "grant without a source address"),
        (guard(NOTHING, NOTHING, mtu=1), "mtu: no such key"),
        ({"grant": "alice"}, "found"),
        ([], "no object"),
    ):
        with results(grant_program=answer):
            check_in(text, run("grant", "prove", "alice", status=1))


def test_metrics_have_grants():
    stats = {**make_stats(1), "grants": [LAB, ALICE, GONE]}
    with results(stats=stats, limit_show=[], filter_show=[]):
        text = run("stats", "--openmetrics")
    for line in (
        "# TYPE vnet_grant_refused_frames counter",
        'vnet_grant_refused_frames_total{grant="alice",direction="in",'
        'part="arp"} 3',
        'vnet_grant_refused_octets_total{grant="alice",direction="out",'
        'part="macs"} 60',
        'vnet_grant_clients{grant="alice"} 1',
        'vnet_grant_active{grant="lab"} 1',
        'vnet_grant_active{grant="gone"} 0',
    ):
        check_in(line + "\n", text)
    check('vnet_grant_clients{grant="gone"}' not in text)


def test_clients_and_events_name_grants():
    client = {"client": "web/0", "accept": "all", "grant": "alice"}
    with results(client_show=[client]):
        check_rows(run("client", "show"), "CLIENT ACCEPT GRANT",
                   "web/0 all alice")
    event = {"event": "grant_ended", "port": "web", "client": "web/0",
             "grant": "alice", "count": 1, "time_ns": 1}
    with always({"ok": True}, event, None):
        p = subprocess.run(command("monitor"), capture_output=True,
                           timeout=PATIENCE, text=True)
        check_in("grant_ended", p.stdout)
        check(p.stdout.split()[-3:] == ["web/0", "grant", "alice"], p.stdout)


run_tests(globals())
