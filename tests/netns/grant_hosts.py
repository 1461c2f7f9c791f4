#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Groups, a virtual router's messages, and tags come from granted hosts, and to
them; see grant_hosts.sh.
"""
import socket
import struct

from wire import ETH_P_ALL, enter, group_mac, packet_socket, receive

VRRP = 112
GROUPS = {"10.9.0.11": "239.1.2.3", "2001:db8:9::ff:fe00:b": "ff15::123"}
ROUTERS = "224.0.0.18", "ff02::12"


def join(s, interface, group):
    index = socket.if_nametoindex(interface)
    if ":" in group:
        request = socket.inet_pton(socket.AF_INET6, group)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                     request + struct.pack("=I", index))
    else:
        request = socket.inet_pton(socket.AF_INET, group)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     request + struct.pack("=4xI", index))


def out_of(s, interface):
    index = socket.if_nametoindex(interface)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    if s.family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                     struct.pack("=8xI", index))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)


def opened(host, group, kind, protocol=0):
    enter(host)
    family = socket.AF_INET6 if ":" in group else socket.AF_INET
    s = socket.socket(family, kind, protocol)
    s.settimeout(5)
    return s


def reported(wire, group):
    """A host has said that it is a member (RFC 3376, RFC 3810)."""
    packed = socket.inet_pton(
        socket.AF_INET6 if ":" in group else socket.AF_INET, group)
    to = group_mac("ff02::16" if ":" in group else "224.0.0.22")
    to = bytes.fromhex(to.replace(":", ""))
    while True:
        octets = receive(wire)
        if octets[:6] == to and packed in octets[14 + 20:]:
            return


def of_groups():
    for group in GROUPS.values():
        wire = packet_socket("g", "tg", ETH_P_ALL)
        at = {}
        for host, interface in ("b", "tb"), ("g", "tg"):
            at[host] = opened(host, group, socket.SOCK_DGRAM)
            at[host].bind((group, 9000))
            join(at[host], interface, group)
            out_of(at[host], interface)
            at[host].setsockopt(
                *((socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP)
                  if ":" in group
                  else (socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP)), 0)
        reported(wire, group)
        for source, target in ("b", "g"), ("g", "b"):
            what = f"{source} says".encode()
            at[source].sendto(what, (group, 9000))
            found = at[target].recv(100)
            if found != what:
                raise AssertionError(f"{group}: {found}")
        wire.close()


def of_virtual_routers():
    for group in ROUTERS:
        listener = opened("g", group, socket.SOCK_RAW, VRRP)
        join(listener, "tg", group)
        router = opened("b", group, socket.SOCK_RAW, VRRP)
        out_of(router, "vrrp7")
        # RFC 9568, 5.1: version 3, of router 7, which is its master.
        advertisement = bytes([0x31, 7, 255, 1, 0, 100, 0, 0])
        router.sendto(advertisement, (group, 0))
        if advertisement not in listener.recv(100):
            raise AssertionError(f"no advertisement to {group}")


def of_tags():
    ends = {"c": ("tc", "02000000000c0800"), "g": ("tg", "0200000000fe0800")}
    packet = {
        "c": bytes.fromhex("4500001c0000000040fd00000a09000c0a0900fe"),
        "g": bytes.fromhex("4500001c0000000040fd00000a0900fe0a09000c"),
    }
    at = {h: packet_socket(h, i, ETH_P_ALL) for h, (i, _) in ends.items()}
    for source, target in ("c", "g"), ("g", "c"):
        for tag in (100, 0xE000 + 100):
            for to in ends[target][1][:12], "ff" * 6:
                frame = bytes.fromhex(to + ends[source][1][:12]) + struct.pack(
                    "!HH", 0x8100, tag) + b"\x08\x00" + packet[source]
                at[source].send(frame)
                while receive(at[target]) != frame:
                    pass


def main():
    of_groups()
    of_virtual_routers()
    of_tags()


main()
