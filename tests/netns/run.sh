#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs a test program in namespaces of its own, in which nobody else sends: a
# veth from near to far, and another network namespace that is named "other".
#
# Usage: run.sh PROGRAM [ARGUMENT]...
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
ip netns add other
ip link add near type veth peer name far
ip link set near up
ip link set far up
"$@"
