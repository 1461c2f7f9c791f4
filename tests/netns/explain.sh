#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What is explained of frames is what becomes of them: of some for each reason,
# and of those in a capture.
#
#	a [ta]---\              /--- client [web/0]
#	b [tb]----+ vnet-switch +
#	c [tc]---/              \--- client [web/1]
#
# Usage: explain.sh VNET_SWITCH VNETCTL EXPLAIN ATTACH_CLIENT
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
explain=$3
client=$4
need ping
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b c
# The only frames are those of the test.
for name in a b c; do
    in_host $name sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
done
start --tap ta,netns=a,mac=02:00:00:00:00:0a,address=10.0.0.1/24 \
    --tap tb,netns=b,mac=02:00:00:00:00:0b,address=10.0.0.2/24,mtu=500 \
    --tap tc,netns=c,mac=02:00:00:00:00:0c,address=10.0.0.3/24
all=(10.0.0.1 02:00:00:00:00:0a 10.0.0.2 02:00:00:00:00:0b
    10.0.0.3 02:00:00:00:00:0c)
for name in a b c; do
    know $name t$name "${all[@]}"
done
wait_for 5 answers a 10.0.0.2
control fdb add 02:00:00:00:00:99 tc

echo "- a capture is explained, frame by frame"
"$vnetctl" --socket "$control_at" capture ta -c 4 -w "$work/frames" \
    2>"$work/err" &
capture=$!
wait_for 5 test -s "$work/frames"
in_host a ping -n -q -c 2 -i 0.1 10.0.0.2 >/dev/null
wait $capture || fail "$(cat "$work/err")"
control --json explain ta --read "$work/frames" >"$work/explained"
jq -se 'length == 4 and all(.[]; .drop == null or .drop == "same_port")' \
    "$work/explained" >/dev/null || fail "$(cat "$work/explained")"
jq -se 'any(.[]; .dests[0].client == "tb/0" and .length == 98)' \
    "$work/explained" >/dev/null || fail "$(cat "$work/explained")"
control explain ta --read "$work/frames" -c 1 | grep -q '^ *1\. *link *passed' ||
    fail "no steps"
before=$(control --json stats | jq '[.totals.in, .totals.out]')
control explain ta --read "$work/frames" >/dev/null
[[ $(control --json stats | jq '[.totals.in, .totals.out]') == "$before" ]] ||
    fail "frames were sent"

echo "- a port whose link is down, one without a medium, and none"
control port add stream vm "path=$work/vm"
control explain vm 00 2>"$work/err" && fail "a port that nobody is at"
grep -q 'vm has no client' "$work/err" || fail "$(cat "$work/err")"
control port del vm
ip -n c link set tc down
is '.drop == "link_down" and (.steps | length) == 1' explain tc 00 ||
    fail "$(control explain tc 00)"
ip -n c link set tc up
know c tc "${all[@]}"
wait_for 5 answers c 10.0.0.2
for arguments in 'tx 00' 'ta/1 00' 'ta/ 00' 'ta/x 00' 'ta/00 00' '/0 00'; do
    # shellcheck disable=SC2086
    control explain $arguments 2>/dev/null && fail "$arguments"
done

echo "- what is foretold happens"
ip netns exec a "$explain" "$vnetctl" "$control_at" ta ta || fail "it does not"

echo "- of several clients of a port, each gets what is its own"
control port add attach web mac=02:00:00:00:00:77
for address in 10.0.0.7 10.0.0.8; do
    mkfifo "$work/is"
    "$client" "$control_at.attach" web host $address >"$work/is" &
    clients+=($!)
    read -r line <"$work/is"
    [[ $line == is* ]] || fail "client: $line"
    rm "$work/is"
done
# to FRAME: to whom it goes from web/0, and why.
to() {
    control --json explain web/0 "$1" | jq -r '[.dests[] |
        .client + " " + .reach + (if .drop then ":" + .drop else "" end)] |
        sort | join(", ")'
}
group=ffffffffffff0200000000770806
[[ $(to $group) == "ta/0 forwarded, tb/0 forwarded,"*"web/1 sibling" ]] ||
    fail "a group: $(to $group)"
control filter add web/1 receive_in no-arp 1 drop arp
[[ $(to $group) == *', web/1 sibling:receive_filter' ]] ||
    fail "a filter: $(to $group)"
control explain web/0 $group | grep -q 'receive_filter *by rule no-arp of' ||
    fail "$(control explain web/0 $group)"
control filter del web/1 receive_in no-arp
# A capture's filter hears what its own vif writes.
control filter add web/0 receive_out all 1 pass arp
[[ $(to $group) == *'web/0 out, web/1 sibling' ]] ||
    fail "a capture: $(to $group)"
control filter del web/0 receive_out all
control client set web/1 accept=own
from_a=$(control --json explain ta 02000000007602000000000a0800 | jq -r '
    [.dests[] | select(.port == "web") | .drop] | join(" ")')
# What is flooded is not for who takes only what is its own.
[[ $from_a == ' not_addressed' ]] || fail "accept=own: '$from_a'"
control explain web $group 2>"$work/err" && fail "which of the two?"
grep -q 'web has several clients' "$work/err" || fail "$(cat "$work/err")"

echo "- and figures of its own"
control stats --openmetrics >"$work/metrics"
grep -q '^vnet_client_frames_total{port="web",client="web/1",direction="in"} ' \
    "$work/metrics" || fail "$(grep client "$work/metrics")"
control stats web | grep -q '^ *web/1 ' || fail "$(control stats web)"
kill "${clients[@]}"
wait "${clients[@]}" 2>/dev/null || :
is '.balanced' stats || fail "sums do not agree"
end
