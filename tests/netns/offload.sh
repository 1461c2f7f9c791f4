#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# TCP and UDP, with every combination of what hosts and ports leave to each
# other: what one does not do, the switch does.
#
#	a [ta]---+ switch +---[tb] b
#
# Usage: offload.sh NETNS_LOOP TRANSFER
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
transfer=$2
need ethtool iperf3
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b

# What a port does without: nothing; USO; all segmentation; everything.
for without_a in 0 0x8 0xe 0xf; do
    for without_b in 0 0x8 0xe 0xf; do
        switch \
            --tap "ta,netns=a,addr=10.0.0.1/24,addr=fd00::1/64,up,without=$without_a" \
            --tap "tb,netns=b,addr=10.0.0.2/24,addr=fd00::2/64,up,without=$without_b"
        # And what the hosts do without.
        for host_a in on off; do
            for host_b in on off; do
                # All at once would be refused where a port cannot do one.
                for what in tx tso gso gro tx-udp-segmentation; do
                    in_host a ethtool -K ta $what $host_a >/dev/null 2>&1 || :
                    in_host b ethtool -K tb $what $host_b >/dev/null 2>&1 || :
                done
                "$transfer" a b 10.0.0.2 fd00::2 ||
                    fail "ports without $without_a, $without_b," \
                        "hosts $host_a, $host_b"
            done
        done
        # One way was data, the other acknowledgements.
        "$transfer" b a 10.0.0.1 fd00::1 ||
            fail "ports without $without_a, $without_b, from b to a"
        segments=$(counter tb segments)
        if [[ $without_a == 0 && $without_b == 0xf ]]; then
            ((segments > 0)) || fail "nothing was cut for a port that cannot"
        elif [[ $without_a == "$without_b" ]]; then
            ((segments == 0)) || fail "$segments were cut for equal ports"
        fi
        switch_end >"$work/log"
        if grep -E 'bad_offload|medium_in_errors [1-9]' "$work/log"; then
            fail "ports without $without_a, $without_b"
        fi
    done
done
for host in a b; do
    (($(checksum_errors $host) == 0)) || fail "checksum errors at $host"
done

# A rate, for whoever reads this; and iperf3 sees no corruption either.
switch --tap ta,netns=a,addr=10.0.0.1/24,up --tap tb,netns=b,addr=10.0.0.2/24,up
in_host b iperf3 -s -1 >/dev/null &
listening() {
    [[ -n $(in_host b ss -Hltn 'sport = 5201') ]]
}
wait_for 5 listening
in_host a iperf3 -c 10.0.0.2 -t 1 -f g | grep -E 'sender|receiver' ||
    fail "iperf3"
switch_end
(($(checksum_errors b) == 0)) || fail "checksum errors"
