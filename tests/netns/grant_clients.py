# SPDX-License-Identifier: BSD-2-Clause
"""Clients that try what is in attacks.py, the hosts that they try it on, and a
connection to the switch that should be in between.
"""
import ipaddress
import json
import queue
import socket
import struct
import subprocess
import threading
import time

from attacks import EVERYBODY, ROGUE_PREFIX, Host, attacks
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw
from wire import ETH_P_ALL, PACKET_VNET_HDR, SOL_PACKET, packet_socket, receive

PATIENCE = 20


def host(last):
    return Host(f"02:00:00:00:00:{last:02x}", f"10.9.0.{last}",
                f"2001:db8:9::{last:x}")


VICTIM, GATEWAY, NOBODY = host(1), host(0xfe), host(0x99)


def gain(before, after):
    return {k: n - before.get(k, 0) for k, n in after.items()
            if n != before.get(k, 0)}


def equal(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: found {found}, expected {expected}")


class Control:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def ask(self, do, **keys):
        line = json.dumps({"do": do, **keys})
        self.socket.sendall(line.encode() + b"\n")
        pieces = []
        while True:
            answer = json.loads(self.file.readline())
            if not answer["ok"]:
                raise AssertionError(f"{line}: {answer['error']}")
            if not answer.get("more"):
                break
            pieces += answer["result"]
        result = answer.get("result")
        return pieces + result if pieces else result


class Offload:
    """What a frame leaves to others, in the names of virtio and of ours."""

    def __init__(self, csum=(34, 16), kind="none", size=0):
        self.csum, self.kind, self.size = csum, kind, size

    def virtio(self):
        kinds = {"none": 0, "tcp4": 1, "udp": 5}
        return struct.pack("=BBHHHH", 1, kinds[self.kind], 54, self.size,
                           *self.csum)

    def fields(self):
        kinds = {"none": 0, "tcp4": 1, "udp": 3}
        return "%d,%d,%d,%d,%d,%d" % (1, kinds[self.kind], 54, self.size,
                                      *self.csum)


class Tap:
    """A client by the interface of a host that is silent otherwise."""

    least_csum_start = 14  # of what the kernel sends

    def __init__(self, me, port, host, grant=None):
        self.me, self.port, self.client, self.grant = me, port, port, grant
        self.socket = packet_socket(host, port, ETH_P_ALL)
        self.offloading = packet_socket(host, port, 0)
        self.offloading.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)

    def send(self, octets, offload=None):
        if offload:
            self.offloading.send(offload.virtio() + octets)
        else:
            self.socket.send(octets)

    def get(self):
        return receive(self.socket)

    def end(self):
        self.socket.close()
        self.offloading.close()


class Session:
    """A client by a program: attach_client, told to talk."""

    least_csum_start = 0

    def __init__(self, me, port, command, grant=None):
        self.me, self.port, self.client, self.grant = (
            me, port, port + "/0", grant)
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.done, self.got = queue.Queue(), queue.Queue()
        line = self.process.stdout.readline()
        if not line.startswith("is "):
            raise AssertionError(f"no session: {line}")
        threading.Thread(target=self.hear, daemon=True).start()

    def hear(self):
        for line in self.process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "got":
                self.got.put(bytes.fromhex(rest))
            else:
                self.done.put(line)

    def tell(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        return self.done.get(timeout=PATIENCE)

    def send(self, octets, offload=None):
        words = ["offload", offload.fields()] if offload else ["send"]
        while True:
            line = self.tell(*words, octets.hex())
            if line == "done\n":
                return
            if "temporarily" not in line:
                raise AssertionError(line)
            time.sleep(0.01)

    def get(self):
        return self.got.get(timeout=PATIENCE)

    def end(self):
        self.process.stdin.close()
        if self.process.wait(PATIENCE) != 0:
            raise AssertionError(f"a session ends with {self.process.wait()}")


class Peer:
    """Whom it is tried on: a host with a stack, and who sees all it gets."""

    def __init__(self, me, host, interface):
        self.me, self.host = me, host
        self.socket = packet_socket(host, interface, ETH_P_ALL)

    def ip(self, *arguments):
        command = ["ip", "-j", "-n", self.host, *arguments]
        output = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        return json.loads(output.stdout or "[]")

    def neighbours(self):
        """Where it takes others to be."""
        return {n["dst"]: n["lladdr"] for n in self.ip("neigh", "show")
                if "lladdr" in n}

    def routers(self):
        """What it has learned from such: addresses, and where to send."""
        prefix = ipaddress.ip_network(ROGUE_PREFIX + "/64")
        addresses = [
            a["local"] for link in self.ip("addr") for a in link["addr_info"]
            if ipaddress.ip_address(a["local"]) in prefix
        ]
        routes = [r for r in self.ip("-6", "route") if r["dst"] == "default"]
        return addresses, routes


def check_undeceived(what, *peers):
    """They know each other, and where that is."""
    for peer, other in zip(peers, reversed(peers)):
        found = peer.neighbours()
        for address in other.me.ip, other.me.ip6, other.me.link_local:
            equal(found.get(address, other.me.mac), other.me.mac,
                  f"{what}: to {peer.host}, {address}")
        equal((other.me.ip in found, other.me.ip6 in found), (True, True),
              f"{what}: {peer.host} knows {other.host}")


class Net:
    def __init__(self, control):
        self.control = Control(control)
        self.v = Peer(VICTIM, "v", "tv")
        self.g = Peer(GATEWAY, "g", "tg")
        self.count = 0

    def end(self):
        for s in self.v.socket, self.g.socket, self.control.socket:
            s.close()

    def marker(self, me):
        """A frame that nobody minds, and each is another one."""
        self.count += 1
        arp = ARP(hwsrc=me.mac, psrc=me.ip, pdst="192.0.2.1")
        return bytes(Ether(src=me.mac, dst=EVERYBODY) / arp
                     / Raw(self.count.to_bytes(18, "big")))

    def arrived(self, client):
        """What has come to the peers up to now."""
        marker = self.marker(client.me)
        client.send(marker)
        found = []
        for peer in self.v, self.g:
            while (octets := receive(peer.socket)) != marker:
                found.append(octets)
        return found

    def settle(self, client):
        """The peers have said where they are, and @client has heard it."""
        for peer in self.v, self.g:
            marker = self.marker(peer.me)
            peer.socket.send(marker)
            while client.get() != marker:
                pass
        self.arrived(client)

    def refused(self, client, side="in"):
        """{part: frames} of a client's grant."""
        (grant,) = self.control.ask("grant show", name=client.grant)
        return {part: count["frames"]
                for part, count in grant["refused"][side].items()}

    def dropped(self, client, reason):
        (port,) = self.control.ask("stats", port=client.port)["ports"]
        return port["drops"]["in"][reason]

    def addresses(self):
        """{address: port}, as the switch has learned it."""
        return {x["mac"]: x["port"] for x in self.control.ask("fdb show")}


def check_explained(net, client, name, part, octets):
    explained = net.control.ask(
        "explain", client=client.client, frame=octets.hex())
    drop = {"pass": None, "undecided": "undecided"}.get(part, "not_granted")
    equal(explained["drop"], drop, f"{name}: explained")
    if drop:
        said = explained["steps"][-1]
        if said["step"] != "guard" or part not in said["detail"]:
            raise AssertionError(f"{name}: {part} is not said in {explained}")


def check_guarded(net, client):
    """Nothing comes through, and what is dropped is counted where it belongs.
    Between @client and the guard there may be other switches."""
    net.arrived(client)
    for name, frames in attacks(client.me, VICTIM, GATEWAY):
        for part, octets in frames:
            check_explained(net, client, name, part, octets)
        before = net.refused(client)
        expected = {}
        for part, octets in frames:
            client.send(octets)
            if part != "pass":
                expected[part] = expected.get(part, 0) + 1
        found = net.arrived(client)
        for part, octets in frames:
            if part != "pass" and octets in found:
                raise AssertionError(
                    f"{name}: outside of {part}, came through: {octets.hex()}")
            if part == "pass" and octets not in found:
                raise AssertionError(f"{name}: is lost: {octets.hex()}")
        equal(gain(before, net.refused(client)), expected, name)
        check_undeceived(name, net.v, net.g)
    for peer in net.v, net.g:
        equal(peer.routers(), ([], []), f"{peer.host} has a router")
