#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Stream ports: two switches that are connected by one, and peers that do what
# they should not.
#
#	a [ta]---switch---[s]~~~~Unix socket~~~~[s]---switch---[tb] b
#
# Usage: stream.sh NETNS_LOOP TRANSFER
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
transfer=$2
need ping socat
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b
socket=$work/socket
addresses_a=addr=10.0.0.1/24,addr=fd00::1/64,mac=02:00:00:00:00:0a
addresses_b=addr=10.0.0.2/24,addr=fd00::2/64,mac=02:00:00:00:00:0b
answers() {
    in_host "$1" ping -n -q -c 1 -W 1 "$2" >/dev/null 2>&1
}

switch --tap "ta,netns=a,up,$addresses_a" --listen "$socket"
[[ $(stat -c %a "$socket") == 600 ]] || fail "mode of the socket"

echo "- two switches"
connect() {
    "$loop" --tap "tb,netns=b,up,$addresses_b" --connect "$socket" \
        >"$work/other" 2>&1 &
    other=$!
}
connect
wait_for 5 answers a 10.0.0.2
wait_for 5 answers b fd00::1
"$transfer" a b 10.0.0.2 fd00::2 || fail "from a to b"
"$transfer" b a 10.0.0.1 fd00::1 || fail "from b to a"

echo "- a peer that hangs up makes room for another"
kill $other
wait $other || fail "the other switch: $(cat "$work/other")"
wait_for 5 event "link_down $socket"
connect
wait_for 5 answers a 10.0.0.2
kill -KILL $other
wait $other || :

echo "- a peer that sends rubbish is hung up on"
gone() {
    (($(grep -c "^gone $socket" "$work/out") > $1))
}
rubbish() {
    local before
    before=$(grep -c "^gone $socket" "$work/out" || :)
    socat -t 5 -u STDIN "UNIX-CONNECT:$socket" || :
    wait_for 5 gone "$before"
}
wait_for 5 gone 1
printf '\377\377\377\377' | rubbish
printf '\0\1\0\26rubbish' | rubbish
# Not by a pipe: it would break.
head -c 100000 /dev/urandom >"$work/random"
rubbish <"$work/random"
grep -q "^gone $socket: Protocol error" "$work/out" || fail "no protocol error"
# A length, and then nothing; frames too short to be one; nothing at all.
printf '\0\0\0\144' | rubbish
printf '\0\0\0\0\0\0\0\1x\0\0\0\2xy' | rubbish
: | rubbish

echo "- a peer that does not read holds up nobody"
sleep 100 | socat -u STDIN "UNIX-CONNECT:$socket" &
idle=$!
up() {
    (($(grep -c "^event link_up $socket" "$work/out") > $1))
}
wait_for 5 up 8
# Broadcasts and unknown addresses go there, too.
ip -n a neigh add 10.0.0.9 lladdr 02:00:00:00:00:99 dev ta
in_host a /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(3000):
    s.sendto(bytes(1400), ("10.0.0.9", 9))'
queue_full() {
    (($(counter "$socket" out:queue_full) > 0))
}
wait_for 10 queue_full
kill -KILL $idle
switch_end

echo "- a socket that is in use, a stale one, and a file"
switch --listen "$socket"
if "$loop" --listen "$socket" 2>"$work/err"; then
    fail "took a socket in use"
fi
grep -q 'somebody listens' "$work/err" || fail "$(cat "$work/err")"
kill -KILL $loop_pid
wait $loop_pid || :
[[ -S $socket ]] || fail "the socket went by itself"
switch --listen "$socket"
switch_end
: >"$work/file"
if "$loop" --listen "$work/file" 2>"$work/err"; then
    fail "took a file for a socket"
fi
[[ -f $work/file ]] || fail "removed a file"
