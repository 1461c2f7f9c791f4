# SPDX-License-Identifier: BSD-2-Clause
"""What the benchmarks between hosts have in common: running programs, network
namespaces as hosts, and the protocol of scripts/bench."""
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

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BENCH_BUILD", ROOT / "build/release"))
WORK = pathlib.Path("/run")  # a tmpfs of our own

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


# vnet-switch


def vnet_switch_command(socket_path):
    words = [str(built(BUILD / "examples/vnet-switch/vnet-switch"))]
    words += ["--log", "warning", "--cpu", str(SWITCH_CPU)]
    return [*words, "--socket", str(socket_path)]


def start_vnet_switch(*command):
    """The process, once it is ready."""
    ready, fd = os.pipe()
    process = subprocess.Popen(
        [*command, "--ready-fd", str(fd)], pass_fds=[fd]
    )
    os.close(fd)
    if os.read(ready, 6) != b"ready\n":
        raise Failed("vnet-switch does not start")
    return process


def vnetctl(socket_path, *words):
    program = built(BUILD / "examples/vnetctl/vnetctl")
    return json.loads(run(program, "-s", socket_path, "-j", *words))


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


def add_host(name):
    ip("netns", "add", name)
    in_host(name, "sh", "-c", WITHOUT_IPV6)
    ip("-n", name, "link", "set", "lo", "up")


def wait_for_interface(name, process):
    end = time.monotonic() + PATIENCE_S
    while name not in (known for _, known in socket.if_nameindex()):
        if process.poll() is not None:
            raise Failed(f"{process.args[0]} ends with {process.returncode}")
        if time.monotonic() > end:
            raise Failed(f"{process.args[0]} does not make {name}")
        time.sleep(0.01)


# Traffic


def iperf(sender, receiver, address):
    """A stream to a host at that address, by its figures."""
    server = subprocess.Popen(
        ["ip", "netns", "exec", receiver, "iperf3", "-s", "-1", "--forceflush"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=pin(SWITCH_CPU),
    )
    if not any("listening" in line for line in server.stdout):
        raise Failed("iperf3 -s does not start")
    out = in_host(
        sender, "iperf3", "-c", address, "-t", TCP_S, "-O", TCP_OMIT_S, "-J",
        preexec_fn=pin(SENDER_CPU),
    )
    received = json.loads(out)["end"]["sum_received"]
    return {"Gb/s": received["bits_per_second"] / 1e9}


# The protocol. Cases are a dictionary: name -> (function, systems by name), of
# which those that are ours are in another one. A function is given a system, and
# returns its figures by their units. What they all need is prepared before.


def print_list(cases, ours):
    print("unpinned")  # as a whole
    for case, (_, systems) in cases.items():
        for system in systems:
            print(case, system, "ours" if system in ours else "peer", "-")


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
    os.environ["BENCH_INSIDE"] = "1"
    os.execv(words[0], [*words, sys.executable, *sys.argv])


def out_of_time(_number, _frame):
    raise Failed(f"no end after {TIMEOUT_S} seconds")


def measure(do, system, prepare):
    # Where ip is, which an ordinary user may not know.
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    need("ip", "iproute2")
    if "BENCH_INSIDE" not in os.environ:
        enter()
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(TIMEOUT_S)
    run("mount", "-t", "tmpfs", "tmpfs", WORK)
    run("sh", "-c", WITHOUT_IPV6)
    prepare()
    for unit, value in do(system).items():
        print(unit, value)


def main(usage, cases, ours, prepare):
    if sys.argv[1:] == ["--list"]:
        print_list(cases, ours)
        return 0
    case, system = sys.argv[1:] if len(sys.argv) == 3 else (None, None)
    if case not in cases or system not in cases[case][1]:
        print(usage.strip(), file=sys.stderr)
        return 2
    try:
        do, systems = cases[case]
        measure(do, systems[system], prepare)
    except Skipped as why:
        print(why, file=sys.stderr)
        return SKIPPED
    except Failed as why:
        print(why, file=sys.stderr)
        return 1
    return 0
