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
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

SKIPPED = 77  # exit status
TIMEOUT_S = 120  # for all of a measurement
PATIENCE_S = 10  # for what comes soon or not at all

TCP_S, TCP_OMIT_S = 3, 1
FRAMES_S = 2
ROUND_TRIPS = 20000
IDLE_TAPS = 1000

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BENCH_BUILD", ROOT / "build/release"))
VNET_SWITCH = BUILD / "examples/vnet-switch/vnet-switch"
VNETCTL = BUILD / "examples/vnetctl/vnetctl"
WORK = pathlib.Path("/run")  # a tmpfs of our own

# By the interface.
HOSTS = {"ta": "a", "tb": "b"}
MACS = {"ta": "02:00:00:00:00:0a", "tb": "02:00:00:00:00:0b"}
ADDRESSES = {"ta": "10.0.0.1", "tb": "10.0.0.2"}

# Who sends or asks has one processor; the switch, and who receives or answers,
# have the other.
CPUS = sorted(os.sched_getaffinity(0))
SENDER_CPU, SWITCH_CPU = CPUS[0], CPUS[-1]


class Skipped(Exception):
    """It cannot be measured here."""


class Failed(Exception):
    """It went wrong."""


# Programs


def need(tool, package):
    path = shutil.which(tool)
    if not path:
        raise Skipped(f"no {tool} (package {package})")
    return path


def built(path):
    if not os.access(path, os.X_OK):
        raise Skipped(f"no {path}: it has not been built")
    return path


def helper(name):
    return built(BUILD / "bench" / f"bench_netns_{name}")


def pin(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


def run(*words, **options):
    """What a command prints."""
    words = [str(word) for word in words]
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        **options,
    )
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise Failed(f"{' '.join(words)[:200]}: {said[-1000:]}")
    return done.stdout


def figures(text):
    """Of lines of a name and a number."""
    pairs = (line.split() for line in text.splitlines())
    return {name: float(number) for name, number in pairs}


# Hosts and interfaces


def ip(*words):
    return run("ip", *words)


def in_host(host, *words, **options):
    return run("ip", "netns", "exec", host, *words, **options)


def ip_if_possible(what, *words):
    """For what not every kernel has."""
    try:
        ip(*words)
    except Failed as why:
        if re.search("not supported|[Uu]nknown device type", str(why)):
            raise Skipped(f"this kernel has no {what}") from None
        raise


# Else the hosts would say of themselves what is not to be counted.
WITHOUT_IPV6 = """
for conf in all default; do
    file=/proc/sys/net/ipv6/conf/$conf/disable_ipv6
    if [ -e $file ]; then echo 1 >$file; fi
done
"""


def set_up_hosts():
    run("sh", "-c", WITHOUT_IPV6)
    for host in HOSTS.values():
        ip("netns", "add", host)
        in_host(host, "sh", "-c", WITHOUT_IPV6)
        ip("-n", host, "link", "set", "lo", "up")


def set_up_interface(name):
    where = ("-n", HOSTS[name])
    ip(*where, "link", "set", name, "address", MACS[name], "up")
    ip(*where, "address", "add", ADDRESSES[name] + "/24", "dev", name)


def counters(name):
    """What an interface, of a host or of the switch, has counted."""
    where = ("-n", HOSTS[name]) if name in HOSTS else ()
    (link,) = json.loads(ip(*where, "-j", "-s", "link", "show", "dev", name))
    return link["stats64"]


def wait_for_interface(name, process):
    end = time.monotonic() + PATIENCE_S
    while name not in (known for _, known in socket.if_nameindex()):
        if process.poll() is not None:
            raise Failed(f"{process.args[0]} ends with {process.returncode}")
        if time.monotonic() > end:
            raise Failed(f"{process.args[0]} does not make {name}")
        time.sleep(0.01)


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
        ready, fd = os.pipe()
        self.process = subprocess.Popen(
            [*self.command(), "--ready-fd", str(fd), *options], pass_fds=[fd]
        )
        os.close(fd)
        if os.read(ready, 6) != b"ready\n":
            raise Failed("vnet-switch does not start")

    @classmethod
    def command(cls):
        words = [str(built(VNET_SWITCH)), "--log", "warning"]
        words += ["--socket", str(cls.SOCKET), "--cpu", str(SWITCH_CPU)]
        for name, host in HOSTS.items():
            where = f"mac={MACS[name]},address={ADDRESSES[name]}/24"
            words += ["--tap", f"{name},netns={host},{where}"]
        return words

    def stats(self):
        return json.loads(run(built(VNETCTL), "-s", self.SOCKET, "-j", "stats"))

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
    iperf3 = need("iperf3", "iperf3")
    system()
    server = subprocess.Popen(
        ["ip", "netns", "exec", "b", iperf3, "-s", "-1", "--forceflush"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=pin(SWITCH_CPU),
    )
    if not any("listening" in line for line in server.stdout):
        raise Failed("iperf3 -s does not start")
    out = in_host(
        "a", iperf3, "-c", ADDRESSES["tb"], "-t", TCP_S, "-O", TCP_OMIT_S, "-J",
        preexec_fn=pin(SENDER_CPU),
    )
    received = json.loads(out)["end"]["sum_received"]
    return {"Gb/s": received["bits_per_second"] / 1e9}


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


def print_list():
    print("unpinned")  # as a whole
    for case, (_, systems) in CASES.items():
        for system in systems:
            print(case, system, "ours" if system in OURS else "peer", "-")


def enter():
    """Does not return: goes on as the first process of a PID namespace, with
    which all ends that is left in it."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise Skipped("/dev/net/tun is not there, or not for this user")
    words = [need("unshare", "util-linux"), "-nmpf", "--mount-proc"]
    words += ["--kill-child"]
    if os.geteuid() != 0:
        words += ["-U", "--map-user=1000", "--map-group=1000", "--keep-caps"]
    try:
        run(*words, "true")
    except Failed as why:
        raise Skipped(f"cannot make namespaces: {why}") from None
    os.environ["BENCH_NETNS_INSIDE"] = "1"
    os.execv(words[0], [*words, sys.executable, *sys.argv])


def out_of_time(_number, _frame):
    raise Failed(f"no end after {TIMEOUT_S} seconds")


def measure(case, system):
    # Where ip is, which an ordinary user may not know.
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    need("ip", "iproute2")
    if "BENCH_NETNS_INSIDE" not in os.environ:
        enter()
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(TIMEOUT_S)
    run("mount", "-t", "tmpfs", "tmpfs", WORK)
    set_up_hosts()
    do, systems = CASES[case]
    for unit, value in do(systems[system]).items():
        print(unit, value)


def main():
    if sys.argv[1:] == ["--list"]:
        print_list()
        return 0
    case, system = sys.argv[1:] if len(sys.argv) == 3 else (None, None)
    if case not in CASES or system not in CASES[case][1]:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        measure(case, system)
    except Skipped as why:
        print(why, file=sys.stderr)
        return SKIPPED
    except Failed as why:
        print(why, file=sys.stderr)
        return 1
    return 0


sys.exit(main())
