#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What vnetctl takes, asks, shows, and how it fails.

usage: vnetctl.py VNETCTL
"""
import contextlib
import json
import os
import re
import socket
import subprocess
import time

from vnetctl_support import (
    PATIENCE,
    PORTS,
    SOCKET,
    WORK,
    Daemon,
    always,
    check,
    check_in,
    check_rows,
    command,
    count,
    make_stats,
    client_stats,
    results,
    run,
    run_tests,
)


# What is typed


def test_help_is_there_at_every_level():
    for line in run("--help").splitlines():
        check(len(line) < 80, line)
    check_in("filter add OWNER SIDE", run("--help"))
    check_in("port set NAME", run("port", "--help"))
    check("fdb" not in run("port", "--help"))
    check_in("Usage: vnetctl [OPTION]... port add", run("port", "add", "-h"))
    check_in("--count", run("capture", "--help"))
    check_in("--version", run("--help"))
    for words in ["--help"], ["limit", "--help"], ["explain", "--help"]:
        check_in("PORT/INDEX", run(*words))
    check("PORT/INDEX" not in run("port", "--help"))
    for command in ["port", "show"], ["top"], ["capture"]:
        check_in("--json", run(*command, "--help"))
    check(run("help") == run("--help"))
    check(run("help", "port") == run("port", "--help"))
    check(run("help", "port", "add") == run("port", "add", "--help"))
    check_in('no object "it"', run("help", "it", status=2))
    check(re.fullmatch(r"vnetctl \d.*\n", run("--version")))


def test_misuse_is_status_2_and_one_line():
    for args in (
        [],
        ["nothing"],
        ["f"],
        ["port", "fly"],
        ["port", "add"],
        ["port", "add", "tap"],
        ["port", "add", "tap", "web", "name=db"],
        ["port", "add", "tap", "web", "type=stream"],
        ["show", "more"],
        ["--what"],
        ["-x"],
        ["--timeout", "0", "show"],
        ["--timeout", "nan", "show"],
        ["top", "-d", "-1"],
        ["top", "-n", "0"],
        ["capture", "web", "--json", "--write", "-"],
        ["capture", "web", "--json", "--write", "file"],
        ["capture", "web", "--count", "x"],
        ["port", "add", "tap", "web", "--if-exists"],
        ["port", "del", "web", "--may-exist"],
        ["stats", "--raw"],
        ["filter", "add", "web", "up", "x", "1", "drop", "ip"],
        ["filter", "add", "web", "in", "x", "-1", "drop", "ip"],
        ["filter", "add", "web", "in", "x", "one", "drop", "ip"],
        ["filter", "add", "web", "in", "x", "4294967296", "drop", "ip"],
        ["filter", "add", "web", "in", "x", "1", "keep", "ip"],
        ["filter", "del", "web", "up", "x"],
        ["filter", "del", "web/0", "in", "x"],
        ["filter", "add", "web/0", "out", "x", "1", "drop", "ip"],
        ["limit", "set", "web", "in", "all"],
        ["limit", "set", "web", "receive_in", "all", "frames_per_s=1"],
        ["limit", "set", "web", "in", "all", "side=out", "frames_per_s=1"],
        ["limit", "set", "web", "in", "all", "traffic=all", "frames_per_s=1"],
        ["limit", "del", "web", "in"],
        ["limit", "del", "web", "up", "all"],
        ["client", "set", "web/0"],
        ["client", "del"],
        ["explain"],
        ["explain", "web"],
        ["explain", "web", "00", "--read", "x"],
        ["explain", "web", "00", "--count", "1"],
        ["explain", "web", "--drops"],
        ["stats", "--openmetrics", "-j"],
        ["stats", "--openmetrics", "--drops"],
        ["--socket", "", "show"],
        ["--socket", "x" * 200, "show"],
    ):
        run(*args, status=2)


def test_words_may_be_cut_short():
    with results(port_show=PORTS, fdb_show=[]) as d:
        for words in ("port show", "p s", "p", "po list", "port l"):
            check_in("web0", run(*words.split()))
        run("fdb", "sh")
        check([r["do"] for r in d.requests][-1] == "fdb show")
        check_in("may be", run("c", status=2))


def test_options_may_stand_anywhere():
    with results(port_show=PORTS):
        check(json.loads(run("port", "show", "-j")) == PORTS)
        check(json.loads(run("-j", "port", "show")) == PORTS)
        check_in("web0", run("port", "show", "--timeout", "3"))


# What is sent


def test_requests_are_those_of_the_protocol():
    for args, request in (
        ("port show web", {"do": "port show", "port": "web"}),
        (
            "port add tap web mtu=1400 --may-exist",
            {
                "do": "port add",
                "port": {"type": "tap", "name": "web", "mtu": 1400},
                "may_exist": True,
            },
        ),
        (
            "port add stream vm path=vm.sock",
            {
                "do": "port add",
                "port": {
                    "type": "stream",
                    "name": "vm",
                    "path": os.path.join(os.getcwd(), "vm.sock"),
                },
            },
        ),
        (
            "port set vm path=vm.sock",
            {
                "do": "port set",
                "port": "vm",
                "set": {"path": os.path.join(os.getcwd(), "vm.sock")},
            },
        ),
        (
            "port set web mtu=1400",
            {"do": "port set", "port": "web", "set": {"mtu": 1400}},
        ),
        (
            "port set web mtu= addresses=",
            {
                "do": "port set",
                "port": "web",
                "set": {"mtu": None, "addresses": None},
            },
        ),
        (
            "port del web --if-exists",
            {"do": "port del", "port": "web", "if_exists": True},
        ),
        (
            "fdb add 02:00:00:00:00:09 web",
            {"do": "fdb add", "mac": "02:00:00:00:00:09", "port": "web"},
        ),
        (
            "fdb del 02:00:00:00:00:09",
            {"do": "fdb del", "mac": "02:00:00:00:00:09"},
        ),
        ("fdb flush", {"do": "fdb flush"}),
        ("fdb flush web", {"do": "fdb flush", "port": "web"}),
        (
            "filter add web in no-ping 10 drop icmp or icmp6",
            {
                "do": "filter add",
                "port": "web",
                "filter": {
                    "name": "no-ping",
                    "side": "in",
                    "priority": 10,
                    "verdict": "drop",
                    "expr": "icmp or icmp6",
                },
            },
        ),
        (
            "filter del web out no-ping",
            {
                "do": "filter del",
                "port": "web",
                "side": "out",
                "name": "no-ping",
            },
        ),
        (
            "filter add web/0 receive_in no-ping 10 drop icmp",
            {
                "do": "filter add",
                "port": "web/0",
                "filter": {
                    "name": "no-ping",
                    "side": "receive_in",
                    "priority": 10,
                    "verdict": "drop",
                    "expr": "icmp",
                },
            },
        ),
        (
            "filter del web receive_out x --if-exists",
            {
                "do": "filter del",
                "port": "web",
                "side": "receive_out",
                "name": "x",
                "if_exists": True,
            },
        ),
        (
            "client set web/0 queue_octets=65536 weight=3 accept=own "
            "max_addresses=0 default_receive_in=drop",
            {
                "do": "client set",
                "client": "web/0",
                "changes": {
                    "queue_octets": 65536,
                    "weight": 3,
                    "accept": "own",
                    "max_addresses": 0,
                    "default_receive_in": "drop",
                },
            },
        ),
        ("client del web/3", {"do": "client del", "client": "web/3"}),
        (
            "port add attach web path=web.sock max_clients=3",
            {
                "do": "port add",
                "port": {
                    "type": "attach",
                    "name": "web",
                    "path": os.path.join(os.getcwd(), "web.sock"),
                    "max_clients": 3,
                },
            },
        ),
        (
            "limit set web in broadcast frames_per_s=100 burst_frames=10",
            {
                "do": "limit set",
                "owner": "web",
                "limit": {
                    "side": "in",
                    "traffic": "broadcast",
                    "frames_per_s": 100,
                    "burst_frames": 10,
                },
            },
        ),
        (
            "limit del web/0 out all --if-exists",
            {
                "do": "limit del",
                "owner": "web/0",
                "side": "out",
                "traffic": "all",
                "if_exists": True,
            },
        ),
        ("config reload", {"do": "config reload"}),
    ):
        with always({"ok": True}) as d:
            out = run(*args.split()) if "show" not in args else None
            if out is None:
                run(*args.split(), status=1)
            check(not out, out)
            check(d.requests == [request], f"{args}: {d.requests}")


def test_a_wrong_key_is_found_before_the_daemon_is_asked():
    run("port", "add", "tap", "web", "mut=1500", status=1)
    for args, said in (
        ("limit set web in tcp frames_per_s=1", 'traffic: found "tcp"'),
        ("limit set web in all frames_per_s=0", "frames_per_s: found 0"),
        ("limit set web in all burst_frames=9", "burst_frames: there is no"),
        ("limit set web in all frame_per_s=1", 'did you mean "frames_per_s"'),
        ("client set web/0 weight=1025", "weight: found 1025"),
        ("client set web/0 accept=some", "accept: found"),
        ("client set web/0 mtu=1500", "mtu: no such key"),
    ):
        check_in(said, run(*args.split(), status=1))


def test_arguments_that_are_no_text_are_refused():
    bad = os.fsdecode(b"\xff\xfe")
    with always({"ok": True}) as d:
        run("port", "del", bad, status=1)
        run("port", "show", bad, status=1)
        run("port", "add", "tap", bad, status=1)
        run("port", "set", bad, "mtu=1400", status=1)
        run("port", "set", "web", "netns=" + bad, status=1)
        run("filter", "add", "web", "in", "x", "1", "drop", bad, status=1)
        run("capture", "web", bad, status=1)
        run("limit", "set", bad, "in", "all", "frames_per_s=1", status=1)
        run("limit", "set", "web", "in", bad, "frames_per_s=1", status=1)
        run("limit", "del", "web", "in", bad, status=1)
        run("client", "set", bad, "weight=1", status=1)
        run("client", "del", bad, status=1)
        run("explain", bad, "00", status=1)
        check(not d.requests, d.requests)


# What is shown


def test_ports_are_shown_in_columns():
    with results(port_show=PORTS):
        check_rows(
            run("port", "show"),
            "PORT TYPE ROLE LINK MTU MAC MEDIUM ERROR",
            "web tap vif up 1500 02:00:00:00:00:01 web0 -",
            "lan uplink uplink down - - eth0 eth0 has gone",
        )
    with results(port_show=PORTS[:1]):
        check_rows(
            run("port", "show", "web"),
            "web",
            "type tap",
            "addresses 10.0.0.1/24 fd00::1/64",
            "medium",
            "mac 02:00:00:00:00:01",
            "up yes",
            "carries csum tso4",
        )
    with results(port_show=[]):
        check_rows(
            run("port", "show"),
            "PORT TYPE ROLE LINK MTU MAC MEDIUM NETNS ERROR",
        )


def test_show_is_about_the_daemon_and_its_ports():
    daemon = {
        "version": "0.1.0",
        "pid": 1234,
        "uptime_ns": 3 * 3600 * 10**9 + 61 * 10**9,
        "socket": SOCKET,
        "config": None,
        "ports": 2,
        "clients": 1,
        "fdb_entries": 5,
        "pool_used": 2048,
        "pool_octets": 1 << 24,
    }
    with results(show=daemon, port_show=PORTS):
        out = run("show")
        check_in("vnet-switch 0.1.0, pid 1234, up 3 h 1 min\n", out)
        check_in(f"    socket: {SOCKET}\n    config: none\n", out)
        check_in("    now: 2 ports, 1 client, 5 addresses, ", out)
        check_rows(out, "web tap vif up 1500 02:00:00:00:00:01 web0 -")
        check(json.loads(run("show", "-j")) == daemon)


def test_addresses_come_in_pieces():
    entries = [
        {
            "mac": f"02:00:00:00:00:0{i}",
            "port": "web",
            "static": i == 3,
            "age_s": i,
        }
        for i in range(4)
    ]
    pieces = [
        {"ok": True, "result": entries[:1], "more": True},
        {"ok": True, "result": [], "more": True},
        {"ok": True, "result": entries[1:]},
    ]
    with always(*pieces):
        check_rows(
            run("fdb", "show"),
            "ADDRESS AGE PORT",
            "02:00:00:00:00:00 0 s web",
            "02:00:00:00:00:01 1 s web",
            "02:00:00:00:00:02 2 s web",
            "02:00:00:00:00:03 static web",
        )
        out = run("fdb", "show", "-j")
        check(json.loads(out) == entries and out.count("\n") == 1, out)
    with always({"ok": True, "result": []}):
        check_rows(run("fdb", "show"), "ADDRESS AGE PORT")
        check(run("fdb", "show", "-j") == "[]\n")


def test_rules_are_shown_with_the_defaults():
    rules = [
        {
            "port": "web",
            "side": "in",
            "name": "no-ping",
            "priority": 10,
            "verdict": "drop",
            "expr": "icmp or icmp6",
            "hits": 12,
        },
        {
            "port": "web",
            "side": "in",
            "name": "else",
            "priority": 11,
            "verdict": "drop",
            "expr": "",
            "hits": 1,
        },
        {
            "port": "web",
            "side": "in",
            "verdict": "pass",
            "hits": 0,
            "default": True,
        },
        {
            "port": "vm/0",
            "side": "receive_in",
            "name": "x",
            "priority": 0,
            "verdict": "pass",
            "insns": 3,
            "hits": 7,
        },
    ]
    with results(filter_show=rules):
        check_rows(
            run("filter", "show"),
            "OWNER SIDE PRIO NAME VERDICT HITS EXPR",
            "web in 10 no-ping drop 12 icmp or icmp6",
            "web in 11 else drop 1 (all)",
            "web in - - pass 0 (the rest)",
            "vm/0 receive_in 0 x pass 7 (3 instructions)",
        )


def test_clients_are_shown_with_what_they_have():
    clients = [
        {
            "client": "web/0",
            "port": "web",
            "index": 0,
            "mac": "02:00:00:00:00:01",
            "queue_octets": 262144,
            "weight": 1,
            "max_addresses": 0,
            "accept": "all",
        },
        {
            "client": "vm/3",
            "port": "vm",
            "index": 3,
            "mac": "02:00:00:00:00:02",
            "uid": 0,
            "gid": 100,
            "pid": 4711,
            "queue_octets": 65536,
            "weight": 3,
            "max_addresses": 16,
            "accept": "own",
        },
    ]
    with results(client_show=clients) as d:
        check_rows(
            run("client", "show"),
            "CLIENT MAC UID GID PID QUEUE WEIGHT ADDRESSES ACCEPT",
            "web/0 02:00:00:00:00:01 - - - 262144 1 - all",
            "vm/3 02:00:00:00:00:02 0 100 4711 65536 3 16 own",
        )
        check(json.loads(run("client", "show", "vm", "-j")) == clients)
        check(d.requests[-1] == {"do": "client show", "port": "vm"})
    with results(client_show=clients[:1]):
        check_rows(
            run("cl"),
            "CLIENT MAC QUEUE WEIGHT ACCEPT",
            "web/0 02:00:00:00:00:01 262144 1 all",
        )


def test_limits_are_shown_with_what_they_dropped():
    limits = [
        {
            "owner": "web",
            "side": "in",
            "traffic": "broadcast",
            "frames_per_s": 100,
            "burst_frames": 10,
            "dropped": count(7, 700),
        },
        {
            "owner": "vm/3",
            "side": "out",
            "traffic": "all",
            "octets_per_s": 1 << 40,
            "burst_octets": 65536,
            "dropped": count(0, 0),
        },
    ]
    with results(limit_show=limits) as d:
        check_rows(
            run("limit", "show"),
            "OWNER SIDE TRAFFIC FRAMES/S BURST OCTETS/S BURST DROPPED OCTETS",
            "web in broadcast 100 10 - - 7 700",
            "vm/3 out all - - 1099511627776 65536 0 0",
        )
        check(json.loads(run("limit", "show", "vm/3", "-j")) == limits)
        check(d.requests[-1] == {"do": "limit show", "owner": "vm/3"})
    with results(limit_show=[]):
        check_rows(
            run("limit"),
            "OWNER SIDE TRAFFIC FRAMES/S BURST OCTETS/S BURST DROPPED OCTETS",
        )


def test_stats_are_exact_and_the_sums_spelled_out():
    with results(stats=make_stats(3)):
        check_rows(
            run("stats"),
            "PORT LINK IN OCTETS DROPPED DELIVERED OCTETS DROPPED QUEUED",
            "web up 3000 300000 3 3001 400 3 3",
            "db up 6000000 600000000 0 6000004 400 0 3",
            "(total) - 6003000 600300000 3 6003001 400 3 3",
        )
        drops = run("stats", "--drops")
        check_rows(
            drops,
            "web: vif, up",
            "in 3000 = 3 dropped + 2997 looked up",
            "3 ingress_filter by a rule, or the default, of side in",
            "out 3000 + 7 segments = 3001 delivered + 3 queued + 3 dropped",
            "3 queue_full the port takes frames too slowly",
        )
        check("malformed" not in drops and "db" not in drops, drops)
    with results(stats=make_stats(3, ["web"])):
        check_rows(
            run("stats", "web"),
            "web: vif, up",
            "FRAMES OCTETS",
            "in 3000 300000",
            "looked up 2997 299700",
            "queued 3 300",
        )
    stats = make_stats(3, ["web"])
    stats["ports"][0]["clients"] = [
        client_stats("web/0", 5, 1),
        client_stats("web/7", 8, 2),
    ]
    stats["ports"][0]["in"].update(moves=1, moves_refused=2)
    stats["totals"]["originated"] = count(4, 240)
    with results(stats=stats):
        check_rows(
            run("stats", "web"),
            "moves: 1 address came from elsewhere, "
            "2 frames from what stays there",
            "CLIENT IN OCTETS DROPPED DELIVERED OCTETS DROPPED QUEUED",
            "web/0 5 500 1 8 400 1 3",
            "web/7 8 800 2 10 400 2 3",
        )
        check_in("; 4 frames of its own", run("stats"))
    with results(stats=make_stats(3, balanced=False)):
        check_in("do not agree", run("stats", status=1))


def test_config_is_shown_as_a_file():
    config = {"ports": [{"name": "web", "type": "tap"}]}
    with results(config_show=config):
        out = run("config", "show")
        check_in('name = "web";\n', out)
        check(" \n" not in out and out.endswith(";\n"), out)
        check(json.loads(run("config", "show", "-j")) == config)


def test_names_do_not_reach_the_terminal_as_commands():
    evil = "\033[2J\r\n\x07\u009b2J"
    event = {"event": evil, "port": evil, "time_ns": 1, "error": evil}
    stats = make_stats(1, [evil])
    ports = [{"name": evil, "type": evil, "error": evil, evil: evil}]
    rules = [{"port": evil, "expr": evil, "name": evil}]
    daemon = {"version": evil, evil: evil}
    fdb = [{"mac": evil, "port": evil}]
    steps = [{"step": evil, "result": evil, "detail": evil}]
    explained = {
        "steps": steps,
        "dests": [{"client": evil, "reach": evil, "drop": evil, "steps": steps}],
    }
    with results(
        show=daemon,
        client_show=[{"client": evil, "mac": evil, "uid": evil}],
        limit_show=[{"owner": evil, "side": evil, "dropped": count(1, 1)}],
        explain=explained,
        port_show=ports,
        stats=stats,
        filter_show=rules,
        fdb_show=fdb,
    ):
        for args in (
            "show",
            "port show",
            "port show x",
            "stats",
            "stats x",
            "stats --drops",
            "filter show",
            "fdb show",
            "client show",
            "limit show",
            "explain x 00",
            "stats --openmetrics",
            "top -n 1 -d 0.01",
        ):
            out = run(*args.split())
            check(re.fullmatch(r"[\n -~]*", out), f"{args}: {out!r}")
    with always({"ok": True}, event, None):
        p = subprocess.run(command("monitor"), capture_output=True)
        check(re.fullmatch(rb"[\n -~]*", p.stdout), p.stdout)
    with always({"ok": False, "error": evil}):
        check(re.fullmatch(r"[ -~]*\n", run("port", "del", "x", status=1)))


def test_output_that_cannot_be_written_is_an_error():
    with results(port_show=PORTS), open("/dev/full", "wb") as full:
        p = subprocess.run(
            command("port", "show"), stdout=full, stderr=subprocess.PIPE
        )
        check(p.returncode == 1 and b"No space" in p.stderr, p.stderr)


# What goes wrong


def test_no_daemon_is_said():
    check_in("is vnet-switch running?", run("show", status=1))
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(SOCKET)
        check_in("is vnet-switch running?", run("show", status=1))
    os.unlink(SOCKET)


def test_no_permission_is_said():
    if os.geteuid() != 0:
        return
    with always({"ok": True}):
        os.chmod(SOCKET, 0o600)
        os.chmod(WORK.name, 0o755)
        p = subprocess.run(
            command("fdb", "flush"),
            stderr=subprocess.PIPE,
            user=65534,
            timeout=PATIENCE,
        )
        if b"vnetctl:" in p.stderr:  # else the program is out of reach
            check(b"permission denied" in p.stderr, p.stderr)
            check(p.returncode == 1)


def test_what_the_daemon_refuses_is_said():
    with always({"ok": False, "error": "there is no port web"}):
        err = run("port", "del", "web", status=1)
        check(err == "vnetctl: there is no port web\n", err)


def test_a_daemon_that_hangs_is_left():
    with always(b'{"ok":'):
        check_in("within 0.2 s", run("show", "--timeout", "0.2", status=1))

    def drip(connection):
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b" ")
                time.sleep(0.02)

    with always(drip):
        check_in("within 0.2 s", run("show", "--timeout", "0.2", status=1))


def test_a_daemon_that_takes_no_connection_is_left():
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(SOCKET)
        s.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for one in waiting:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(SOCKET)
        check_in("within 0.2 s", run("show", "--timeout", "0.2", status=1))
        for one in waiting:
            one.close()
    os.unlink(SOCKET)


def test_a_daemon_that_dies_is_said():
    with Daemon(lambda _: None):
        check_in("hung up", run("show", status=1))
    with always(b'{"ok": true, "res', None):
        check_in("hung up", run("fdb", "show", status=1))
    with always({"ok": True, "result": [], "more": True}, None):
        check_in("hung up", run("port", "show", status=1))


BROKEN = [
    b"\n",
    b"\0\0\0\n",
    b"hello\n",
    b"[]\n",
    b"{}\n",
    b'{"ok":1}\n',
    b'{"ok":null,"error":"x"}\n',
    b'{"ok":false}\n',
    b'{"ok":false,"error":{}}\n',
    b'{"ok":true}\n',
    b'{"ok":true,"result":7}\n',
    b'{"ok":true,"result":null}\n',
    b'{"ok":true,"result":"x"}\n',
    b'{"ok":true,"result":99999999999999999999999}\n',
    b'{"ok":true,"result":' + b"[" * 100000 + b"\n",
    b"\xff\xfe\xfd\n",
    b'{"ok":true,"result":[],"more":true}\n{"ok":true,"result":{}}\n',
    b'{"ok":true,"result":{},"more":true}\n{"ok":true,"result":[]}\n',
]

# Right outside, wrong inside: whatever is printed, nothing crashes.
ODD = [
    [],
    {},
    [None, 1, "x", [], {}],
    {"ports": 7, "totals": [], "time_ns": -1},
    {"ports": [None, [], {"in": 1, "out": {"dropped": []}}]},
    {
        "ports": [
            {
                "name": [],
                "link": 5,
                "in": {"frames": -5, "octets": 1.5},
                "queue": {"frames": 2**63 - 1},
                "drops": {"in": {"x": "y", "z": -1}, "out": []},
            }
        ],
        "totals": {"in": {"frames": 2**63 - 1, "dropped": {"frames": -1}}},
    },
    [{"medium": 3, "name": "x" * 1000, "carries": [["x"]]}],
    [{"name": "x", "medium": {"carries": ["y" * 400, {}]}}],
    {"steps": [None, {"step": 1}], "dests": [7, {}, {"steps": {}}]},
    {"ports": [{"name": "x" * 500, "clients": [3, {"client": '"' * 500}]}]},
]

ASKING = (
    "show",
    "port show",
    "port show x",
    "filter show",
    "fdb show",
    "stats",
    "stats x",
    "stats --drops",
    "stats --openmetrics",
    "client show",
    "limit show",
    "explain x 00",
    "config show",
    "top -n 2 -d 0.01",
    "port show -j",
    "stats -j",
)


def check_survives(args):
    p = subprocess.run(
        command(*args.split()), capture_output=True, timeout=PATIENCE
    )
    err = p.stderr.decode()
    check(p.returncode in (0, 1), f"{args}: {p.returncode}: {err}")
    check(len(err.splitlines()) == p.returncode, err)


def test_a_broken_daemon_does_no_harm():
    for octets in BROKEN:
        with always(octets):
            for args in (*ASKING, "monitor", "capture x", "fdb flush"):
                # These are content with "ok", and wait.
                if octets.startswith(b'{"ok":true') and args in (
                    "monitor",
                    "capture x",
                ):
                    continue
                check_survives("--timeout 0.3 " + args)


def test_odd_results_do_no_harm():
    for result in ODD:
        with always({"ok": True, "result": result}):
            for args in ASKING:
                check_survives("--timeout 0.3 " + args)


def test_answers_are_bounded():
    def flood(connection):
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b" " * (1 << 20))

    with always(flood):
        check_in("that is no vnet-switch", run("show", status=1))

    piece = json.dumps(
        {"ok": True, "result": ["x" * 4000000], "more": True}
    ).encode()

    def endless(connection):
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(piece + b"\n")

    with always(endless):
        check_in("has no end", run("port", "show", status=1))


# Events


EVENTS = [
    {"event": "link_up", "port": "web", "time_ns": 10**9, "count": 1},
    {
        "event": "address_moved",
        "port": "web",
        "time_ns": 2 * 10**9,
        "count": 3,
        "mac": "02:00:00:00:00:01",
    },
    {"event": "driver_error", "port": "web", "time_ns": 1, "error": "gone"},
    {"event": "limited", "port": "vm", "client": "vm/3", "time_ns": 1},
]


def test_events_are_a_line_each():
    with always({"ok": True}, *EVENTS, None):
        p = subprocess.run(
            command("monitor"), capture_output=True, timeout=PATIENCE
        )
        check(p.returncode == 1 and b"hung up" in p.stderr, p.stderr)
        lines = p.stdout.decode().splitlines()
        check(len(lines) == 4, lines)
        for line, rest in zip(
            lines,
            (
                "link_up         web",
                "address_moved   web              02:00:00:00:00:01  3 times",
                "driver_error    web              gone",
                "limited         vm/3",
            ),
        ):
            found = re.fullmatch(
                r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}  (.*)", line
            )
            check(found and found[1] == rest, line)
            check(len(line) < 96, line)
        p = subprocess.run(
            command("monitor", "-j"), capture_output=True, timeout=PATIENCE
        )
        check([json.loads(line) for line in p.stdout.splitlines()] == EVENTS)


def test_an_event_is_shown_at_once():
    with always({"ok": True}, EVENTS[0], lambda _: time.sleep(PATIENCE)):
        with subprocess.Popen(command("monitor"), stdout=subprocess.PIPE) as p:
            check_in(b"link_up", p.stdout.readline())
            p.kill()


run_tests(globals())
