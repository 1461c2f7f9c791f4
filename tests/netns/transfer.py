#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sends octets from a host to another, and sees that they are the same.

usage: transfer.py FROM TO ADDRESS...

FROM and TO are named network namespaces, the addresses those of TO. To each
goes a stream over TCP, and datagrams over UDP: single ones, and many in one
call, which the kernel, or whoever can, cuts up (UDP_SEGMENT).
"""
import ctypes
import random
import socket
import struct
import sys
import threading

SOL_UDP = 17
UDP_SEGMENT = 103  # linux/udp.h
TIMEOUT = 20
STREAM = 4 << 20
libc = ctypes.CDLL(None, use_errno=True)


def socket_in(host, family, kind):
    with open(f"/run/netns/{host}") as file:
        if libc.setns(file.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), f"setns {host}")
    s = socket.socket(family, kind)
    s.settimeout(TIMEOUT)
    return s


def compare(what, sent, received):
    if sent != received:
        at = next(
            (i for i, (a, b) in enumerate(zip(sent, received)) if a != b),
            min(len(sent), len(received)),
        )
        sys.exit(f"{what}: {len(sent)} sent, {len(received)} received, "
                 f"first difference at {at}")


def tcp(family, source, target, address, payload):
    listener = socket_in(target, family, socket.SOCK_STREAM)
    listener.bind((address, 0))
    listener.listen(1)
    sender = socket_in(source, family, socket.SOCK_STREAM)
    sender.connect(listener.getsockname())
    receiver, _ = listener.accept()
    receiver.settimeout(TIMEOUT)

    def send():
        sender.sendall(payload)
        sender.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    received = bytearray()
    while chunk := receiver.recv(1 << 20):
        received += chunk
    thread.join()
    compare(f"TCP to {address}", payload, received)
    for s in listener, sender, receiver:
        s.close()


def udp(family, source, target, address, payload, size):
    receiver = socket_in(target, family, socket.SOCK_DGRAM)
    receiver.bind((address, 0))
    sender = socket_in(source, family, socket.SOCK_DGRAM)
    sender.connect(receiver.getsockname())
    for count in 1, 2, 10, 33:
        sent = payload[: count * size - (7 if count > 1 else 0)]
        control = []
        if count > 1:
            control = [(SOL_UDP, UDP_SEGMENT, struct.pack("H", size))]
        sender.sendmsg([sent], control)
        received = b"".join(receiver.recv(65536) for _ in range(count))
        compare(f"{count} datagrams to {address}", sent, received)
    sender.close()
    receiver.close()


def main():
    source, target, *addresses = sys.argv[1:]
    payload = random.Random(1).randbytes(STREAM)
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        tcp(family, source, target, address, payload)
        udp(family, source, target, address, payload, 1400)


main()
