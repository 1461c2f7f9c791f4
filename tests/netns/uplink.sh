#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# An interface that is there as uplink: one end of a veth, whose other end is a
# host's.
#
#	a [ta]---\
#	           switch ---[nic]====veth====[out] c
#	b [tb]---/
#
# Usage: uplink.sh NETNS_LOOP TRANSFER
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
transfer=$2
need ping ethtool
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b c mid
ip -n mid link add nic type veth peer name out netns c
ip -n mid link set nic up
ip -n c addr add 10.0.0.3/24 dev out
ip -n c addr add fd00::3/64 dev out
ip -n c link set out up

# c remembers their addresses from one run to the next.
run() {
    switch --tap ta,netns=a,mac=02:00:00:00:00:0a,addr=10.0.0.1/24,addr=fd00::1/64,up \
        --tap tb,netns=b,mac=02:00:00:00:00:0b,addr=10.0.0.2/24,addr=fd00::2/64,up \
        --uplink "nic,netns=mid$1"
}
answers() {
    in_host "$1" ping -n -q -c 1 -W 1 "$2" >/dev/null 2>&1
}

for without in "" ,without=0x6 ,without=0xf; do
    run "$without"
    for address in 10.0.0.3 fd00::3 10.0.0.2; do
        wait_for 5 answers a $address
    done
    for on in on off; do
        for what in tx tso gso gro; do
            in_host c ethtool -K out $what $on >/dev/null 2>&1 || :
        done
        "$transfer" a c 10.0.0.3 fd00::3 || fail "to c, $without, $on"
        "$transfer" c b 10.0.0.2 fd00::2 || fail "from c, $without, $on"
    done
    # What we send there does not come in again: nobody's address moves.
    if event address_moved nic || grep -q 'address_moved' "$work/out"; then
        fail "sees its own frames"
    fi
    (($(counter nic medium_in_errors) == 0)) || fail "errors at the uplink"
    switch_end
done
for host in a b c; do
    (($(checksum_errors $host) == 0)) || fail "checksum errors at $host"
done

echo "- tags go through, with and without offloads"
run ""
wait_for 5 answers a 10.0.0.3

"$(dirname "$transfer")/tags.py" a ta c out || fail "tags from a to c"
"$(dirname "$transfer")/tags.py" c out a ta || fail "tags from c to a"
[[ $(counter nic in:bad_offload) == 0 ]] || fail "bad_offload"

echo "- down, and up again"
ip -n mid link set nic down
wait_for 5 lost 1 nic
if answers a 10.0.0.3; then
    fail "an uplink that is down answers"
fi
wait_for 5 answers a 10.0.0.2
ip -n mid link set nic up
wait_for 5 answers a 10.0.0.3

echo "- deleted: an event, and the others go on"
ip -n c link del out
wait_for 5 lost 2 nic
wait_for 5 answers a 10.0.0.2
switch_end

if "$loop" --uplink nic,netns=mid 2>"$work/err"; then
    fail "opened what is not there"
fi
grep -q 'no such interface' "$work/err" || fail "$(cat "$work/err")"
if "$loop" --uplink lo,netns=a 2>"$work/err"; then
    fail "opened lo"
fi
