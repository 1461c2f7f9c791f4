#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Nothing that a guarded client sends beyond its grant comes to others.

usage: grant_attacks.py CONTROL-SOCKET SESSION...

SESSION is a command that is a client at port web, as "attach_client ... talk" is.
What is tried is in attacks.py: first by the TAP tm and by the session, which are
guarded, then by the TAP tu, which is not, and there it must come through.
"""
import random
import sys
import time

from attacks import EVERYBODY, TEST_TYPE, attacks
from grant_clients import (
    GATEWAY, NOBODY, PATIENCE, VICTIM, Net, Offload, Session, Tap,
    check_guarded, equal, gain, host)
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw
from wire import group_mac


def once(what, because):
    end = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > end:
            raise AssertionError(f"unguarded: {because} has no effect")
        time.sleep(0.01)


def check_unguarded(net, client):
    """All that does not come through a guard comes through without one."""
    mac = client.me.mac
    effects = {
        "ARP of the gateway":
            lambda: net.v.neighbours().get(GATEWAY.ip) == mac,
        "ARP of a neighbour":
            lambda: net.g.neighbours().get(VICTIM.ip) == mac,
        "ND of the gateway":
            lambda: net.v.neighbours().get(GATEWAY.ip6) == mac,
        "ND of a neighbour":
            lambda: net.g.neighbours().get(VICTIM.ip6) == mac,
        "a router": lambda: all(net.v.routers()),
    }
    for name, frames in attacks(client.me, VICTIM, GATEWAY):
        for _, octets in frames:
            client.send(octets)
        found = net.arrived(client)
        if name == "another's MAC address":
            equal(net.addresses()[GATEWAY.mac], client.port, name)
        elif missing := [f for _, f in frames if f not in found]:
            raise AssertionError(f"unguarded: {name}: {missing[0].hex()}")
        if name in effects:
            once(effects.pop(name), name)
        net.settle(client)
    equal(list(effects), [], "not tried")


def check_moves(net, client):
    """It does not take the place of another in the table of addresses."""
    for octets in (
        Ether(src=GATEWAY.mac, dst=GATEWAY.mac),
        Ether(src=GATEWAY.mac, dst=client.me.mac),
        Ether(src=VICTIM.mac, dst=EVERYBODY),
    ):
        client.send(bytes(octets / IP(src=client.me.ip) / UDP()))
    net.arrived(client)
    found = net.addresses()
    moved = [x.mac for x in (VICTIM, GATEWAY) if found[x.mac] == client.port]
    equal(moved, [] if client.grant else [VICTIM.mac, GATEWAY.mac],
          "have moved")
    equal(found[client.me.mac], client.port, "its own is at")


def flood(me):
    draw = random.Random(1)
    for _ in range(200):
        mac = bytes([2, *draw.randbytes(5)]).hex(":")
        yield bytes(Ether(src=mac, dst=NOBODY.mac) / IP(src=me.ip) / UDP())


def check_flood(net, client):
    before, refused = net.addresses(), client.grant and net.refused(client)
    for i, octets in enumerate(flood(client.me)):
        client.send(octets)
        if i % 50 == 49:
            net.arrived(client)  # before the sockets of the peers are full
    learned = len(set(net.addresses()) - set(before))
    if client.grant:
        equal(gain(refused, net.refused(client)), {"macs": 200}, "flood")
        equal(learned, 0, "addresses learned of a flood")
    elif learned < 150:
        raise AssertionError(f"{learned} addresses learned of a flood")


def check_offload(net, client):
    """Fields that come with a frame are no less hostile than the frame."""
    me = client.me
    frame = bytes(Ether(src=me.mac, dst=VICTIM.mac) / IP(src=me.ip,
                                                          dst=VICTIM.ip)
                  / TCP(dport=9, flags="A") / Raw(b"segments" * 12))
    segments = [Offload(kind="tcp4", size=size) for size in (1, 8, 35)]
    for offload in segments:
        client.send(frame, offload)
    came = sum(b"segments" in octets for octets in net.arrived(client))
    equal(came > 0, client.grant is None, "short segments come")
    # Into an address, the headers, and beyond what a guard has seen.
    bad = [Offload(csum=csum)
           for csum in ((26, 0), (30, 0), (6, 0), (0, 0), (22, 4), (34, 0),
                        (54, 16), (12, 0))
           if csum[0] >= client.least_csum_start]
    before = net.dropped(client, "bad_offload")
    for offload in bad:
        client.send(frame, offload)
    found = net.arrived(client)
    equal([f for f in found if b"segments" in f], [], "checksums elsewhere")
    equal(net.dropped(client, "bad_offload") - before, len(bad),
          "checksums elsewhere, counted")


def check_received(net, client):
    """It is sent what is for it, and nothing of what others have between them,
    of other VLANs, groups and types."""
    between = IP(src=GATEWAY.ip, dst=VICTIM.ip) / UDP(dport=9) / Raw(b"secret")
    eth = Ether(src=GATEWAY.mac, dst=EVERYBODY)
    others = [bytes(f) for f in (
        Ether(src=GATEWAY.mac, dst=NOBODY.mac) / between,
        Ether(src=GATEWAY.mac, dst=VICTIM.mac) / between,
        eth / Dot1Q(vlan=100) / between,
        eth / Dot1Q(vlan=0) / Dot1Q(vlan=100) / between,
        Ether(src=GATEWAY.mac, dst=group_mac("224.0.0.5")) / between,
        Ether(src=GATEWAY.mac, dst=group_mac("ff02::12")) / between,
        Ether(src=GATEWAY.mac, dst="01:80:c2:00:01:00") / between,
        Ether(src=GATEWAY.mac, dst=EVERYBODY, type=TEST_TYPE)
        / Raw(b"secret" * 8),
    )]
    own = [bytes(f) for f in (
        Ether(src=GATEWAY.mac, dst=client.me.mac)
        / IP(src=GATEWAY.ip, dst=client.me.ip) / UDP(),
        eth / IP(src=GATEWAY.ip, dst="10.9.0.255") / UDP(),
        Ether(src=GATEWAY.mac, dst=group_mac("224.0.0.251"))
        / IP(src=GATEWAY.ip, dst="224.0.0.251") / UDP(),
    )]
    # Nobody has said yet where the victim is.
    net.control.ask("fdb flush")
    net.arrived(client)
    marker = net.marker(GATEWAY)
    for octets in [*others, *own, marker]:
        net.g.socket.send(octets)
    found = set()
    while (octets := client.get()) != marker:
        found.add(octets)
    for octets in own:
        if octets not in found:
            raise AssertionError(f"does not get what is its: {octets.hex()}")
    secrets = [f for f in others if f in found]
    if client.grant and secrets:
        raise AssertionError(f"gets what is not its: {secrets[0].hex()}")
    if not client.grant:
        equal(len(secrets), len(others), "of what is flooded, hears")
    net.settle(client)


def check_session(net, client):
    """What only a session can try: frames longer than any interface sends, and
    to hear what others of its port write."""
    me = client.me
    for payload in 2000, 60000:
        client.send(bytes(Ether(src=me.mac, dst=VICTIM.mac)
                          / IP(src=me.ip, dst=VICTIM.ip) / UDP()
                          / Raw(bytes(payload))))
    equal([len(f) for f in net.arrived(client) if len(f) > 1514], [],
          "longer than it may be")
    said = client.tell("filter", "out", "pass")
    if not said.startswith("failed"):
        raise AssertionError(f"a filter of what others write: {said}")


def check_theft(net, client):
    """Of addresses that a prefix has, it may use no more than it may, and none
    that is another's."""
    before = net.refused(client)
    me = client.me
    for last in range(0x61, 0x69):
        mac = f"02:00:00:00:00:{last:02x}"
        client.send(bytes(Ether(src=mac, dst=NOBODY.mac)
                          / IP(src=me.ip) / UDP()))
    for mac in VICTIM.mac, GATEWAY.mac:
        client.send(bytes(Ether(src=mac, dst=NOBODY.mac)
                          / IP(src=me.ip) / UDP()))
    net.arrived(client)
    gained = gain(before, net.refused(client))
    # It had one, and may have four.
    equal(gained, {"addresses": 5 + 2}, "addresses beyond those it may use")
    found = net.addresses()
    equal(found[VICTIM.mac], "tv", "the victim")
    equal(found[GATEWAY.mac], "tg", "the gateway")
    equal([p for p in found.values()].count(client.port), 4, "addresses")


def main():
    control, *session = sys.argv[1:]
    net = Net(control)
    guarded = [Tap(host(0x66), "tm", "m", "mallory"),
               Session(host(0x67), "web", session, "trudy")]
    for client in guarded:
        check_received(net, client)
        check_guarded(net, client)
        check_moves(net, client)
        check_flood(net, client)
        check_offload(net, client)
    check_session(net, guarded[1])
    net.control.ask("fdb flush")
    ranging = Tap(host(0x60), "tp", "p", "range")
    net.settle(ranging)
    check_theft(net, ranging)
    unguarded = Tap(host(0x68), "tu", "u")
    net.settle(unguarded)
    check_received(net, unguarded)
    check_offload(net, unguarded)
    check_unguarded(net, unguarded)
    check_moves(net, unguarded)
    check_flood(net, unguarded)
    for client in *guarded, ranging, unguarded:
        client.end()
    equal(net.control.ask("stats")["balanced"], True, "sums agree")


main()
