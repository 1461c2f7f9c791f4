# SPDX-License-Identifier: BSD-2-Clause
"""Frames as they are at an interface of a host, a named network namespace."""
import ctypes
import ipaddress
import socket
import struct

libc = ctypes.CDLL(None, use_errno=True)
SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15
ETH_P_ALL = 3
VLAN_VALID, TPID_VALID = 1 << 4, 1 << 6


def group_mac(address):
    """RFC 1112, 6.4; RFC 2464, 7."""
    octets = ipaddress.ip_address(address).packed
    if len(octets) == 4:
        octets = b"\x01\x00\x5e" + bytes([octets[1] & 0x7F]) + octets[2:]
    else:
        octets = b"\x33\x33" + octets[-4:]
    return octets.hex(":")


def enter(host):
    with open(f"/run/netns/{host}") as file:
        if libc.setns(file.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), f"setns {host}")


def packet_socket(host, interface, protocol):
    """One that receives, with ETH_P_ALL, or only sends, with 0."""
    enter(host)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((interface, protocol))
    s.settimeout(5)
    return s


def receive(s):
    """The next frame that came in, with the tag that the kernel took off."""
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
        return data
