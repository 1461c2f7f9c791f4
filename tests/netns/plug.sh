#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Local clients: hosts that vnet-plug connects with a switch of another process.
#
#	a [ta]---vnet-plug~~~~[x]---+ switch +---[y]~~~~vnet-plug---[tb] b
#	                            +--------+---[tc] c
#
# Usage: plug.sh NETNS_LOOP TRANSFER VNET_PLUG
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
transfer=$2
vnet_plug=$3
need ping iperf3
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b c
x=$work/x
y=$work/y

# left COUNT PORT: so many clients have left it. Its link stays up for the next.
left() {
    (($(grep -c "^gone $2:" "$work/out") >= $1))
}

# plug HOST ARGUMENT...: start it there, and wait until it is ready. Its process
# is $plug then.
plug() {
    local at=$1 line
    shift
    mkfifo "$work/plug"
    # Not by in_host: a shell would be in between.
    ip netns exec "$at" "$vnet_plug" "$@" >"$work/plug" 2>"$work/err" &
    plug=$!
    read -r line <"$work/plug" || fail "no plug: $(cat "$work/err")"
    [[ $line == ready ]] || fail "the plug says: $line"
    rm "$work/plug"
}
plug_a() {
    plug a -s "$x" -v ta -a 10.0.0.1/24 -a fd00::1/64
    plug_a=$plug
}
plug_b() {
    plug b --socket "$y" --interface tb --address 10.0.0.2/24 \
        --address fd00::2/64
    plug_b=$plug
}
answers() {
    in_host "$1" ping -n -q -c 1 -W 1 "$2" >/dev/null 2>&1
}

switch --attach "$x" --attach "$y" \
    --tap tc,netns=c,addr=10.0.0.3/24,addr=fd00::3/64,up
[[ $(stat -c %a "$x") == 600 ]] || fail "mode of the socket"

echo "- two hosts, and one that has a TAP of the switch's own"
plug_a
plug_b
wait_for 5 answers a 10.0.0.2
"$transfer" a b 10.0.0.2 fd00::2 || fail "from a to b"
"$transfer" b a 10.0.0.1 fd00::1 || fail "from b to a"
"$transfer" c a 10.0.0.1 fd00::1 || fail "from c to a"
"$transfer" a c 10.0.0.3 fd00::3 || fail "from a to c"

echo "- what a host leaves to its network card passes undone"
# 64 MiB are 1,000 frames of 64 KiB, or 46,000 of 1514 octets.
listening() {
    [[ -n $(in_host b ss -Hltn 'sport = 5201') ]]
}
in_host b iperf3 -s -1 >/dev/null &
server=$!
wait_for 5 listening
before=$(counter "$x" in)
in_host a iperf3 -c 10.0.0.2 -n 64M | grep receiver
wait $server
frames=$(($(counter "$x" in) - before))
((frames < 15000)) || fail "$frames frames for 64 MiB"
[[ $(counter "$y" segments) == 0 ]] || fail "frames were cut up"

echo "- a plug that dies makes room for another"
kill -KILL $plug_a
wait $plug_a || :
wait_for 5 left 1 "$x"
plug_a
wait_for 5 answers b 10.0.0.1

echo "- one that stops holds up nobody"
kill -STOP $plug_a
in_host c /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
for i in range(3000):
    s.sendto(bytes(1400), ("10.0.0.255", 9))'
answers b 10.0.0.3 || fail "b hears nothing of c"
queue_full() {
    (($(counter "$x" out:queue_full) > 0))
}
wait_for 10 queue_full
kill -CONT $plug_a
wait_for 5 answers a 10.0.0.2

echo "- the end of a plug"
kill $plug_a
wait $plug_a || fail "it ends with $?"
in_host a test ! -e /sys/class/net/ta || fail "its interface is still there"
wait_for 5 left 2 "$x"
plug_a
ip -n a link del ta
status=0
wait $plug_a || status=$?
((status == 1)) || fail "without its interface it ends with $status"
grep -q 'the interface has gone' "$work/err" || fail "$(cat "$work/err")"
wait_for 5 left 3 "$x"

echo "- the end of the switch"
switch_end >"$work/log"
if grep -E 'bad_offload|medium_in_errors [1-9]' "$work/log"; then
    fail "frames that are none"
fi
status=0
wait $plug_b || status=$?
((status == 1)) || fail "without a switch it ends with $status"

echo "- it says what is wrong"
# wrong STATUS TEXT ARGUMENT...
wrong() {
    local status=0 expected=$1 text=$2
    shift 2
    in_host a "$vnet_plug" "$@" >/dev/null 2>"$work/err" || status=$?
    ((status == expected)) || fail "vnet-plug $*: status $status"
    grep -q -- "$text" "$work/err" || fail "vnet-plug $*: $(cat "$work/err")"
}
wrong 1 "$x: cannot connect: Connection refused" -s "$x"
wrong 1 "nowhere: cannot connect: No such file" -s "$work/nowhere"
wrong 2 "unrecognized option '--foo'" --foo
wrong 2 'found the argument foo' foo
switch --attach "$x"
wrong 1 'vif not of 1 to 31 octets' -s "$x" -v ''
wrong 1 'interface 0123456789012345: name not of' -s "$x" -i 0123456789012345
wait_for 5 left 1 "$x"
wrong 1 'address 10.0.0.999/24: cannot add an IP address' \
    -s "$x" -a 10.0.0.1/24 -a 10.0.0.999/24
in_host a test ! -e /sys/class/net/vif0 || fail "an interface was left behind"
wait_for 5 left 2 "$x"
switch_end
