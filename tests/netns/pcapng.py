#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads pcapng as vnetctl writes it; fails where it is not whole.

usage: pcapng.py FILE        prints what is in it, as JSON
       pcapng.py FILE PORT   prints what was sent to PORT over TCP
"""
import json
import struct
import sys

SECTION, INTERFACE, STATISTICS, PACKET = 0x0A0D0D0A, 1, 5, 6
STATISTICS_NAMES = {4: "received", 5: "dropped", 6: "accepted"}
FLAGS, DROPCOUNT = 2, 4


def options(data):
    """Of a block, by code."""
    found = {}
    while len(data) >= 4:
        code, length = struct.unpack_from("=HH", data)
        if code == 0:
            return found
        found[code] = data[4 : 4 + length]
        data = data[4 + (length + 3) // 4 * 4 :]
    sys.exit("options without an end")


def blocks(data):
    """Type and body of each."""
    at = 0
    while at < len(data):
        if len(data) - at < 12:
            sys.exit(f"{len(data) - at} octets at the end are no block")
        kind, length = struct.unpack_from("=II", data, at)
        end = data[at + length - 4 : at + length]
        if length % 4 or length < 12 or end != struct.pack("=I", length):
            sys.exit(f"no block at {at}: {data[at:at + 16].hex()}")
        yield kind, data[at + 8 : at + length - 4]
        at += length


class Capture:
    def __init__(self, data):
        self.frames = []
        self.summary = {"frames": 0, "in": 0, "out": 0, "lost": 0, "cut": 0,
                        "statistics": None}
        kinds = [SECTION, INTERFACE]
        last = 0
        for number, (kind, body) in enumerate(blocks(data)):
            if number < 2:
                if kind != kinds[number]:
                    sys.exit(f"block {number} is of type {kind:#x}")
            elif self.summary["statistics"]:
                sys.exit("something behind the statistics")
            elif kind == PACKET:
                last = self.packet(body, last)
            elif kind == STATISTICS:
                found = options(body[12:])
                self.summary["statistics"] = {
                    name: struct.unpack("=Q", found[code])[0]
                    for code, name in STATISTICS_NAMES.items()
                }
            else:
                sys.exit(f"block {number} is of type {kind:#x}")

    def packet(self, body, last):
        _, high, low, kept, length = struct.unpack_from("=IIIII", body)
        time = high << 32 | low
        if kept > length or time < last:
            sys.exit(f"{kept} octets of {length}, at {time} behind {last}")
        found = options(body[20 + (kept + 3) // 4 * 4 :])
        direction = struct.unpack("=I", found[FLAGS])[0] & 3
        lost = found.get(DROPCOUNT, bytes(8))
        self.frames.append(body[20 : 20 + kept])
        self.summary["frames"] += 1
        self.summary[{1: "in", 2: "out"}[direction]] += 1
        self.summary["lost"] += struct.unpack("=Q", lost)[0]
        self.summary["cut"] += kept < length
        return time

    def stream(self, port):
        """What one connection has carried to `port`, as far as it is here in
        one piece."""
        pieces, start = {}, None
        for frame in self.frames:
            segment = tcp(frame)
            if not segment or segment[0] != port:
                continue
            _, number, flags, payload = segment
            if flags & 2:
                start = number + 1
            elif start is not None:
                at = (number - start) % (1 << 32)
                if len(payload) > len(pieces.get(at, b"")):
                    pieces[at] = payload
        result = bytearray()
        for at in sorted(pieces):
            if at > len(result):
                break
            result[at : at + len(pieces[at])] = pieces[at]
        return result


def tcp(frame):
    """Destination port, sequence number, flags and payload; or None."""
    if frame[12:14] == b"\x08\x00" and frame[23] == 6:
        at = 14 + 4 * (frame[14] & 15)
        end = 14 + struct.unpack_from("!H", frame, 16)[0]
    elif frame[12:14] == b"\x86\xdd" and frame[20] == 6:
        at = 54
        end = 54 + struct.unpack_from("!H", frame, 18)[0]
    else:
        return None
    port, number = struct.unpack_from("!HI", frame, at + 2)
    payload = frame[at + 4 * (frame[at + 12] >> 4) : end]
    return port, number, frame[at + 13], payload


def main():
    with open(sys.argv[1], "rb") as file:
        capture = Capture(file.read())
    if len(sys.argv) > 2:
        sys.stdout.buffer.write(capture.stream(int(sys.argv[2])))
    else:
        print(json.dumps(capture.summary))


main()
