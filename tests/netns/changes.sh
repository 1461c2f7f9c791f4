#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What becomes of a TAP under us: set down, renamed, moved, deleted; and TAPs
# that were there before and stay.
#
#	a [ta]---\
#	b [tb]----+ switch
#	c [tc]---/
#
# Usage: changes.sh NETNS_LOOP
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need ping

host a b c d
switch --tap ta,netns=a,addr=10.0.0.1/24,up --tap tb,netns=b,addr=10.0.0.2/24,up \
    --tap tc,netns=c,addr=10.0.0.3/24,up

answers() {
    in_host "$1" ping -n -q -c 1 -W 1 "$2" >/dev/null 2>&1
}
answers a 10.0.0.2 || fail "a does not reach b"

links_up() {
    (($(grep -cx 'event link_up tb' "$work/out") >= $1))
}

echo "- down, and up again"
ip -n b link set tb down
if answers a 10.0.0.2; then
    fail "a TAP that is down answers"
fi
wait_for 5 lost 1 tb
wait_for 5 answers a 10.0.0.3
ip -n b link set tb up
wait_for 5 answers a 10.0.0.2

echo "- renamed"
# Each change is waited for: two that follow each other may be seen as none.
ip -n b link set tb down
wait_for 5 lost 2 tb
ip -n b link set tb name other
ip -n b link set other up
wait_for 5 answers a 10.0.0.2
# Counters are found under the new name, too: none of this was an error.
[[ $(counter tb medium_in_errors) == 0 ]] || fail "errors after renaming"

echo "- moved into another namespace"
ip -n b link set other netns d
wait_for 5 lost 3 tb
ip -n d addr add 10.0.0.4/24 dev other
ip -n d link set other up
wait_for 5 answers a 10.0.0.4
wait_for 5 answers d 10.0.0.3

echo "- renamed and moved while it is looked at"
ip -n d link set other down
wait_for 5 lost 4 tb
for _ in {1..200}; do
    echo "link set other name another"
    echo "link set another name other"
done | ip -n d -batch -
for _ in {1..10}; do
    ip -n d link set other netns b
    ip -n b link set other netns d
done
ip -n d link set other up
wait_for 5 links_up 4
ip -n d link set other down
wait_for 5 lost 5 tb

echo "- deleted: an event, and the others go on"
ip -n d link set other up
wait_for 5 links_up 5
ip -n d link del other
wait_for 5 lost 6 tb
wait_for 5 answers a 10.0.0.3
ticks() {
    awk '{ print $14 + $15 }' "/proc/$loop_pid/stat"
}
before=$(ticks)
sleep 0.5
(($(ticks) - before <= 5)) || fail "spins on a TAP that has gone"
switch_end

echo "- deleted under load"
switch --tap ta,netns=a,addr=10.0.0.1/24,up --tap tb,netns=b,addr=10.0.0.2/24,up \
    --tap tc,netns=c,addr=10.0.0.3/24,up
ip netns exec a ping -n -q -f 10.0.0.2 >/dev/null 2>&1 &
flood=$!
wait_for 5 answers c 10.0.0.1
ip -n b link del tb
wait_for 5 lost 1 tb
wait_for 5 answers c 10.0.0.1
kill $flood
switch_end

echo "- a persistent one is attached to, and stays"
ip -n a tuntap add dev kept mode tap
ip -n a addr add 10.0.0.1/24 dev kept
ip -n a link set kept up
switch --tap kept,netns=a,attach --tap tb,netns=/run/netns/b,addr=10.0.0.2/24,up
wait_for 5 answers b 10.0.0.1
if "$loop" --tap kept,netns=a,attach 2>"$work/err"; then
    fail "opened twice"
fi
grep -q 'busy' "$work/err" || fail "opened twice: $(cat "$work/err")"
switch_end
ip -n a link show dev kept >/dev/null || fail "a persistent TAP is gone"

echo "- a start that fails says why, and leaves nothing behind"
refuses() {
    local message=$1
    shift
    if "$loop" "$@" 2>"$work/err"; then
        fail "is taken: $*"
    fi
    grep -qi "$message" "$work/err" || fail "$*: $(cat "$work/err")"
}
refuses 'no TAP of that name' --tap missing,netns=a,attach
refuses 'namespace' --tap t,netns=missing
refuses 'namespace' --tap t,netns=/dev/null
refuses 'namespace' --tap t,netns=999999999
refuses '1 to 15' --tap sixteen-octets-x
refuses 'MTU' --tap t,netns=a,mtu=65522
refuses 'IP address' --tap t,netns=a,addr=10.0.0.1
refuses 'IP address' --tap t,netns=a,addr=10.0.0.1/33,up
refuses 'IP address' --tap t,netns=a,addr=fd00::1/129
refuses 'MAC' --tap t,netns=a,mac=01:00:00:00:00:01
if ip -n a link show dev t >/dev/null 2>&1; then
    fail "a TAP is left behind"
fi

echo "- a namespace by process"
ip netns exec d sleep 100 &
sleeper=$!
has_entered() {
    [[ $(readlink /proc/$sleeper/ns/net) != "$(readlink /proc/$$/ns/net)" ]]
}
wait_for 5 has_entered
switch --tap here,netns=$sleeper,up
ip -n d link show dev here >/dev/null || fail "not where the process is"
kill $sleeper
switch_end
