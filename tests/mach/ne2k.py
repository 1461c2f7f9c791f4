#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares what ne2k.c sent with what was recorded on the wire.

Each pattern is there once, in order, octet for octet, filled with zeros up to
60 octets; both hosts asked for and got the gateway's addresses and its echo.
"""
import re
import sys

from record import frames, tcpdump

CARD = bytes.fromhex("525400123456")
OTHER = bytes.fromhex("020000000099")
PATTERN_TYPE = bytes.fromhex("88b5")
LENGTHS = [14, 15, 42, 59, 60, 61, 1000, 1513, 1514]


def pattern(n):
    frame = b"\xff" * 6 + CARD + PATTERN_TYPE
    frame += bytes((n + 7 * at) & 0xFF for at in range(14, n))
    return frame.ljust(60, b"\0")


def main():
    (record,) = sys.argv[1:]
    seen = [f for f in frames(record) if f[12:14] == PATTERN_TYPE]
    if seen != [pattern(n) for n in LENGTHS]:
        for f in seen:
            print(len(f), f.hex())
        sys.exit("ne2k.py: the patterns are not on the wire as they were sent")

    text = tcpdump(record)
    for line, least in {
        r"ARP, Reply 10\.0\.2\.2 is-at": 4,
        r"10\.0\.2\.2 > 10\.0\.2\.15: ICMP echo reply": 20 + 3 * 2,
        r"10\.0\.2\.2 > 10\.0\.2\.99: ICMP echo reply": 3,
        r"fec0::2 > fec0::15: ICMP6, echo reply": 20 + 3 * 2,
        r"fec0::2 > fec0::99: ICMP6, echo reply": 3,
        r"fe80::2 > fe80::5054:ff:fe12:3456: ICMP6, echo reply": 20,
        r"fe80::2 > fe80::ff:fe00:99: ICMP6, echo reply": 3,
    }.items():
        n = len(re.findall(line, text))
        if n < least:
            sys.exit(f"ne2k.py: {n} of {line}, not {least}")
    print(f"ne2k.py: {len(seen)} patterns, {text.count(chr(10))} frames in all")


if __name__ == "__main__":
    main()
