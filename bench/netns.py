#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures switches that are programs, and the kernel's, between two hosts.

usage: netns.py --list
       netns.py CASE SYSTEM

    host a [ta]---- switch ----[tb] host b

The hosts are network namespaces, and the switch is in a third one, all of them
inside namespaces that end with this program. bench/README.md says what the
cases are.
"""
import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "netns"))
sys.dont_write_bytecode = True
from hosts import (  # noqa: E402
    SENDER_CPU, SWITCH_CPU, WORK, Failed, Skipped, add_host, figures, helper,
    in_host, ip, ip_if_possible, iperf, main, need, pin, run,
    start_vnet_switch, vnet_switch_command, vnetctl, wait_for_interface,
)

FRAMES_S = 2
ROUND_TRIPS = 20000
IDLE_TAPS = 1000

# By the interface.
HOSTS = {"ta": "a", "tb": "b"}
MACS = {"ta": "02:00:00:00:00:0a", "tb": "02:00:00:00:00:0b"}
ADDRESSES = {"ta": "10.0.0.1", "tb": "10.0.0.2"}


# Hosts and interfaces


def set_up_hosts():
    for host in HOSTS.values():
        add_host(host)


def set_up_interface(name):
    where = ("-n", HOSTS[name])
    ip(*where, "link", "set", name, "address", MACS[name], "up")
    ip(*where, "address", "add", ADDRESSES[name] + "/24", "dev", name)


def counters(name):
    """What an interface, of a host or of the switch, has counted."""
    where = ("-n", HOSTS[name]) if name in HOSTS else ()
    (link,) = json.loads(ip(*where, "-j", "-s", "link", "show", "dev", name))
    return link["stats64"]


# The systems. Making one starts it. Its drops() are two numbers: frames from ta
# to tb that it has dropped, and those that the kernel has dropped beside it.


class Bridge:
    """With veth: [ta]--[sa] bridge [sb]--[tb]."""

    def __init__(self):
        ip_if_possible("bridge", "link", "add", "br0", "type", "bridge",
                       "forward_delay", "0", "mcast_snooping", "0")
        for name, port in (("ta", "sa"), ("tb", "sb")):
            ip_if_possible("veth", "link", "add", port, "type", "veth",
                           "peer", "name", name, "netns", HOSTS[name])
            ip("link", "set", port, "master", "br0", "up")
            set_up_interface(name)
        ip("link", "set", "br0", "up")

    def drops(self):
        sa, sb = counters("sa"), counters("sb")
        # Of a veth: what the other end's processor had no room for.
        refused = sb["tx"]["dropped"]
        switch = sa["rx"]["packets"] - sb["tx"]["packets"] - refused
        return switch, host_drops() + refused


class OfTaps:
    """A process that makes TAPs ta and tb where it runs."""

    def __init__(self, *command, **options):
        self.process = subprocess.Popen(
            command, preexec_fn=pin(SWITCH_CPU), **options
        )
        for name in HOSTS:
            wait_for_interface(name, self.process)
            ip("link", "set", name, "netns", HOSTS[name])
            set_up_interface(name)

    def drops(self):
        # What it has read, less what it has written.
        taken = counters("ta")["tx"]["packets"]
        return taken - counters("tb")["rx"]["packets"], host_drops()


class TapLoop(OfTaps):
    def __init__(self):
        super().__init__(helper("tap_loop"), *HOSTS)


class VdeSwitch(OfTaps):
    def __init__(self):
        taps = [word for name in HOSTS for word in ("-tap", name)]
        # It would end with its input.
        super().__init__(need("vde_switch", "vde2"), "-sock", WORK / "vde",
                         *taps, stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL)


class VnetSwitch:
    SOCKET = WORK / "vnet-switch.sock"

    def __init__(self, *options):
        self.process = start_vnet_switch(*self.command(), *options)

    @classmethod
    def command(cls):
        words = vnet_switch_command(cls.SOCKET)
        for name, host in HOSTS.items():
            where = f"mac={MACS[name]},address={ADDRESSES[name]}/24"
            words += ["--tap", f"{name},netns={host},{where}"]
        return words

    def stats(self):
        return vnetctl(self.SOCKET, "stats")

    def drops(self):
        stats = self.stats()
        if not stats["balanced"]:
            raise Failed("the sums of vnet-switch do not agree")
        sides = (stats["totals"][side] for side in ("in", "out"))
        return sum(side["dropped"]["frames"] for side in sides), host_drops()


def host_drops():
    return counters("ta")["tx"]["dropped"] + counters("tb")["rx"]["dropped"]


# The cases of all systems. Each returns its figures by their units.


def tcp1(system):
    need("iperf3", "iperf3")
    system()
    return iperf("a", "b", ADDRESSES["tb"])


def frames60(system):
    frames = helper("frames")
    switch = system()
    before = switch.drops()
    got = figures(
        run(frames, "a", "ta", SENDER_CPU, "b", "tb", SWITCH_CPU, FRAMES_S)
    )
    after = switch.drops()
    got["drops_switch"] = after[0] - before[0]
    got["drops_kernel"] = after[1] - before[1] + got["dropped"]
    found = got["received"] + got["drops_switch"] + got["drops_kernel"]
    if got["sent"] != found:
        raise Failed(f"the frames do not add up: {got}")
    rows = ("sent", "received", "drops_switch", "drops_kernel")
    return {
        "Mframes/s": got["received"] / got["seconds"] / 1e6,
        **{row: int(got[row]) for row in rows},
    }


def rtt_p50(system):
    rtt = helper("rtt")
    system()
    got = figures(
        run(rtt, "a", SENDER_CPU, "b", SWITCH_CPU, ADDRESSES["tb"], ROUND_TRIPS)
    )
    return {"us": got["p50"], "us_p99": got["p99"]}


# The cases of vnet-switch alone.


def start(system):
    command = [*system.command(), "--tap", "tc"]
    got = figures(run(helper("start"), "a", "ta", "b", *command))
    return {"ms": got["start"], "ms_end": got["end"]}


def rss_1000(system):
    port = '{{ type = "tap"; name = "t{}"; }}'
    ports = ",\n".join(map(port.format, range(IDLE_TAPS)))
    config = WORK / "idle.conf"
    config.write_text(
        f"switch = {{ max_ports = {IDLE_TAPS + 2}; }};\nports = ({ports});\n"
    )
    switch = system("--config", str(config))
    in_host("a", "ping", "-q", "-c", "3", "-i", "0.2", ADDRESSES["tb"])
    idle = resident(switch.process)
    # No page of the pool is in memory until a queue has needed it.
    if switch.stats()["totals"]["pool"]["used"]:
        raise Failed("frames are queued")
    return {"octets": idle, "octets_asked": resident(switch.process)}


def resident(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s*(\d+) kB$", status, re.MULTILINE)[1]) << 10


PEERS = {"bridge": Bridge, "vde_switch": VdeSwitch, "tap_loop": TapLoop}
OURS = {"vnet-switch": VnetSwitch}
CASES = {
    "tcp1": (tcp1, {**PEERS, **OURS}),
    "frames60": (frames60, {**PEERS, **OURS}),
    "rtt_p50": (rtt_p50, {**PEERS, **OURS}),
    "start": (start, OURS),
    "rss_1000": (rss_1000, OURS),
}


sys.exit(main(__doc__, CASES, OURS, set_up_hosts))
