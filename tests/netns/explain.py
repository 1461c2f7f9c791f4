#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What vnetctl explains of frames is what then becomes of them.

usage: explain.py VNETCTL SOCKET INTERFACE PORT

Each frame is explained first, then sent by the interface, and what the counters
of all ports have gained must be what was foretold. Nobody else sends meanwhile.
"""
import json
import socket
import subprocess
import sys
import time

VNETCTL, CONTROL, INTERFACE, PORT = sys.argv[1:]

A = "02000000000a"  # the interface's own
B = "02000000000b"
C = "02000000000c"
NOBODY = "020000000077"
ALL = "ffffffffffff"
TEST_TYPE = "88b5"  # IEEE 802, 9.2.3: for experiments
PAD = "00" * 46


def control(*args):
    p = subprocess.run(
        [VNETCTL, "--socket", CONTROL, *args],
        stdout=subprocess.PIPE,
        check=True,
        timeout=20,
    )
    return json.loads(p.stdout) if p.stdout else None


def counters():
    """{(port, what): frames}, of all that a frame can add to."""
    found = {}
    for port in control("-j", "stats")["ports"]:
        name = port["name"]
        found[name, "in"] = port["in"]["frames"]
        found[name, "moves_refused"] = port["in"]["moves_refused"]
        found[name, "moves"] = port["in"]["moves"]
        found[name, "delivered"] = port["out"]["delivered"]["frames"]
        for direction, reasons in port["drops"].items():
            for reason, frames in reasons.items():
                found[name, f"{direction} {reason}"] = frames
    return found


def foretold(explained):
    """Which of the counters go up by one."""
    gains = {(PORT, "in")}
    if explained["drop"]:
        gains.add((PORT, "in " + explained["drop"]))
    for step in explained["steps"]:
        if step["step"] == "learn" and step["result"] == "refused":
            gains.add((PORT, "moves_refused"))
        if step["step"] == "learn" and step["result"] == "moved":
            gains.add((PORT, "moves"))
    for dest in explained["dests"]:
        what = "out " + dest["drop"] if dest["drop"] else "delivered"
        gains.add((dest["port"], what))
    return gains


def found_after(before):
    """What they gained, once the frame has come."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        after = counters()
        if after[PORT, "in"] > before[PORT, "in"]:
            break
        time.sleep(0.01)
    return {
        key: n - before[key] for key, n in after.items() if n != before[key]
    }


def explain_and_send(s, octets):
    explained = control("-j", "explain", PORT, octets)
    gains = dict.fromkeys(foretold(explained), 1)
    before = counters()
    s.send(bytes.fromhex(octets))
    found = found_after(before)
    if found != gains:
        sys.exit(f"{octets[:60]}:\nforetold {gains}\nfound    {found}")
    return explained


def outcome(explained):
    """In a word: the drop, or where it goes."""
    if explained["drop"]:
        return explained["drop"]
    return " ".join(
        sorted(
            d["port"] + (":" + d["drop"] if d["drop"] else "")
            for d in explained["dests"]
        )
    )


# frame, what is expected
PLAIN = [
    (B + A + TEST_TYPE + PAD, "tb"),
    (NOBODY + A + TEST_TYPE + PAD, "tb tc"),
    (ALL + A + TEST_TYPE + PAD, "tb tc"),
    ("01005e000001" + A + TEST_TYPE + PAD, "tb tc"),
    ("333300000001" + A + TEST_TYPE + PAD, "tb tc"),
    (A + A + TEST_TYPE + PAD, "same_port"),
    (B + "03000000000a" + TEST_TYPE + PAD, "bad_source"),
    (B + "000000000000" + TEST_TYPE + PAD, "bad_source"),
    ("0180c2000000" + A + TEST_TYPE + PAD, "reserved"),
    ("0180c200000e" + A + "88cc" + PAD, "reserved"),
    # Tags, and such of which there is only the beginning.
    (B + A + "81000005" + TEST_TYPE + PAD, "tb"),
    (B + A + "88a8000181000005" + TEST_TYPE + PAD, "tb"),
    (B + A + "810000", "tb"),
    # As short as may be, and too long for one of them.
    (B + A + TEST_TYPE, "tb"),
    (ALL + A + TEST_TYPE + "00" * 600, "tb:too_long tc"),
    (B + A + TEST_TYPE + "00" * 501, "tb:too_long"),
    # From an address that is pinned elsewhere, or was seen there.
    (B + "020000000099" + TEST_TYPE + PAD, "tb"),
]

ICMP = "45000020000000004001" + "0000" + "0a000001" + "0a000002" + "0800" + PAD


def main():
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((INTERFACE, 0))

        def check(octets, expected):
            found = outcome(explain_and_send(s, octets))
            if found != expected:
                sys.exit(f"{octets[:60]}: {found}, not {expected}")

        for octets, expected in PLAIN:
            check(octets, expected)

        control("filter", "add", PORT, "in", "no-icmp", "1", "drop", "icmp")
        check(B + A + "0800" + ICMP, "ingress_filter")
        control("filter", "del", PORT, "in", "no-icmp")
        control("filter", "add", "tc", "out", "none", "1", "drop", "ip")
        check(ALL + A + "0800" + ICMP, "tb tc:egress_filter")
        control("filter", "del", "tc", "out", "none")
        explained = explain_and_send(s, ALL + A + TEST_TYPE + PAD)
        if explained["steps"][2]["result"] != "passed":
            sys.exit(explained)

        # A frame owes what is filled in within a minute.
        rate = ["octets_per_s=1", "burst_octets=1"]
        for owner, side, traffic, to, expected in (
            (PORT, "in", "broadcast", ALL, ("tb tc", "storm")),
            (PORT, "in", "multicast", "333300000001", ("tb tc", "storm")),
            (PORT, "in", "unknown", NOBODY, ("tb tc", "storm")),
            (PORT, "in", "all", B, ("tb", "policed")),
            (PORT + "/0", "in", "all", B, ("tb", "policed")),
            ("tb", "out", "all", B, ("tb", "tb:policed")),
            ("tb/0", "out", "broadcast", ALL, ("tb tc", "tb:storm tc")),
        ):
            control("limit", "set", owner, side, traffic, *rate)
            for one in expected:
                check(to + A + TEST_TYPE + PAD, one)
            control("limit", "del", owner, side, traffic)

        control("port", "set", "tc", "sticky=true")
        check(C + A + TEST_TYPE + PAD, "tc")
        # Its host has said something: the address stays there.
        explained = explain_and_send(s, B + C + TEST_TYPE + PAD)
        learn = [x for x in explained["steps"] if x["step"] == "learn"]
        if [x["result"] for x in learn] != ["refused"]:
            sys.exit(f"not refused: {learn}")
        control("port", "set", "tc", "sticky=")
    print("all is as it was foretold")


main()
