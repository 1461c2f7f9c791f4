#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Captures, which vnetctl takes from a daemon that is none.

usage: vnetctl_capture.py VNETCTL
"""
import contextlib
import json
import os
import random
import re
import signal
import struct
import subprocess
import threading
import time

from vnetctl_support import (
    PATIENCE,
    WORK,
    always,
    check,
    check_in,
    command,
    run,
    run_tests,
)


def pad(octets):
    return octets + bytes(-len(octets) % 4)


def block(kind, body):
    length = len(body) + 12
    return struct.pack("=II", kind, length) + body + struct.pack("=I", length)


def option(code, value):
    return struct.pack("=HH", code, len(value)) + pad(value)


SECTION = block(0x0A0D0D0A, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1))
INTERFACE = block(
    1,
    struct.pack("=HHI", 1, 0, 0)
    + option(2, b"web")
    + option(9, b"\x09")
    + option(0, b""),
)


def packet(data, flags=1, lost=0, length=None):
    ns = 1700000000123456789
    options = option(2, struct.pack("=I", flags))
    if lost:
        options += option(4, struct.pack("=Q", lost))
    return block(
        6,
        struct.pack(
            "=IIIII",
            0,
            ns >> 32,
            ns & 0xFFFFFFFF,
            len(data),
            length or len(data),
        )
        + pad(data)
        + options
        + option(0, b""),
    )


def statistics(lost):
    return block(
        5,
        struct.pack("=III", 0, 0, 0)
        + option(5, struct.pack("=Q", lost))
        + option(0, b""),
    )


def frame(kind, payload, tag=None):
    head = bytes.fromhex("020000000002020000000001")
    if tag:
        head += struct.pack("!HH", 0x8100, tag)
    return head + struct.pack("!H", kind) + payload


def ipv4(protocol, payload, fragment=0):
    return (
        struct.pack("!BBHHHBBH", 0x45, 0, 20, 0, fragment, 64, protocol, 0)
        + bytes([10, 0, 0, 1, 10, 0, 0, 2])
        + payload
    )


def ipv6(protocol, payload):
    address = "fd0000000000000000000000000000"
    return (
        struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64)
        + bytes.fromhex(address + "01" + address + "02")
        + payload
    )


TCP = struct.pack("!HHIIBBHHH", 80, 4711, 0, 0, 0x50, 0x12, 0, 0, 0)
UDP = struct.pack("!HHHH", 53, 5353, 8, 0)
ARP = bytes.fromhex("00010800060400") + bytes.fromhex(
    "01 020000000001 0a000001 000000000000 0a000002"
)
FRAMES = [
    (frame(0x0806, ARP), "ARP, 42: who has 10.0.0.2? tell 10.0.0.1"),
    (
        frame(0x0800, ipv4(6, TCP)),
        "IPv4, 54: 10.0.0.1.80 > 10.0.0.2.4711: TCP [S.]",
    ),
    (
        frame(0x0800, ipv4(17, UDP), tag=5),
        "vlan 5, IPv4, 46: 10.0.0.1.53 > 10.0.0.2.5353: UDP",
    ),
    (
        frame(0x86DD, ipv6(17, UDP)),
        "IPv6, 62: fd00::1.53 > fd00::2.5353: UDP",
    ),
    (
        frame(0x86DD, ipv6(0, b"\x11\0\0\0\0\0\0\0" + UDP)),
        "IPv6, 70: fd00::1.53 > fd00::2.5353: UDP",
    ),
    (
        frame(0x0800, ipv4(1, b"\x08\0")),
        "IPv4, 36: 10.0.0.1 > 10.0.0.2: ICMP echo request",
    ),
    (
        frame(0x0800, ipv4(17, UDP, fragment=100)),
        "IPv4, 42: 10.0.0.1 > 10.0.0.2: fragment",
    ),
    (frame(0x88CC, b"x"), "0x88cc, 15"),
]
CAPTURE = SECTION + INTERFACE + b"".join(packet(f) for f, _ in FRAMES)


def test_a_capture_is_a_line_a_frame():
    with always({"ok": True}, CAPTURE + statistics(2), None) as d:
        p = subprocess.run(
            command("capture", "web", "arp", "or", "ip", "--snaplen", "96"),
            capture_output=True,
            timeout=PATIENCE,
        )
        check(p.returncode == 0, p)
        lines = p.stdout.decode().splitlines()
        check(len(lines) == len(FRAMES), lines)
        for line, (_, rest) in zip(lines, FRAMES):
            check(
                re.fullmatch(
                    r"\d\d:\d\d:20\.123456 in  02:00:00:00:00:01 > "
                    r"02:00:00:00:00:02, (.*)",
                    line,
                )[1]
                == rest,
                line,
            )
        check(
            p.stderr
            == b"8 frames captured, 2 lost; ended by vnet-switch\n",
            p.stderr,
        )
        check(
            d.requests
            == [
                {
                    "do": "capture",
                    "port": "web",
                    "expr": "arp or ip",
                    "snaplen": 96,
                }
            ]
        )


def test_a_capture_is_an_object_a_frame():
    types = [0x806, 0x800, 0x800, 0x86DD, 0x86DD, 0x800, 0x800, 0x88CC]
    expected = [
        {
            "time_ns": 1700000000123456789,
            "direction": "in",
            "length": len(data),
            "captured": len(data),
            "source": "02:00:00:00:00:01",
            "destination": "02:00:00:00:00:02",
            "ethertype": kind,
            "summary": rest,
        }
        for (data, rest), kind in zip(FRAMES, types)
    ]
    with always({"ok": True}, CAPTURE + statistics(2), None) as d:
        p = subprocess.run(
            command("-j", "capture", "web", "arp"),
            capture_output=True,
            timeout=PATIENCE,
        )
        check(p.returncode == 0, p)
        lines = [json.loads(line) for line in p.stdout.splitlines()]
        check(lines == expected, lines)
        check(
            p.stderr
            == b"8 frames captured, 2 lost; ended by vnet-switch\n",
            p.stderr,
        )
        check(d.requests == [{"do": "capture", "port": "web", "expr": "arp"}])


def test_an_object_has_what_the_frame_has():
    cases = (
        # Out, after others were lost, and cut.
        (
            packet(FRAMES[1][0], flags=2, lost=4, length=1514),
            {"direction": "out", "length": 1514, "captured": 54, "lost": 4},
            [],
        ),
        (packet(FRAMES[0][0], flags=0), {"ethertype": 0x806}, ["direction"]),
        (
            packet(frame(40, b"x")),
            {"summary": "802.3, 15", "source": "02:00:00:00:00:01"},
            ["ethertype", "lost"],
        ),
        (
            packet(FRAMES[0][0][:13], length=60),
            {"summary": "60 octets, cut to 13", "captured": 13},
            ["source", "destination", "ethertype"],
        ),
    )
    octets = SECTION + INTERFACE + b"".join(case[0] for case in cases)
    with always({"ok": True}, octets, None):
        lines = run("capture", "-j", "web").splitlines()
        check(len(lines) == len(cases), lines)
        for line, (_, there, missing) in zip(lines, cases):
            found = json.loads(line)
            check(there.items() <= found.items(), line)
            check(not set(missing) & set(found), line)


def test_a_capture_is_written_as_it_comes():
    whole = CAPTURE + statistics(0)
    path = os.path.join(WORK.name, "pcapng")

    def slowly(connection):
        for i in range(0, len(whole), 7):
            connection.sendall(whole[i : i + 7])

    with always({"ok": True}, slowly, None):
        run("capture", "web", "-w", path)
        with open(path, "rb") as file:
            check(file.read() == whole)
        check(os.stat(path).st_mode & 0o777 == 0o600)
        p = subprocess.run(
            command("capture", "web", "-w", "-"), capture_output=True
        )
        check(p.stdout == whole and p.returncode == 0)


def test_a_capture_is_live():
    with always({"ok": True}, CAPTURE, lambda _: time.sleep(PATIENCE)):
        for args in (["-w", "-"], [], ["-j"]):
            with subprocess.Popen(
                command("capture", "web", *args),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as p:
                if "-w" in args:
                    check(p.stdout.read(len(CAPTURE)) == CAPTURE)
                else:
                    check_in(b"ARP", p.stdout.readline())
                p.stdout.close()
                err = p.stderr.read()
                check(p.wait(PATIENCE) == 0, err)
                check_in(b"8 frames captured, at least 0 lost", err)


def test_a_capture_ends_after_so_many():
    hung_up = threading.Event()

    def stream(connection):
        connection.sendall(CAPTURE + packet(FRAMES[0][0], lost=4))
        check(connection.recv(1) == b"")
        hung_up.set()
        connection.sendall(packet(FRAMES[0][0]) + statistics(5))

    with always({"ok": True}, stream, None):
        p = subprocess.run(
            command("capture", "web", "-c", "9", "-w", "-"),
            capture_output=True,
            timeout=PATIENCE,
        )
        check(p.returncode == 0 and hung_up.is_set(), p)
        check(p.stderr == b"9 frames captured, 5 lost\n", p.stderr)
        check(
            p.stdout
            == CAPTURE + packet(FRAMES[0][0], lost=4) + statistics(5)
        )


def test_a_capture_ends_on_a_signal():
    def stream(connection):
        connection.sendall(CAPTURE)
        check(connection.recv(1) == b"")
        connection.sendall(statistics(1))

    for number in (signal.SIGINT, signal.SIGTERM):
        with always({"ok": True}, stream, None):
            with subprocess.Popen(
                command("capture", "web"),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as p:
                p.stdout.readline()
                p.send_signal(number)
                out, err = p.communicate(timeout=PATIENCE)
                check(p.returncode == 0, p.returncode)
                check(err == b"8 frames captured, 1 lost\n", err)


def test_a_daemon_that_does_not_end_a_capture_is_left():
    def stream(connection):
        connection.sendall(SECTION + INTERFACE)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(packet(FRAMES[0][0]))

    with always({"ok": True}, stream):
        begin = time.monotonic()
        run("capture", "web", "-c", "10")
        check(time.monotonic() - begin < 5)


def test_a_capture_that_is_none_is_refused():
    path = os.path.join(WORK.name, "kept")
    with open(path, "wb") as file:
        file.write(b"mine")
    with always({"ok": False, "error": "there is no port web"}):
        check_in("no port", run("capture", "web", "-w", path, status=1))
    with open(path, "rb") as file:
        check(file.read() == b"mine")
    head = SECTION + INTERFACE
    for octets in (
        b"GET / HTTP/1.0\r\n\r\n",
        SECTION[::-1],
        struct.pack(">IIIHHq", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1),
        SECTION + SECTION,
        SECTION + packet(b"x" * 60),
        head + INTERFACE,
        SECTION + block(1, struct.pack("=HHI", 113, 0, 0)),
        head + struct.pack("=II", 6, 8),
        head + struct.pack("=II", 6, 0xFFFFFFFC),
        head + struct.pack("=II", 6, 33) + bytes(25),
        head + struct.pack("=III", 9, 12, 16),
        head + block(6, bytes(8)),
        head + block(6, struct.pack("=IIIII", 0, 0, 0, 0xFFFFFFFF, 0)),
        head + block(6, struct.pack("=IIIII", 0, 0, 0, 8, 8) + bytes(4)),
        head + block(6, struct.pack("=IIIII", 7, 0, 0, 0, 0)),
        head + packet(b"x" * 60)[:-5],
        SECTION
        + block(1, struct.pack("=HHI", 1, 0, 0) + option(9, b"\xff")),
    ):
        with always({"ok": True}, octets, None):
            run("capture", "web", status=1)


def test_odd_frames_do_no_harm():
    generator = random.Random(1)
    odd = [bytes(n) for n in range(20)]
    for data, _ in FRAMES:
        odd += [data[:n] for n in range(len(data))]
        for _ in range(200):
            copy = bytearray(data)
            copy[generator.randrange(12, len(copy))] ^= generator.randrange(256)
            odd.append(bytes(copy))
    octets = SECTION + INTERFACE + b"".join(packet(f, flags=0) for f in odd)
    # Options that are cut, or longer than their block; blocks of no known kind.
    octets += block(6, struct.pack("=IIIIIHH", 0, 0, 0, 0, 0, 2, 4))
    octets += block(6, struct.pack("=IIIIIHH", 0, 0, 0, 0, 0, 4, 0xFFFF))
    octets += block(5, b"") + block(5, bytes(12)) + block(77, b"abcd")
    with always({"ok": True}, octets, None):
        out = run("capture", "web")
        check(len(out.splitlines()) == len(odd) + 2)
        check(re.fullmatch(r"[\n -~]*", out))
        objects = run("capture", "-j", "web").splitlines()
        check(len(objects) == len(odd) + 2)
        for text, line in zip(out.splitlines(), map(json.loads, objects)):
            check(text.endswith(line["summary"]), f"{text}: {line}")


run_tests(globals())
