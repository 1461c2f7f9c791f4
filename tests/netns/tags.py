#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sends frames with IEEE 802.1Q tags from a host to another.

usage: tags.py FROM INTERFACE TO INTERFACE

They come out with the tags that they went in with: of one, of two, and of a
priority alone. Some leave their checksum to whoever comes after the tag.
"""
import struct
import sys

from wire import ETH_P_ALL, PACKET_VNET_HDR, SOL_PACKET, packet_socket, receive

TEST_TYPE = 0x88B5  # IEEE 802, 9.2.3: for experiments


def receive_one(s, wanted):
    """The next frame that is ours."""
    while True:
        data = receive(s)
        if wanted in data:
            return data


def udp4(payload):
    """A datagram whose checksum is that of its pseudo-header alone."""
    length = 8 + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 1, 0, 64, 17, 0,
                     bytes([10, 0, 9, 1]), bytes([10, 0, 9, 2]))
    words = sum(struct.unpack("!10H", ip))
    words = (words & 0xFFFF) + (words >> 16)
    ip = ip[:10] + struct.pack("!H", ~words & 0xFFFF) + ip[12:]
    pseudo = sum(struct.unpack("!4H", ip[12:20])) + 17 + length
    pseudo = (pseudo & 0xFFFF) + (pseudo >> 16)
    return ip + struct.pack("!HHHH", 1000, 1000, length, pseudo) + payload


def checksum_is_right(datagram):
    length = len(datagram) - 20
    data = struct.pack("!HH", 17, length) + datagram[12:]
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


def main():
    source, out_of, target, into = sys.argv[1:]
    receiver = packet_socket(target, into, ETH_P_ALL)
    sender = packet_socket(source, out_of, 0)
    header = b"\xff" * 6 + bytes([2, 0, 0, 0, 9, 9])

    for number, tags in enumerate(
        [[], [(0x8100, 5)], [(0x8100, 0xE000)], [(0x88A8, 7)],
         [(0x88A8, 7), (0x8100, 0x2FFF)]]
    ):
        body = b"".join(struct.pack("!HH", *tag) for tag in tags)
        body += struct.pack("!H", TEST_TYPE)
        mark = b"tagged %d" % number
        frame = header + body + mark + bytes(60)
        sender.send(frame)
        received = receive_one(receiver, mark)
        if received != frame:
            sys.exit(f"{tags}: sent\n{frame.hex()}\ngot\n{received.hex()}")

    sender.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    for number, tags in enumerate([[], [(0x8100, 5)],
                                   [(0x88A8, 7), (0x8100, 9)]]):
        body = b"".join(struct.pack("!HH", *tag) for tag in tags)
        body += struct.pack("!H", 0x0800)
        mark = b"partial %d" % number
        datagram = udp4(mark + bytes(range(40)))
        start = len(header) + len(body) + 20
        vnet = struct.pack("=BBHHHH", 1, 0, 0, 0, start, 6)
        sender.send(vnet + header + body + datagram)
        received = receive_one(receiver, mark)
        got = received[len(header) + len(body):]
        if received[: len(header) + len(body)] != header + body:
            sys.exit(f"{tags}: got {received.hex()}")
        # Where tags do not say so, the receiver's kernel has the rest to do.
        if not checksum_is_right(got) and got[26:28] != datagram[26:28]:
            sys.exit(f"{tags}: checksum of {received.hex()}")


main()
