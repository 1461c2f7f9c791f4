#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Completion in bash.

usage: vnetctl_completion.py VNETCTL COMPLETION
"""
import os
import subprocess
import sys

from vnetctl_support import (
    PATIENCE,
    PORTS,
    SOCKET,
    VNETCTL,
    check,
    results,
    run_tests,
)

COMPLETION = os.path.abspath(sys.argv[2])


def complete(line, name="vnetctl"):
    script = (
        f"source {COMPLETION}\n"
        'COMP_LINE=$1; COMP_POINT=${#1}; read -ra COMP_WORDS <<<"$1"\n'
        '[[ $1 == *" " ]] && COMP_WORDS+=("")\n'
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
        f'_{name.replace("-", "_")} {name} "${{COMP_WORDS[COMP_CWORD]}}" ""\n'
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    p = subprocess.run(
        ["bash", "-c", script, "bash", line],
        capture_output=True,
        timeout=PATIENCE,
        text=True,
        env={
            **os.environ,
            "PATH": os.path.dirname(VNETCTL) + ":" + os.environ["PATH"],
        },
    )
    check(not p.stderr, p.stderr)
    return sorted(word.rstrip() for word in p.stdout.split("\n") if word)


def check_completes(line, *words, name="vnetctl"):
    found = complete(line, name)
    for word in words:
        check(word in found, f"{line!r}: {word} is not in {found}")


def test_words_are_completed():
    check_completes("vnetctl ", "show", "port", "filter", "capture", "top")
    check(complete("vnetctl po") == ["port"])
    check(complete("vnetctl -j po") == ["port"])
    check(complete("vnetctl port ") == ["add", "del", "set", "show"])
    check_completes("vnetctl port add ", "tap", "uplink", "stream", "attach")
    check_completes("vnetctl port add tap web m", "mtu=", "mac=", "mode=")
    check_completes("vnetctl port add tap web mode=", "any", "create")
    check_completes("vnetctl port add --", "--may-exist", "--json")
    check_completes("vnetctl --", "--json", "--socket")
    check_completes("vnetctl capture web --", "--write", "--count", "--json")
    check_completes("vnetctl top --", "--delay", "--json")
    check_completes("vnetctl explain web --", "--read", "--count")
    check_completes("vnetctl stats --", "--openmetrics", "--drops")
    check_completes("vnetctl limit set web in all f", "frames_per_s=")
    check("side=" not in complete("vnetctl limit set web in all s"))
    check_completes("vnetctl client set web/0 accept=", "all", "own")
    check_completes("vnetctl grant add a ", "mac=", "rate.frames_per_s=")
    check_completes("vnetctl grant set a may=", "dhcp", "tunnel")
    check_completes("vnetctl help ", "port", "top")
    check(complete("vnetctl help port s") == ["set", "show"])
    check("lo" not in complete("vnetctl port add tap "))
    check("lo" not in complete("vnetctl port add uplink "))
    check("netns=" in complete("vnetctl port add tap web n"))
    check("netns=" not in complete("vnetctl port add stream vm n"))
    check("netns=" not in complete("vnetctl port add attach web n"))
    check_completes("vnetctl port add attach web ", "siblings=", "sticky=")
    check(complete("vnetctl port show --dr") == [])
    check(complete("vnetctl port del ") == [])
    check_completes("vnet-switch --", "--config", "--tap", name="vnet-switch")
    check_completes("vnet-switch --log ", "debug", name="vnet-switch")
    check_completes("vnet-switch --log=d", "debug", name="vnet-switch")
    for line, word in (
        ("--tap web0,m", "web0,mtu="),
        # Bash takes what ends in = for a word of its own.
        ("--tap web0,mtu=9000,na", "9000,name="),
        ("--stream vm.sock,mode=c", "connect"),
        ("--attach web,max_c", "web,max_clients="),
        ("--tap=web0,mt", "web0,mtu="),
    ):
        check_completes(f"vnet-switch {line}", word, name="vnet-switch")


def test_names_are_completed():
    rules = [
        {"port": "web", "side": "in", "name": "no-ping"},
        {"port": "web", "side": "out", "name": "else"},
        {"port": "web", "side": "in", "default": True},
    ]
    fdb = [
        {"mac": f"02:00:00:00:00:0{i}", "port": "web", "age_s": i}
        for i in range(3)
    ]
    clients = [{"client": "lan/0"}, {"client": "web/0"}]
    grants = [{"name": "alice"}, {"name": "lab"}]
    with results(
        grant_show=grants,
        port_show=PORTS,
        filter_show=rules,
        fdb_show=fdb,
        client_show=clients,
    ):
        vnetctl = f"vnetctl -s {SOCKET} "
        for args in (
            "port del ",
            "port delete ",
            "port set ",
            "port show ",
            "stats ",
            "capture ",
            "fdb flush ",
            "fdb add 02:00:00:00:00:01 ",
            "client show ",
        ):
            check(complete(vnetctl + args) == ["lan", "web"], args)
        for args in (
            "filter show ",
            "filter add ",
            "filter del ",
            "limit show ",
            "limit set ",
            "limit del ",
        ):
            check(
                complete(vnetctl + args) == ["lan", "lan/0", "web", "web/0"],
                args,
            )
        for args in "client set ", "client del ", "explain ":
            check(complete(vnetctl + args) == ["lan/0", "web/0"], args)
        for args in "grant show ", "grant set ", "grant revoke ":
            check(complete(vnetctl + args) == ["alice", "lab"], args)
        check(complete(vnetctl + "grant add ") == [])
        check(
            complete(vnetctl + "grant prove ")
            == ["alice", "lab", "lan/0", "web/0"]
        )
        for args in "grant set alice parent=", "port set web grant=":
            check(complete(vnetctl + args) == ["alice", "lab"], args)
        check(complete(vnetctl + "port del w") == ["web"])
        check(complete(vnetctl + "port list w") == ["web"])
        # Bash takes what ends in a colon for words of their own.
        check(complete(vnetctl + "fdb del ") == [e["mac"] for e in fdb])
        check(complete(vnetctl + "fdb del 02:00:00:00:00:") == ["00", "01", "02"])
        receive = ["receive_in", "receive_out"]
        check(complete(vnetctl + "filter add web ") == ["in", "out", *receive])
        check(complete(vnetctl + "filter add web/0 ") == receive)
        check(complete(vnetctl + "limit set web/0 ") == ["in", "out"])
        check(
            complete(vnetctl + "limit del web in ")
            == ["all", "broadcast", "multicast", "unknown"]
        )
        check(
            complete(vnetctl + "filter add web in x 10 ") == ["drop", "pass"]
        )
        check(complete(vnetctl + "filter del web in ") == ["no-ping"])
        check(complete(vnetctl + "filter del web out ") == ["else"])


run_tests(globals())
