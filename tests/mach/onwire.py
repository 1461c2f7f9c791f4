#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares what the clients of onwire.c sent with what was recorded on the wire.

Of each client there are two stretches, from one record to another. Between them
every frame that it has handed to its vif is there, in order, octet for octet,
filled with zeros up to 60: the record at the end says how many, and a digest of
them. With --shared everything is from the NIC's address, so that only records
are as they were but for that, and nothing tells who is behind it.
"""
import argparse
import re
import struct
import sys

from record import frames, tcpdump

CARD = bytes.fromhex("525400123456")
CLIENTS = [bytes.fromhex("020000000001"), bytes.fromhex("020000000002")]
INSIDE = [*CLIENTS, bytes.fromhex("020000000003")]
RECORD_TYPE = bytes.fromhex("88b5")
PATTERN, BEGIN, END = range(3)
LENGTHS = [24, 25, 42, 59, 60, 61, 1000, 1513, 1514]
STRETCHES = 2
# In a stretch, of each client and from each of the gateway's three addresses.
REPLIES = STRETCHES * 10


def fnv(h, octets):
    for octet in octets:
        h = (h ^ octet) * 16777619 & 0xFFFFFFFF
    return h


class Tally:
    def __init__(self):
        self.frames, self.digest = 0, 0

    def add(self, frame):
        h = self.digest if self.frames else 2166136261
        self.digest = fnv(fnv(h, len(frame).to_bytes(2, "big")), frame)
        self.frames += 1

    def is_in(self, frame):
        """Does the record say the same?"""
        return frame[16:24] == struct.pack(">II", self.frames, self.digest)


def pattern(frame, n, i, source):
    """What a record of @n octets is; what it says of others is not looked at."""
    made = b"\xff" * 6 + source + RECORD_TYPE + bytes([PATTERN, i]) + frame[16:24]
    made += bytes((n + 7 * at) & 0xFF for at in range(24, n))
    return made.ljust(60, b"\0")


def check_client(i, seen, is_shared):
    """@seen: all that is from it; in --shared only records are."""
    source = CARD if is_shared else CLIENTS[i]
    tally, patterns, ends = Tally(), [], 0
    for frame in seen:
        is_record = frame[12:14] == RECORD_TYPE
        kind = frame[14] if is_record else None
        if kind == END:
            ends += 1
            if not is_shared and not tally.is_in(frame):
                sys.exit(
                    f"onwire.py: client {i}, stretch {ends}: {tally.frames} frames"
                    f" on the wire, digest {tally.digest:#x}, not {frame[16:24].hex()}"
                )
            print(f"client {i}: {tally.frames} frames, digest {tally.digest:#x}")
        if kind == PATTERN:
            patterns.append(frame)
            if not is_shared and not tally.is_in(frame):
                sys.exit(f"onwire.py: client {i}: lost before {frame[:32].hex()}")
        tally.add(frame)
        if kind == BEGIN:
            tally = Tally()
    if ends != STRETCHES:
        sys.exit(f"onwire.py: client {i}: {ends} stretches")
    if len(patterns) != len(LENGTHS) * STRETCHES:
        sys.exit(f"onwire.py: client {i}: {len(patterns)} patterns")
    for frame, n in zip(patterns, LENGTHS * STRETCHES):
        if frame != pattern(frame, n, i, source):
            sys.exit(f"onwire.py: client {i}: pattern of {n} octets: {frame.hex()}")


def check_hidden(wire):
    """Nobody outside is told any address but the NIC's."""
    for frame in wire:
        if any(mac in frame for mac in INSIDE):
            sys.exit(f"onwire.py: not hidden: {frame.hex()}")
    arp = [f for f in wire if f[6:12] == CARD and f[12:14] == b"\x08\x06"]
    if not arp or any(f[22:28] != CARD for f in arp):
        sys.exit("onwire.py: ARP is not from the NIC")


def after_refusal(wire):
    """Behind the last frame to or from an address of a client's own."""
    own = [n for n, f in enumerate(wire) if {f[0:6], f[6:12]} & set(INSIDE)]
    if not own:
        sys.exit("onwire.py: nothing was tried before the address was shared")
    return wire[own[-1] + 1 :]


def check_talk(text):
    """Both had answers from all three addresses, by turns."""
    replies = [
        r"10\.0\.2\.2 > 10\.0\.2\.2([12]): ICMP echo reply",
        r"fec0::2 > fec0::2([12]): ICMP6, echo reply",
        r"fe80::2 > fe80::ff:fe00:([12]): ICMP6, echo reply",
    ]
    for reply in replies:
        who = re.findall(reply, text)
        turns = sum(a != b for a, b in zip(who, who[1:]))
        print(f"{who.count('1')} and {who.count('2')}, {turns} turns: {reply}")
        if min(who.count("1"), who.count("2")) < REPLIES:
            sys.exit(f"onwire.py: less than {REPLIES}")
        if turns < REPLIES:
            sys.exit("onwire.py: they did not talk at the same time")
    for inside in (r"10\.0\.2\.2[12]", "fec0::2[12]", "fe80::ff:fe00:[123]"):
        if re.search(rf" {inside} > {inside}: ICMP6?,? echo", text):
            sys.exit("onwire.py: what they said to each other is on the wire")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--shared", action="store_true")
    p.add_argument("--refused", action="store_true", help="--shared, but not at first")
    p.add_argument("record")
    args = p.parse_args()
    wire = list(frames(args.record))
    if args.refused:
        wire = after_refusal(wire)
    is_shared = args.shared or args.refused
    for i, mac in enumerate(CLIENTS):
        if is_shared:
            seen = [f for f in wire if f[6:12] == CARD and f[12:14] == RECORD_TYPE]
            seen = [f for f in seen if f[15] == i]
        else:
            seen = [f for f in wire if f[6:12] == mac]
        check_client(i, seen, is_shared)
    ours = {*INSIDE, CARD}
    if any(f[6:12] in ours and f[0:6] in ours for f in wire):
        sys.exit("onwire.py: what is for somebody inside is on the wire")
    if is_shared:
        check_hidden(wire)
    elif any(CARD in f for f in wire):
        sys.exit("onwire.py: somebody has the NIC's address")
    check_talk(tcpdump(args.record))


if __name__ == "__main__":
    main()
