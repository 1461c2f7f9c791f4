#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A thousand TAPs, of which two speak: what the others cost; and that they may be
# deleted all at once.
#
#	a [ta]---\
#	          + switch ---[t0] ... [t999] hosts
#	b [tb]---/
#
# Usage: thousand.sh NETNS_LOOP
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need ping

host a b
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
limit=$(ulimit -Hn)
[[ $limit == unlimited ]] || ((limit > 1100)) ||
    skip "$limit descriptors allowed, 1100 are needed"

resident() {
    awk '/^VmRSS:/ { print $2 }' "/proc/$loop_pid/status"
}
hosts=(--tap "ta,netns=a,mac=02:00:00:00:00:0a,addr=10.0.0.1/24,up"
    --tap "tb,netns=b,mac=02:00:00:00:00:0b,addr=10.0.0.2/24,up")
check() {
    in_host a ping -n -q -c 20 -i 0.01 -W 5 10.0.0.2 >/dev/null ||
        fail "no answer"
}

switch "${hosts[@]}"
check
few=$(resident)
switch_end >"$work/log"
[[ -z $(ip -n a -br link show type tun) ]] || fail "a TAP is left behind"

taps=()
for i in {0..999}; do
    taps+=(--tap "t$i,up")
done
switch "${hosts[@]}" "${taps[@]}"
check
many=$(resident)
echo "$few KiB resident with 2 TAPs, $many with 1002"
((many <= 16384)) || fail "more than 16 MiB"

# To close them one by one takes the kernel 20 ms each.
for i in {0..999}; do
    echo "link set t$i group 1"
done | ip -batch -
ip link del group 1
check
switch_end >"$work/log"
