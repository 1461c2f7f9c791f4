#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sends frames with IEEE 802.1Q tags from a host to another.

usage: tags.py FROM INTERFACE TO INTERFACE

They come out with the tags that they went in with: of one, of two, and of a
priority alone. Some leave their checksum to whoever comes after the tag.
"""
import ctypes
import socket
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15
ETH_P_ALL = 3
VLAN_VALID, TPID_VALID = 1 << 4, 1 << 6
TEST_TYPE = 0x88B5  # IEEE 802, 9.2.3: for experiments


def packet_socket(host, interface, protocol):
    with open(f"/run/netns/{host}") as file:
        if libc.setns(file.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), f"setns {host}")
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((interface, protocol))
    s.settimeout(5)
    return s


def receive(s, wanted):
    """The next frame that is ours, with the tag that the kernel took off."""
    while True:
        data, control, _, address = s.recvmsg(65536, 256)
        if address[2] == socket.PACKET_OUTGOING:
            continue
        for level, kind, aux in control:
            if (level, kind) != (SOL_PACKET, PACKET_AUXDATA):
                continue
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", aux)
            if status & VLAN_VALID:
                if not status & TPID_VALID:
                    tpid = 0x8100
                tag = struct.pack("!HH", tpid, tci)
                data = data[:12] + tag + data[12:]
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
        received = receive(receiver, mark)
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
        received = receive(receiver, mark)
        got = received[len(header) + len(body):]
        if received[: len(header) + len(body)] != header + body:
            sys.exit(f"{tags}: got {received.hex()}")
        # Where tags do not say so, the receiver's kernel has the rest to do.
        if not checksum_is_right(got) and got[26:28] != datagram[26:28]:
            sys.exit(f"{tags}: checksum of {received.hex()}")


main()
