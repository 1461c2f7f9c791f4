#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks that the sums of `vnetctl --json stats` agree, again and again.

usage: sums.py UNTIL COMMAND...

COMMAND prints the figures; it runs at least once, and until there is a file
UNTIL.
"""
import json
import os
import subprocess
import sys

REASONS = {
    "in": {"malformed", "bad_offload", "bad_source", "reserved",
           "ingress_filter", "same_port", "split_horizon", "no_destination",
           "reentrant", "too_deep", "link_down", "policed", "storm",
           "loop_probe", "not_granted", "undecided", "revoked"},
    "out": {"link_down", "egress_filter", "too_long", "queue_full",
            "pool_empty", "refused", "driver_error", "removed", "policed",
            "storm", "receive_filter", "not_addressed", "not_granted",
            "undecided"},
}


def difference(figures):
    """What does not agree in the figures of one port, or in the totals."""
    into, out, queue = figures["in"], figures["out"], figures["queue"]
    for unit in "frames", "octets":
        dropped, looked_up = into["dropped"][unit], into["looked_up"][unit]
        if into[unit] != dropped + looked_up:
            return f"{unit} in"
        if out[unit] + out["segments"][unit] != (
            out["delivered"][unit] + queue[unit] + out["dropped"][unit]
        ):
            return f"{unit} out"
    for side in "in", "out":
        reasons = figures["drops"][side]
        if set(reasons) != REASONS[side]:
            return f"names of reasons {side}"
        if sum(reasons.values()) != figures[side]["dropped"]["frames"]:
            return f"reasons of drops {side}"
    return None


def check(stats):
    if stats["balanced"] is not True:
        sys.exit(f"not balanced: {json.dumps(stats)}")
    totals = stats["totals"]
    clients = [c for port in stats["ports"] for c in port.get("clients", [])]
    for figures in [*stats["ports"], *clients, totals]:
        what = difference(figures)
        if what:
            name = figures.get("client", figures.get("name", "totals"))
            sys.exit(f"{name}: {what} do not agree: {json.dumps(figures)}")
    for unit in "frames", "octets":
        made = totals["in"]["copies"][unit] + totals["originated"][unit]
        if made != totals["out"][unit]:
            sys.exit(f"copies are not what goes out: {json.dumps(totals)}")


def main():
    until, *command = sys.argv[1:]
    count = 0
    while True:
        is_last = os.path.exists(until)
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        check(json.loads(output.stdout))
        count += 1
        if is_last:
            break
    print(f"sums agree, {count} times")


if __name__ == "__main__":
    main()
