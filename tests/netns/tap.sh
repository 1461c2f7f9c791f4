#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Three hosts that talk to each other, in IPv4 and IPv6, with small and with
# jumbo frames.
#
#	a [ta]---\
#	b [tb]----+ switch
#	c [tc]---/
#
# Usage: tap.sh NETNS_LOOP
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need ping

host a b c
switch \
    --tap ta,netns=a,mtu=9000,addr=10.0.0.1/24,addr=fd00::1/64,up \
    --tap tb,netns=b,mtu=9000,addr=10.0.0.2/24,addr=fd00::2/64,up \
    --tap tc,netns=c,mac=02:00:00:00:00:0c,addr=10.0.0.3/24,addr=fd00::3/64,up

answers() {
    in_host "$1" ping -n -q -c 3 -i 0.01 -W 2 "${@:2}" >"$work/ping" 2>&1 ||
        fail "no answer: $* $(cat "$work/ping")"
}

for from in a b c; do
    for to in 1 2 3; do
        answers $from 10.0.0.$to
        answers $from fd00::$to
    done
    # Multicast; loopback is no answer of the others.
    in_host $from ping -n -c 1 -W 2 "ff02::1%t$from" >"$work/ping" ||
        fail "no answer from ff02::1 at $from"
done

# What fits, and what does not.
answers a -M "do" -s $((9000 - 28)) 10.0.0.2
answers a -M "do" -s $((9000 - 48)) fd00::2
answers a -M "do" -s $((1500 - 28)) 10.0.0.3
if in_host a ping -n -q -c 1 -W 0.2 -M "do" -s 1473 10.0.0.3 >/dev/null; then
    fail "a frame for c is longer than its MTU"
fi
(($(counter tc out:too_long) > 0)) || fail "too_long is not counted"

[[ $(ip -n c link show dev tc) == *02:00:00:00:00:0c* ]] || fail "MAC address"

# A switch in which nothing happens sleeps: ND and the like are over soon.
ticks() {
    awk '{ print $14 + $15 }' "/proc/$loop_pid/stat"
}
before=$(ticks)
sleep 1
(($(ticks) - before <= 5)) || fail "an idle switch takes processor time"
switch_end
