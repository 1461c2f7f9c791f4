#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Virtual machines at stream ports. They have no disk: their firmware boots from
# the network, from a server behind a TAP.
#
#	server [ts]---vnet-switch---[s1]~~~~Unix socket~~~~ qemu (iPXE)
#	                       \----[s2]~~~~Unix socket~~~~ qemu (iPXE)
#
# Usage: qemu.sh VNET_SWITCH VNETCTL BOOT
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
vnet_switch=$1
vnetctl=$2
boot=$3
need qemu-system-x86_64 jq
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"
[[ -f /usr/lib/ipxe/qemu/pxe-virtio.rom ]] ||
    skip "no boot ROM for QEMU (scripts/deps test gets it)"
qemu-system-x86_64 -netdev help 2>/dev/null | grep -qx stream ||
    skip "this QEMU has no -netdev stream"

control() {
    "$vnetctl" --socket "$work/control" "$@"
}

link_is() {
    control --json port show "$1" |
        jq -e --arg link "$2" 'all(.[]; .link == $link)' >/dev/null
}

is_at() {
    control --json fdb show "$2" |
        jq -e --arg mac "$1" 'any(.[]; .mac == $mac)' >/dev/null
}

host server
mkfifo "$work/ready"
"$vnet_switch" --socket "$work/control" --ready-fd 9 \
    --tap ts,netns=server,address=10.0.0.1/24,mac=02:00:00:00:00:01 \
    --stream "$work/s1" 9>"$work/ready" &
switch_pid=$!
read -r line <"$work/ready" || fail "the switch does not start"
[[ $line == ready ]] || fail "the switch says: $line"
control port add stream s2 path="$work/s2"

ip -n server route add 255.255.255.255/32 dev ts
: >"$work/log"
in_host server "$boot" 10.0.0.1 >"$work/log" &
server=$!
wait_for 10 grep -qx ready "$work/log"

machines=()
for i in 1 2; do
    qemu-system-x86_64 -nodefaults -no-user-config -no-reboot \
        -machine pc,accel=tcg -m 32 -display none -boot n \
        -netdev "stream,id=n,server=off,addr.type=unix,addr.path=$work/s$i" \
        -device "virtio-net-pci,netdev=n,mac=02:00:00:00:01:0$i" \
        2>"$work/qemu$i" &
    machines+=($!)
done

for i in 1 2; do
    echo "- machine $i boots"
    mac=02:00:00:00:01:0$i
    wait_for 60 grep -qx "$mac booted" "$work/log"
    grep -qx "$mac tftp" "$work/log" || fail "not by TFTP"
    is_at "$mac" "s$i" || fail "$mac is not at s$i"
    link_is "s$i" up || fail "the link of s$i is down"
done

echo "- machines end"
for i in 1 2; do
    kill "${machines[i - 1]}" 2>/dev/null || :
    wait "${machines[i - 1]}" || cat "$work/qemu$i"
    wait_for 5 link_is "s$i" down
done
kill $server
wait $server || :
control --json stats | jq -e .balanced >/dev/null || fail "sums do not agree"
kill $switch_pid
wait $switch_pid || fail "the switch ends with $?"
