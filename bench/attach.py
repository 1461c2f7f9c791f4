#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures local attachment, and what one client's flood costs the others.

usage: attach.py --list
       attach.py CASE SYSTEM

bench/README.md says what the cases are.
"""
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "netns"))
sys.dont_write_bytecode = True
from hosts import (  # noqa: E402
    SENDER_CPU, SWITCH_CPU, WORK, Failed, add_host, figures, helper, in_host,
    main, run, start_vnet_switch, vnet_switch_command, vnetctl,
)

SOCKET = WORK / "vnet-switch.sock"

ASKERS = 7
ROUND_TRIPS = 3000  # of each, in a turn
TURNS = 5


class Flood:
    """Processes that flood, while they are wanted."""

    def __init__(self, *command):
        self.command = [str(word) for word in command]

    def __enter__(self):
        self.process = subprocess.Popen(self.command)

    def __exit__(self, *_):
        if self.process.poll() is not None:
            raise Failed("the flood has ended by itself")
        self.process.kill()
        self.process.wait()


def alone_and_flooded(ask, flood):
    """In turn, so that what disturbs the machine disturbs both."""
    alone, flooded = [], []
    for _ in range(TURNS):
        alone.append(ask())
        with flood:
            flooded.append(ask())
    us = {}
    for name in ("p99", "p50"):
        us[name] = statistics.median(got[name] for got in alone)
        us[name + "_flooded"] = statistics.median(got[name] for got in flooded)
    ratio = us["p99_flooded"] / us["p99"]
    return {"ratio": ratio, **{f"us_{name}": us[name] for name in us}}


def fair_taps(_system):
    hosts = [f"h{i}" for i in range(ASKERS)]
    command = vnet_switch_command(SOCKET)
    for i, host in enumerate([*hosts, "flooder", "echo"]):
        add_host(host)
        mac, address = f"02:00:00:00:01:{i:02x}", f"10.0.0.{i + 1}/24"
        where = f"netns={host},mac={mac},address={address}"
        command += ["--tap", f"t{host},{where}"]
    start_vnet_switch(*command)
    # The switch knows who is where.
    for host in [*hosts, "flooder"]:
        in_host(host, "ping", "-q", "-c", "1", f"10.0.0.{ASKERS + 2}")

    def ask():
        return figures(
            run(helper("rtt"), ",".join(hosts), SENDER_CPU, "echo", SENDER_CPU,
                f"10.0.0.{ASKERS + 2}", ROUND_TRIPS)
        )

    flood = Flood(helper("flood"), "flooder", "tflooder", SENDER_CPU,
                  f"02:00:00:00:01:{ASKERS + 1:02x}")
    return alone_and_flooded(ask, flood)


OURS = {"vnet-switch": None}
CASES = {
    "fair_taps": (fair_taps, OURS),
}

sys.exit(main(__doc__, CASES, OURS, lambda: None))
