# SPDX-License-Identifier: BSD-2-Clause
"""What a client may try that has no more than its own addresses: frames as
scapy makes them, and the part of its grant that each is outside of.
"""
import ipaddress
import logging
import typing

# Of checksums that it cannot compute, those in fragments, and of interfaces.
logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import DHCP6_Advertise, DHCP6_Reply
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    HAO, ICMPv6EchoRequest, ICMPv6MLQuery, ICMPv6ND_NA, ICMPv6ND_NS,
    ICMPv6ND_RA, ICMPv6ND_RS, ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU, ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, IPv6,
    IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting, PadN)
from scapy.layers.l2 import ARP, GRE, Dot1AD, Dot1Q, Ether, LLC, SNAP
from scapy.layers.vrrp import VRRP
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw
from wire import group_mac

EVERYBODY = "ff:ff:ff:ff:ff:ff"
TEST_TYPE = 0x88B5  # IEEE 802, 9.2.3: for experiments
# What a rogue router would have everybody use.
ROGUE_PREFIX = "2001:db8:bad::"


class Host(typing.NamedTuple):
    mac: str
    ip: str
    ip6: str

    @property
    def link_local(self):
        """RFC 4291, appendix A."""
        o = bytes.fromhex(self.mac.replace(":", ""))
        o = bytes([o[0] ^ 2]) + o[1:3] + b"\xff\xfe" + o[3:]
        return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + o))


class Attack(typing.NamedTuple):
    """Of frames that are no attack, but make one whole, the part is "pass"."""

    name: str
    frames: list  # of (part, octets)


def dhcp_offer(me):
    return BOOTP(op=2, yiaddr=me.ip, siaddr=me.ip) / DHCP(
        options=[("message-type", "offer"), ("server_id", me.ip),
                 ("router", me.ip), "end"])


def router(prefix=ROGUE_PREFIX):
    return ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptPrefixInfo(
        prefix=prefix, prefixlen=64)


def of_addresses(me, v, g):
    """Who says that it is another one."""
    eth = Ether(src=me.mac, dst=v.mac)
    yield "another's IPv4 address", "ipv4", [
        eth / IP(src=source, dst=v.ip) / what
        for source in (g.ip, v.ip, "8.8.8.8", "127.0.0.1", "255.255.255.255")
        for what in (UDP(sport=53, dport=1234), TCP(dport=22), ICMP())
    ] + [
        eth / IP(src="0.0.0.0", dst=v.ip) / TCP(dport=22),
        eth / IP(src="0.0.0.0", dst=v.ip) / UDP(sport=53, dport=67),
        Ether(src=me.mac, dst=group_mac("224.0.0.251"))
        / IP(src=g.ip, dst="224.0.0.251") / UDP(dport=5353),
    ]
    # Link-local ones that differ from its own in one half or the other.
    near = [Host(mac, me.ip, me.ip6).link_local
            for mac in ("06" + me.mac[2:], me.mac[:-2] + "ee")]
    yield "another's IPv6 address", "ipv6", [
        eth / IPv6(src=source, dst=v.ip6) / what
        for source in (g.ip6, v.ip6, g.link_local, v.link_local, *near, "::1",
                       "::ffff:" + g.ip)
        for what in (UDP(sport=53, dport=1234), TCP(dport=22),
                     ICMPv6EchoRequest())
    ] + [
        eth / IPv6(src="::", dst=v.ip6) / UDP(dport=1234),
        eth / IPv6(src="::", dst=v.ip6) / ICMPv6EchoRequest(),
        eth / IPv6(src=g.ip6, dst=v.ip6)
        / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]) / UDP(),
    ]


def of_arp(me, v, g):
    to_v = Ether(src=me.mac, dst=v.mac)
    to_all = Ether(src=me.mac, dst=EVERYBODY)
    for name, kind in ("a neighbour", v), ("the gateway", g):
        to = g if kind is v else v
        eth = Ether(src=me.mac, dst=to.mac)
        yield f"ARP of {name}", "arp", [
            eth / ARP(op=2, hwsrc=me.mac, psrc=kind.ip, hwdst=to.mac,
                      pdst=to.ip),
            eth / ARP(op=1, hwsrc=me.mac, psrc=kind.ip, pdst=to.ip),
            to_all / ARP(op=1, hwsrc=me.mac, psrc=kind.ip, pdst=to.ip),
            # Gratuitous, in both forms, and announced (RFC 5227).
            to_all / ARP(op=1, hwsrc=me.mac, psrc=kind.ip, pdst=kind.ip),
            to_all / ARP(op=2, hwsrc=me.mac, psrc=kind.ip, pdst=kind.ip,
                         hwdst=EVERYBODY),
            # A probe, which keeps another one from its address.
            to_all / ARP(op=1, hwsrc=me.mac, psrc="0.0.0.0", pdst=kind.ip),
        ]
    yield "ARP that is not what it says", "arp", [
        to_v / ARP(op=2, hwsrc=v.mac, psrc=me.ip, pdst=v.ip),
        to_v / ARP(op=2, hwsrc=g.mac, psrc=g.ip, pdst=v.ip),
        to_v / ARP(op=2, hwsrc=me.mac, psrc="0.0.0.0", pdst=v.ip),
        to_v / ARP(op=3, hwsrc=me.mac, psrc=me.ip, pdst=v.ip),
        to_v / ARP(op=8, hwsrc=me.mac, psrc=me.ip, pdst=v.ip),
        to_v / ARP(op=2, hwtype=6, hwsrc=me.mac, psrc=me.ip, pdst=v.ip),
        to_v / ARP(op=2, ptype=0x86DD, hwsrc=me.mac, psrc=me.ip, pdst=v.ip),
    ]


def of_nd(me, v, g):
    all_nodes = group_mac("ff02::1")
    own = ICMPv6NDOptDstLLAddr(lladdr=me.mac)
    source = ICMPv6NDOptSrcLLAddr(lladdr=me.mac)
    others = ICMPv6NDOptSrcLLAddr(lladdr=v.mac)
    for name, kind in ("a neighbour", v), ("the gateway", g):
        to = g if kind is v else v
        eth = Ether(src=me.mac, dst=to.mac)
        to_all = Ether(src=me.mac, dst=all_nodes)
        node = "ff02::1:ff00:" + kind.ip6.rpartition(":")[2]
        solicited = Ether(src=me.mac, dst=group_mac(node))
        yield f"ND of {name}", "ipv6", [
            eth / IPv6(src=kind.ip6, dst=to.ip6, hlim=255)
            / ICMPv6ND_NA(tgt=kind.ip6, R=0, S=1, O=1) / own,
            eth / IPv6(src=kind.ip6, dst=to.ip6, hlim=255)
            / ICMPv6ND_NS(tgt=to.ip6) / source,
            to_all / IPv6(src=kind.link_local, dst="ff02::1", hlim=255)
            / ICMPv6ND_NA(tgt=kind.ip6, R=1, S=0, O=1) / own,
            eth / IPv6(src=kind.ip6, dst=to.ip6, hlim=255)
            / ICMPv6ND_RS() / source,
        ]
        yield f"ND for {name}", "nd", [
            eth / IPv6(src=me.ip6, dst=to.ip6, hlim=255)
            / ICMPv6ND_NA(tgt=kind.ip6, R=0, S=1, O=1) / own,
            eth / IPv6(src=me.link_local, dst=to.ip6, hlim=255)
            / ICMPv6ND_NA(tgt=kind.link_local, R=0, S=1, O=1) / own,
            to_all / IPv6(src=me.ip6, dst="ff02::1", hlim=255)
            / ICMPv6ND_NA(tgt=kind.ip6, R=0, S=0, O=1) / own,
            # Behind what some firewalls do not look beyond (RFC 7113).
            to_all / IPv6(src=me.ip6, dst="ff02::1", hlim=255)
            / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))])
            / ICMPv6ND_NA(tgt=kind.ip6, R=0, S=0, O=1) / own,
            # A probe for its address: it must not take it (RFC 4862, 5.4.3).
            solicited / IPv6(src="::", dst=node, hlim=255)
            / ICMPv6ND_NS(tgt=kind.ip6),
        ]
    eth = Ether(src=me.mac, dst=v.mac)
    ip6 = IPv6(src=me.ip6, dst=v.ip6, hlim=255)
    zero = Raw(b"\x01\x00" + bytes(6))
    yield "link-layer options of ND", "nd", [
        eth / ip6 / ICMPv6ND_NS(tgt=v.ip6) / others,
        eth / ip6 / ICMPv6ND_NS(tgt=v.ip6) / source / others,
        eth / ip6 / ICMPv6ND_NS(tgt=v.ip6) / ICMPv6NDOptMTU() / others,
        eth / ip6 / ICMPv6ND_NA(tgt=me.ip6, S=0, O=1)
        / ICMPv6NDOptDstLLAddr(lladdr=v.mac),
        Ether(src=me.mac, dst=group_mac("ff02::2"))
        / IPv6(src=me.ip6, dst="ff02::2", hlim=255) / ICMPv6ND_RS() / others,
        eth / ip6 / ICMPv6ND_NS(tgt=v.ip6) / zero,
    ]
    many = eth / ip6 / ICMPv6ND_NS(tgt=v.ip6)
    for _ in range(8):
        many /= ICMPv6NDOptMTU()
    yield "more options of ND than are looked at", "undecided", [
        many / others,
    ]


def of_servers(me, v, g):
    """What only those may say whom all others believe."""
    to_v = Ether(src=me.mac, dst=v.mac)
    to_all = Ether(src=me.mac, dst=EVERYBODY)
    offer = dhcp_offer(me)
    yield "a DHCP server", "dhcp", [
        to_v / IP(src=me.ip, dst=v.ip) / UDP(sport=67, dport=68) / offer,
        to_all / IP(src=me.ip, dst="255.255.255.255")
        / UDP(sport=67, dport=68) / offer,
        # A relay, and one that has another port.
        to_v / IP(src=me.ip, dst=v.ip) / UDP(sport=67, dport=67) / offer,
        to_v / IP(src=me.ip, dst=v.ip) / UDP(sport=1067, dport=68) / offer,
        to_v / IP(src=me.ip, dst=v.ip, options=[b"\x01" * 8])
        / UDP(sport=67, dport=68) / offer,
    ]
    yield "a DHCP server with another's address", "ipv4", [
        to_all / IP(src=g.ip, dst="255.255.255.255")
        / UDP(sport=67, dport=68) / offer,
        to_all / IP(src="0.0.0.0", dst="255.255.255.255")
        / UDP(sport=67, dport=68) / offer,
    ]
    yield "a DHCPv6 server", "dhcp", [
        to_v / IPv6(src=me.link_local, dst=v.link_local)
        / UDP(sport=547, dport=546) / DHCP6_Advertise(),
        to_v / IPv6(src=me.ip6, dst=v.link_local)
        / UDP(sport=547, dport=546) / DHCP6_Reply(),
        to_v / IPv6(src=me.link_local, dst=v.link_local)
        / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))])
        / UDP(sport=9, dport=546) / DHCP6_Reply(),
    ]
    nodes = Ether(src=me.mac, dst=group_mac("ff02::1"))
    ra = IPv6(src=me.link_local, dst="ff02::1", hlim=255)
    hop_by_hop = IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))])
    yield "a router", "route", [
        nodes / ra / router(),
        to_v / IPv6(src=me.link_local, dst=v.link_local, hlim=255) / router(),
        nodes / ra / hop_by_hop / router(),
        nodes / ra / IPv6ExtHdrRouting(type=4, addresses=[]) / router(),
        to_v / IPv6(src=me.link_local, dst=v.ip6, hlim=255)
        / ICMPv6ND_Redirect(tgt=me.link_local, dst="2001:db8:1::1"),
        to_v / IP(src=me.ip, dst=v.ip)
        / ICMP(type=5, code=1, gw=me.ip) / IP(src=v.ip, dst="8.8.8.8") / UDP(),
        to_v / IP(src=me.ip, dst=v.ip) / ICMP(type=9),
        # Of those that ask for groups there is one, too.
        nodes / IPv6(src=me.link_local, dst="ff02::1", hlim=1)
        / hop_by_hop / ICMPv6MLQuery(),
        to_v / IP(src=me.ip, dst=v.ip, proto=2, ttl=1)
        / Raw(bytes.fromhex("1164ee9b00000000")),
        to_v / IP(src=me.ip, dst=v.ip, proto=103) / Raw(bytes(8)),
    ]
    yield "a router with another's address", "ipv6", [
        nodes / IPv6(src=g.link_local, dst="ff02::1", hlim=255)
        / ICMPv6ND_RA(routerlifetime=0),
        to_v / IPv6(src=g.link_local, dst=v.ip6, hlim=255)
        / ICMPv6ND_Redirect(tgt=me.link_local, dst="2001:db8:1::1"),
    ]
    yield "a virtual router", "vrrp", [
        to_v / IP(src=me.ip, dst=v.ip, ttl=255)
        / VRRP(vrid=7, priority=255, addrlist=[g.ip]),
        to_v / IPv6(src=me.link_local, dst=v.link_local, hlim=255, nh=112)
        / Raw(bytes(8)),
    ]


def of_tags(me, v, g):
    eth = Ether(src=me.mac, dst=EVERYBODY)
    what = IP(src=me.ip, dst=v.ip) / UDP(dport=1234)
    yield "another VLAN", "vlans", [
        eth / Dot1Q(vlan=100) / what,
        eth / Dot1Q(vlan=1) / what,
        eth / Dot1Q(vlan=4095) / what,
        eth / Dot1Q(vlan=0x100, prio=7, id=1) / what,
    ]
    # What filters say of a frame, they do not say of what is behind a tag.
    yield "a tag that only says a priority", "vlans", [
        Ether(src=me.mac, dst=v.mac) / Dot1Q(vlan=0, prio=prio) / packet
        for prio in (0, 7)
        for packet in (IP(src=me.ip, dst=v.ip) / ICMP(),
                       IP(src=g.ip, dst=v.ip) / UDP(),
                       IPv6(src=g.ip6, dst=v.ip6) / UDP(),
                       ARP(op=2, hwsrc=me.mac, psrc=g.ip, pdst=v.ip))
    ]
    yield "another VLAN, behind a first tag", "vlans", [
        eth / Dot1Q(vlan=0) / Dot1Q(vlan=100) / what,
        eth / Dot1Q(vlan=0) / Dot1Q(vlan=0) / what,
        eth / Dot1Q(vlan=0) / Dot1AD(vlan=100) / what,
        eth / Dot1AD(vlan=0) / Dot1Q(vlan=100) / what,
        eth / Dot1AD(vlan=0) / what,
        eth / Dot1Q(vlan=0, type=0x9100) / Raw(b"\x00\x64" + bytes(44)),
        Ether(src=me.mac, dst=v.mac, type=0x9100)
        / Raw(b"\x00\x64\x08\x00" + bytes(46)),
        Ether(src=me.mac, dst=v.mac, type=0x9200)
        / Raw(b"\x00\x64\x08\x00" + bytes(46)),
    ]
    yield "what is not granted at all", "ethertypes", [
        Ether(src=me.mac, dst=v.mac, type=number) / Raw(bytes(46))
        for number in (TEST_TYPE, 0x8863, 0x8864, 0x8847, 0x888E, 0x88E5,
                       0x8035, 0x6558, 0x88E7, 0x8100 + 1)
    ]
    yield "frames with a length", "llc", [
        Ether(src=me.mac, dst=v.mac, type=46)
        / LLC(dsap=0x42, ssap=0x42, ctrl=3) / Raw(bytes(43)),
        Ether(src=me.mac, dst=v.mac, type=60)
        / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(code=0x800)
        / IP(src=g.ip, dst=v.ip) / UDP(),
    ]
    yield "groups that are not granted", "groups", [
        Ether(src=me.mac, dst=group_mac("224.0.0.18"))
        / IP(src=me.ip, dst="224.0.0.18", ttl=255) / VRRP(vrid=7),
        Ether(src=me.mac, dst=group_mac("224.0.0.5"))
        / IP(src=me.ip, dst="224.0.0.5", proto=89) / Raw(bytes(24)),
        Ether(src=me.mac, dst=group_mac("ff02::12"))
        / IPv6(src=me.link_local, dst="ff02::12", nh=112) / Raw(bytes(8)),
        Ether(src=me.mac, dst="01:00:0c:cc:cc:cd")
        / ARP(hwsrc=me.mac, psrc=me.ip),
    ]


def of_tunnels(me, v, g):
    """A frame in a packet."""
    eth = Ether(src=me.mac, dst=v.mac)
    ip, ip6 = IP(src=me.ip, dst=v.ip), IPv6(src=me.ip6, dst=v.ip6)
    inner = Ether(src=g.mac, dst=v.mac) / IP(src=g.ip, dst=v.ip) / UDP()
    yield "tunnels", "tunnel", [
        what
        for outer in (eth / ip, eth / ip6)
        for what in (
            outer / GRE(proto=0x6558) / inner,
            outer / IP(src=g.ip, dst=v.ip) / UDP(),
            outer / IPv6(src=g.ip6, dst=v.ip6) / UDP(),
            outer / UDP(sport=9, dport=4789) / VXLAN(vni=1) / inner,
            outer / UDP(dport=6081) / Raw(b"\0\0\x65\x58" + bytes(4)) / inner,
            outer / UDP(dport=1701) / Raw(bytes(16)),
            outer / UDP(dport=3544) / IPv6(src=g.ip6, dst=v.ip6),
        )
    ] + [
        eth / IP(src=me.ip, dst=v.ip, proto=number) / Raw(bytes(40))
        for number in (50, 51, 97, 115)
    ] + [
        eth / IPv6(src=me.ip6, dst=v.ip6, nh=51)
        / Raw(bytes([58, 1]) + bytes(10)),
        eth / IPv6(src=me.ip6, dst=v.ip6) / IPv6ExtHdrHopByHop()
        / IP(src=g.ip, dst=v.ip),
    ]


def of_fragments(me, v, g):
    eth = Ether(src=me.mac, dst=v.mac)
    offer = bytes(UDP(sport=67, dport=68) / dhcp_offer(me))
    ip = {"src": me.ip, "dst": v.ip, "proto": 17, "id": 7}
    harmless = bytes(UDP(sport=9, dport=9, len=300) / Raw(bytes(16)))
    first = IP(**ip, flags="MF")
    yield "fragments of IPv4", [
        # As few octets as there may be, and then the rest.
        ("dhcp", eth / first / Raw(offer[:8])),
        ("pass", eth / IP(**ip, frag=1) / Raw(offer[8:])),
        # The ports again, over those that were fine.
        ("pass", eth / first / Raw(harmless)),
        ("dhcp", eth / first / Raw(offer[:24])),
        ("pass", eth / IP(**ip, frag=1) / Raw(offer[8:])),
        # Ports that end with the frame.
        ("undecided", eth / first / Raw(offer[:1])),
        ("ipv4", eth / IP(src=g.ip, dst=v.ip, frag=100) / Raw(bytes(16))),
        ("undecided", eth / IP(src="0.0.0.0", dst="255.255.255.255",
                               flags="MF", proto=17)
         / Raw(bytes(UDP(sport=68, dport=67)))),
        ("route", eth / IP(src=me.ip, dst=v.ip, flags="MF", proto=1)
         / Raw(bytes(ICMP(type=5, gw=me.ip)))),
        ("tunnel", eth / IP(src=me.ip, dst=v.ip, frag=9, proto=47)
         / Raw(bytes(16))),
    ]
    ip6 = IPv6(src=me.ip6, dst=v.ip6, hlim=255)
    na = ICMPv6ND_NA(tgt=g.ip6, O=1) / ICMPv6NDOptDstLLAddr(lladdr=me.mac)
    whole = bytes(IPv6(src=me.ip6, dst=v.ip6) / na)[40:]
    ra = IPv6(src=me.link_local, dst=v.link_local, hlim=255)
    atomic = IPv6ExtHdrFragment(id=7)
    more = IPv6ExtHdrFragment(id=8, m=1, nh=58)
    yield "fragments of IPv6", [
        # The first of one (RFC 6946), with ND (RFC 6980).
        ("undecided", eth / ip6 / atomic / na),
        ("undecided", eth / ra / atomic / router()),
        ("undecided", eth / ra / IPv6ExtHdrHopByHop() / atomic / router()),
        ("undecided", eth / ip6 / more / Raw(whole[:8])),
        ("pass", eth / ip6 / IPv6ExtHdrFragment(id=8, offset=1, nh=58)
         / Raw(whole[8:])),
        # Over another one, which is fine.
        ("pass", eth / ip6 / more / Raw(b"\x80\0\0\0" + bytes(20))),
        ("undecided", eth / ip6 / more / Raw(whole)),
        # The header that matters is in the second.
        ("undecided", eth / ra / IPv6ExtHdrFragment(id=9, m=1, nh=60)
         / Raw(bytes([58, 0, 1, 4, 0, 0, 0, 0]))),
        ("pass", eth / ra / IPv6ExtHdrFragment(id=9, offset=1, nh=60)
         / Raw(bytes(ra / router())[40:])),
        ("undecided", eth / ra / atomic / IPv6ExtHdrFragment(id=10)
         / router()),
        ("undecided", eth / ra / atomic / IPv6ExtHdrHopByHop() / router()),
        ("dhcp", eth / ra / IPv6ExtHdrFragment(id=11, m=1, nh=17)
         / Raw(bytes(UDP(sport=547, dport=546)))),
        ("undecided", eth / ra / more / Raw(b"")),
        ("undecided", eth / IPv6(src="::", dst=v.ip6, hlim=255) / atomic
         / ICMPv6ND_NS(tgt=v.ip6)),
    ]


def of_headers(me, v, g):
    eth = Ether(src=me.mac, dst=v.mac)
    ip6 = IPv6(src=me.ip6, dst=v.ip6, hlim=255)
    ra = IPv6(src=me.link_local, dst=v.link_local, hlim=255)
    na = ICMPv6ND_NA(tgt=g.ip6, O=1) / ICMPv6NDOptDstLLAddr(lladdr=me.mac)
    hop_by_hop = IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))])
    home = IPv6ExtHdrDestOpt(options=[HAO(hoa=g.ip6)])
    many = eth / ra
    for _ in range(5):
        many /= hop_by_hop
    yield "extension headers", [
        # The address of another one, in place of the source (RFC 6275).
        ("undecided", eth / ip6 / home / ICMPv6EchoRequest()),
        ("undecided", eth / ip6 / hop_by_hop / home / UDP()),
        ("undecided", many / router()),
        ("undecided", eth / ra / IPv6ExtHdrDestOpt() / router()),
        ("nd", eth / ip6 / hop_by_hop / hop_by_hop / na),
        ("dhcp", eth / ra / hop_by_hop / hop_by_hop / hop_by_hop / hop_by_hop
         / UDP(sport=547, dport=546)),
        ("route", eth / ra
         / IPv6ExtHdrRouting(type=0, addresses=[v.ip6] * 8) / router()),
        # One that says it is longer than the frame.
        ("undecided", eth / ra / IPv6ExtHdrHopByHop(len=255) / router()),
        # A payload of a length that stands elsewhere (RFC 2675).
        ("undecided", eth / IPv6(src=me.ip6, dst=v.ip6, hlim=255, plen=0)
         / hop_by_hop / na),
        ("nd", eth / IPv6(src=me.ip6, dst=v.ip6, hlim=255, plen=60000) / na),
    ]
    short = bytes(eth / IP(src=me.ip, dst=v.ip) / UDP(sport=67, dport=68))
    arp = bytes(eth / ARP(op=2, hwsrc=me.mac, psrc=g.ip))
    ns = bytes(eth / ip6 / ICMPv6ND_NS(tgt=v.ip6)
               / ICMPv6NDOptSrcLLAddr(lladdr=g.mac))
    yield "headers that are cut off, or none", [
        ("undecided", arp[:15]),
        ("undecided", arp[:24]),
        ("undecided", arp[:30]),
        ("undecided", short[:20]),
        ("undecided", short[:34]),
        ("undecided", short[:35]),
        ("undecided", ns[:14 + 8]),
        ("undecided", ns[:14 + 40]),
        ("undecided", ns[:-8]),
        ("undecided", ns[:-1]),
        ("undecided", eth / IP(src=me.ip, dst=v.ip, ihl=3) / UDP()),
        ("undecided", eth / IP(src=me.ip, dst=v.ip, ihl=15) / UDP()),
        ("undecided", eth / IP(src=me.ip, dst=v.ip, version=6) / UDP()),
        ("undecided", eth / IPv6(src=me.ip6, dst=v.ip6, version=4) / UDP()),
        ("dhcp", eth / IP(src=me.ip, dst=v.ip, len=24) / UDP(sport=67)),
        ("dhcp", eth / IP(src=me.ip, dst=v.ip, len=65535) / UDP(sport=67)),
    ]


def of_macs(me, v, g):
    """A switch of the client's own learns from these."""
    yield "another's MAC address", "macs", [
        Ether(src=source, dst=v.mac) / IP(src=me.ip, dst=v.ip) / ICMP()
        for source in (g.mac, "02:00:00:00:66:66")
    ] + [
        Ether(src=g.mac, dst=EVERYBODY)
        / ARP(hwsrc=g.mac, psrc=g.ip, pdst=g.ip),
    ]


def attacks(me, victim, gateway):
    for kind in (of_addresses, of_arp, of_nd, of_servers, of_tags, of_tunnels,
                 of_fragments, of_headers, of_macs):
        for name, *rest in kind(me, victim, gateway):
            if len(rest) == 2:
                rest = [[(rest[0], frame) for frame in rest[1]]]
            yield Attack(name, [(part, bytes(f)) for part, f in rest[0]])
