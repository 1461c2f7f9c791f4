#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# All that can come and go does, at random, under as much traffic as the switch
# takes: see churn.py.
#
#	a, b, c [t0] [t1] ...---\        /---sessions at w0, w1, ...
#	a [u0]---[v0]            + switch +
#	streams at s0, s1 ~~~~~~/        \---control: all that can be asked
#
# For SECONDS, or VNET_CHURN_S if that is set. VNET_CHURN_SEED has the same
# drawn again, though what comes of it depends on time.
#
# Usage: churn.sh VNET_SWITCH VNETCTL CHURN_TRAFFIC ATTACH_CLIENT SECONDS
export VNET_CHURN_S=${VNET_CHURN_S:-$5}
export VNET_NETNS_S=$((VNET_CHURN_S + 90))
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b c
for name in a b c; do
    ip -n "$name" link add br0 type bridge forward_delay 0
    ip -n "$name" link set br0 up
done
ip -n a link add u0 type veth peer name v0
ip -n a link set u0 up
ip -n a link set v0 up
"$(dirname "${BASH_SOURCE[0]}")/churn.py" "$vnet_switch" "$3" "$4" "$work"
