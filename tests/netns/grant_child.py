#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Nothing gets beyond the grant of a user's switch, though that is the user's.

usage: grant_child.py DIRECTORY

Below that are the control sockets of all switches; see grant_child.sh.
"""
import os
import sys

from attacks import Host
from grant_clients import Net, Tap, check_guarded

# Who tries it, and the switch whose guard is in the way.
ATTACKERS = (
    (Host("02:09:00:02:00:04", "10.9.1.36", "2001:db8:9:1:2::4"),
     "d4", "t4", "2/control", "four"),
    (Host("02:09:00:02:00:02", "10.9.1.34", "2001:db8:9:1:2::2"),
     "d2", "t2", "1/control", "two"),
    (Host("02:09:00:00:00:03", "10.9.1.3", "2001:db8:9:1::3"),
     "d3", "t3", "1/control", "three"),
    (Host("02:09:00:00:00:01", "10.9.1.1", "2001:db8:9:1::1"),
     "d1", "t1", "control", "one"),
)


def main():
    (directory,) = sys.argv[1:]
    for me, host, interface, control, grant in ATTACKERS:
        net = Net(os.path.join(directory, control))
        tap = Tap(me, interface, host, grant)
        tap.client = grant + "/0"
        check_guarded(net, tap)
        tap.end()
        net.end()


main()
