#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vnetctl explain: of a frame that is typed, and of those in a capture.

usage: vnetctl_explain.py VNETCTL
"""
import json
import os
import struct
import subprocess

from vnetctl_support import (
    PATIENCE,
    WORK,
    check,
    check_in,
    check_rows,
    command,
    results,
    run,
    run_tests,
)

HEADER = bytes.fromhex("020000000002" "020000000001" "0800")
FRAME = HEADER + bytes(46)

DROPPED = {
    "client": "web/0",
    "drop": "storm",
    "steps": [
        {"step": "link", "result": "passed", "detail": "port web is up"},
        {"step": "limits", "result": "dropped", "detail": "storm: of web"},
    ],
    "dests": [],
}

SENT = {
    "client": "web/0",
    "drop": None,
    "steps": [
        {"step": "link", "result": "passed", "detail": "port web is up"},
        {"step": "lookup", "result": "group", "detail": "for everybody"},
        {"step": "destinations", "result": "sent", "detail": "to 1 of 2"},
    ],
    "dests": [
        {
            "client": "db/0",
            "port": "db",
            "drop": None,
            "reach": "forwarded",
            "steps": [
                {"step": "egress", "result": "passed", "detail": "no rules"},
                {"step": "send", "result": "queued", "detail": "behind"},
            ],
        },
        {
            "client": "web/1",
            "port": "web",
            "drop": "receive_filter",
            "reach": "sibling",
            "steps": [
                {"step": "receive", "result": "dropped", "detail": "by a rule"}
            ],
        },
    ],
}


def path(name, content):
    name = os.path.join(WORK.name, name)
    with open(name, "wb") as f:
        f.write(content)
    return name


def pcap(*frames, magic=0xA1B2C3D4, linktype=1, order="<"):
    """Of octets, or (octets, length on the wire)."""
    content = struct.pack(
        order + "IHHiIII", magic, 2, 4, 0, 0, 262144, linktype
    )
    for i, frame in enumerate(frames):
        data, length = frame if isinstance(frame, tuple) else (frame, None)
        if length is None:
            length = len(data)
        content += struct.pack(order + "IIII", i, 7, len(data), length) + data
    return content


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def pcapng(*frames):
    content = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    content += block(1, struct.pack("<HHI", 1, 0, 0))
    for frame in frames:
        content += block(
            6, struct.pack("<IIIII", 0, 0, 9, len(frame), len(frame)) + frame
        )
    return content


def test_a_frame_is_explained_in_numbered_steps():
    with results(explain=SENT) as d:
        out = run("explain", "web", FRAME.hex())
        check_rows(
            out,
            "02:00:00:00:00:01 > 02:00:00:00:00:02, IPv4, 60",
            "1. link passed port web is up",
            "2. lookup group for everybody",
            "3. destinations sent to 1 of 2",
            "CLIENT FOR BECOMES WHY",
            "db/0 forwarded queued behind",
            "web/1 sibling receive_filter by a rule",
        )
        check(
            d.requests
            == [{"do": "explain", "client": "web", "frame": FRAME.hex()}]
        )
        check(json.loads(run("explain", "web", FRAME.hex(), "-j")) == SENT)
    with results(explain=DROPPED):
        lines = run("explain", "web/0", FRAME.hex()).splitlines()
        check(len(lines) == 3, lines)
        check(lines[-1].split()[:3] == ["2.", "limits", "dropped"], lines)


def test_digits_may_stand_apart():
    with results(explain=DROPPED) as d:
        for words in (
            ["02:00:00:00:00:02", "02 00 00 00 00 01", "0800"],
            ["0200 0000 0002\n0200\t0000 0001 08", "0", "0"],
            ["020000000002", "020000000001", "0800"],
        ):
            run("explain", "web", *words)
        for request in d.requests:
            check(request["frame"] == HEADER.hex(), request)
        run("explain", "web", "AbCd")
        check(d.requests[-1]["frame"] == "abcd")


def test_what_is_no_frame_is_refused():
    with results(explain=DROPPED) as d:
        for words, said in (
            ([""], "found no digits"),
            ([" :"], "found no digits"),
            (["0"], "found 1 digits, expected two for each octet"),
            ([FRAME.hex() + "f"], "found 121 digits"),
            (["0200zz"], 'found "zz" at octet 2'),
            (["0x0200"], 'found "x0200" at octet 0'),
            (["--", "-1"], 'found "-1"'),
            # No argument is longer than 128 KiB.
            (["00" * 60000] * 5, "found 300000 octets, expected at most"),
        ):
            check_in(said, run("explain", "web", *words, status=2))
        check(not d.requests)
        run("explain", "web", *["00" * 52428] * 5, "0000" * 2)
        check(len(d.requests[-1]["frame"]) == 2 * 262144)


def test_frames_of_a_capture_are_explained_one_by_one():
    frames = [FRAME, HEADER + b"x" * 1486]
    for name, content in (
        ("a.pcap", pcap(*frames)),
        ("nano.pcap", pcap(*frames, magic=0xA1B23C4D)),
        ("big.pcap", pcap(*frames, order=">")),
        ("a.pcapng", pcapng(*frames)),
    ):
        with results(explain=DROPPED) as d:
            out = run("explain", "web", "--read", path(name, content))
            check_rows(
                out,
                "frame 1: 02:00:00:00:00:01 > 02:00:00:00:00:02, IPv4, 60",
                "1. link passed port web is up",
                "2. limits dropped storm: of web",
                "frame 2: 02:00:00:00:00:01 > 02:00:00:00:00:02, IPv4, 1500",
                "2. limits dropped storm: of web",
            )
            found = [bytes.fromhex(r["frame"]) for r in d.requests]
            check(found == frames, name)
            run("explain", "web", "-r", path(name, content), "-c", "1")
            check(len(d.requests) == 3, name)


def test_a_capture_may_come_by_standard_input():
    with results(explain=DROPPED):
        p = subprocess.run(
            command("explain", "web", "-r", "-"),
            input=pcap(FRAME),
            capture_output=True,
            timeout=PATIENCE,
        )
        check(p.returncode == 0 and b"frame 1: " in p.stdout, p)


def test_json_of_a_capture_is_a_line_a_frame():
    with results(explain=SENT):
        out = run(
            "explain", "web", "-j", "-r", path("j", pcap(FRAME, (HEADER, 60)))
        )
        lines = [json.loads(line) for line in out.splitlines()]
        check(
            lines
            == [
                {
                    "frame": 1,
                    "time_ns": 7000,
                    "length": 60,
                    "captured": 60,
                    **SENT,
                },
                {
                    "frame": 2,
                    "time_ns": 1000007000,
                    "length": 60,
                    "captured": 14,
                    **SENT,
                },
            ],
            out,
        )


def test_what_the_capture_has_cut_off_is_said():
    with results(explain=SENT) as d:
        out = run("explain", "web", "-r", path("c", pcap((FRAME[:20], 1514))))
        check_in("cut to 20 octets by the capture", out)
        frame = bytes.fromhex(d.requests[0]["frame"])
        check(frame == FRAME[:20] + bytes(1494))


def test_what_cannot_be_explained_does_not_hide_the_rest():
    content = pcap((HEADER[:13], 60), (HEADER, 262145), FRAME, b"short")
    with results(explain=SENT) as d:
        p = subprocess.run(
            command("explain", "web", "-r", path("u", content)),
            capture_output=True,
            timeout=PATIENCE,
        )
        out = p.stdout.decode()
        check(p.returncode == 1, p)
        check_in(b"2 frames not explained", p.stderr)
        check_in("not explained: the capture has not even its header", out)
        check_in("not explained: it is too long", out)
        check_in("frame 3: 02:00:00:00:00:01 > ", out)
        # One that was so short itself is for the switch to judge.
        found = [r["frame"] for r in d.requests]
        check(found == [FRAME.hex(), b"short".hex()], found)
        p = subprocess.run(
            command("explain", "web", "-j", "-r", path("u", content)),
            capture_output=True,
            timeout=PATIENCE,
        )
        lines = [json.loads(line) for line in p.stdout.splitlines()]
        check([("error" in line) for line in lines] == [1, 1, 0, 0], lines)
        check(lines[1]["length"] == 262145, lines)


def test_what_is_no_capture_is_refused():
    long = path("long", pcap(FRAME)[:-1])
    head = path("head", pcap(FRAME)[:30])
    for name, said in (
        (os.path.join(WORK.name, "missing"), "No such file"),
        (WORK.name, "Is a directory"),
        ("/dev/null", "it is empty"),
        (path("empty", b""), "it is empty"),
        (path("text", b"hello, this is no capture at all\n" * 9), "no capture"),
        (path("two", b"\xd4\xc3"), "no capture"),
        (path("start", pcap()[:20]), "no capture"),
        (path("none", pcap()), "there are no frames in it"),
        (path("ip", pcap(FRAME, linktype=101)), "are RAW, expected Ethernet"),
        (path("odd", pcap(FRAME, linktype=65000)), "expected Ethernet"),
        (long, "truncated dump file"),
        (head, "truncated dump file"),
    ):
        with results(explain=DROPPED):
            err = run("explain", "web", "-r", name, status=1)
            check_in(said, err)
            check_in(name, err)
    with results(explain=DROPPED):
        p = subprocess.run(
            command("explain", "web", "-r", path("cut", pcap(FRAME, FRAME)[:-1])),
            capture_output=True,
            timeout=PATIENCE,
        )
        # What was whole has been explained.
        check(p.stdout.count(b"frame 1: ") == 1, p)
        check(p.returncode == 1 and b"truncated" in p.stderr, p)


def test_rubbish_in_a_capture_does_no_harm():
    good = pcap(FRAME, FRAME), pcapng(FRAME, FRAME)
    with results(explain=DROPPED):
        for content in good:
            for at in range(0, len(content), 3):
                for value in b"\0", b"\xff":
                    bad = content[:at] + value + content[at + 1 :]
                    p = subprocess.run(
                        command("explain", "web", "-r", path("bad", bad)),
                        capture_output=True,
                        timeout=PATIENCE,
                    )
                    check(p.returncode in (0, 1), (at, value, p))
                    lines = p.stderr.splitlines()
                    check(len(lines) == p.returncode, p.stderr)


def test_what_the_daemon_refuses_ends_it():
    with results():
        err = run("explain", "nobody", FRAME.hex(), status=1)
        check_in("no answer for explain", err)
        err = run("explain", "x", "-r", path("r", pcap(FRAME)), status=1)
        check_in("no answer for explain", err)


run_tests(globals())
