#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sends a frame again and again, at a pace.

usage: sender.py INTERFACE FRAMES_PER_S SECONDS OCTETS DESTINATION [SOURCE]

Octets is how long the frame is; it is of a type for experiments (IEEE 802,
9.2.3). In a process of its own, so that it can be ended by its id.
"""
import socket
import sys
import time


def main():
    interface, rate, seconds, octets, *addresses = sys.argv[1:]
    with open(f"/sys/class/net/{interface}/address") as f:
        own = f.read().strip()
    to, source, *_ = [
        bytes.fromhex(a.replace(":", "")) for a in (*addresses, own)
    ]
    frame = (to + source + b"\x88\xb5").ljust(int(octets), b"x")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((interface, 0))
        begin = time.monotonic()
        sent = 0
        while (now := time.monotonic() - begin) < float(seconds):
            while sent < now * float(rate):
                s.send(frame)
                sent += 1
            time.sleep(0.001)


main()
