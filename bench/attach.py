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
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "netns"))
sys.dont_write_bytecode = True
from hosts import (  # noqa: E402
    BUILD, PATIENCE_S, SENDER_CPU, SWITCH_CPU, WORK, Failed, add_host, built,
    figures, helper, in_host, ip, iperf, main, need, pin, run, start_vnet_switch,
    vnet_switch_command,
)

SOCKET = WORK / "vnet-switch.sock"
ENTRANCE = WORK / "vnet-switch.sock.attach"
VDE = WORK / "vde"

FRAMES_S = 2
ASKERS = 7
ROUND_TRIPS = 3000  # of each, in a turn
TURNS = 5


def attach_helper(name):
    return built(BUILD / "bench" / f"bench_attach_{name}")


# The systems. Making one starts it; an end of it is what bench/attach/end.h
# says, a plug is a process that makes a TAP one.


class VnetSwitch:
    """With ports to attach at."""

    def __init__(self, *ports):
        config = WORK / "attach.conf"
        rows = ", ".join(f'{{ type = "attach"; name = "{p}"; }}' for p in ports)
        config.write_text(f"ports = ({rows});\n")
        start_vnet_switch(*vnet_switch_command(SOCKET), "--config", str(config))

    @staticmethod
    def end(port):
        return f"attach:{ENTRANCE}:{port}"

    @staticmethod
    def plug(port, interface):
        plug = built(BUILD / "examples/vnet-plug")
        return [plug, "-s", ENTRANCE, "-v", port, "-i", interface]


class VdeSwitch:
    """With a vde_plug at each end, where they were fastest."""

    def __init__(self, *_ports):
        need("vde_plug", "vdeplug")
        # It would end with its input.
        self.process = subprocess.Popen(
            [need("vde_switch", "vde2"), "-sock", VDE],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            preexec_fn=pin(SWITCH_CPU),
        )
        end = time.monotonic() + PATIENCE_S
        while not (VDE / "ctl").exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed("vde_switch does not start")
            time.sleep(0.01)

    @staticmethod
    def end(_port):
        return f"vde:{VDE}:{SENDER_CPU}"

    @staticmethod
    def plug(_port, interface):
        return ["vde_plug", VDE, f"tap://{interface}"]


# The cases of all systems.


def frames60(system):
    switch = system("a", "b")
    got = figures(
        run(attach_helper("frames"), switch.end("a"), SENDER_CPU,
            switch.end("b"), SWITCH_CPU, FRAMES_S)
    )
    if got["received"] > got["sent"]:
        raise Failed(f"more frames came than went: {got}")
    return {
        "Mframes/s": got["received"] / got["seconds"] / 1e6,
        "sent": int(got["sent"]),
        "received": int(got["received"]),
    }


def plug_in(switch, host, cpu, address):
    """A TAP in a host, which a process there connects with the switch."""
    interface = "t" + host
    add_host(host)
    process = subprocess.Popen(
        ["ip", "netns", "exec", host, *switch.plug(host, interface)],
        stdout=subprocess.DEVNULL,
        preexec_fn=pin(cpu),
    )
    end = time.monotonic() + PATIENCE_S
    while interface not in ip("-n", host, "-br", "link"):
        if process.poll() is not None or time.monotonic() > end:
            raise Failed(f"{process.args[4]} makes no {interface}")
        time.sleep(0.01)
    ip("-n", host, "link", "set", interface, "up")
    ip("-n", host, "address", "add", address + "/24", "dev", interface)


def tcp1(system):
    need("iperf3", "iperf3")
    switch = system("a", "b")
    plug_in(switch, "a", SENDER_CPU, "10.0.0.1")
    plug_in(switch, "b", SWITCH_CPU, "10.0.0.2")
    return iperf("a", "b", "10.0.0.2")


# The cases of vnet-switch alone: what a flood of one costs the others.


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


def fair_sessions(system):
    """Those who ask, and the flooder, are clients of one vif."""
    switch = system("hosts", "echo")
    ends = [switch.end("hosts")] * ASKERS

    def ask():
        return figures(
            run(attach_helper("rtt"), ",".join(ends), switch.end("echo"),
                SENDER_CPU, ROUND_TRIPS)
        )

    flood = Flood(attach_helper("flood"), ends[0], SENDER_CPU)
    return alone_and_flooded(ask, flood)


OURS = {"vnet-switch": VnetSwitch}
ALL = {"vde_plug": VdeSwitch, **OURS}
CASES = {
    "frames60": (frames60, ALL),
    "tcp1": (tcp1, ALL),
    "fair_sessions": (fair_sessions, OURS),
    "fair_taps": (fair_taps, OURS),
}

sys.exit(main(__doc__, CASES, OURS, lambda: None))
