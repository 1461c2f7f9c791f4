#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A loop that somebody makes outside of the switch: of two ports that a bridge
# joins, the younger one is closed, and the others go on.
#
#	a [ta]---\             /---[t1]---\
#	         vnet-switch              br0 (in l)
#	b [tb]---/             \---[t2]---/
#
# And one that a program makes, by two clients of one port.
#
# Usage: guard.sh VNET_SWITCH VNETCTL SENDER JOINER ATTACH_CLIENT
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
sender=$3
joiner=$4
client=$5
need ping
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b l
# The only frames that nobody has asked for are probes.
for name in a b l; do
    in_host $name sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
done
ip -n l link add br0 type bridge || skip "no bridges in this kernel"
cat >"$work/conf" <<'END'
switch = { loop_probe_s = 1; };
ports = (
  { type = "tap"; name = "ta"; netns = "a"; addresses = [ "10.0.0.1/24" ]; },
  { type = "tap"; name = "tb"; netns = "b"; addresses = [ "10.0.0.2/24" ]; },
  { type = "tap"; name = "t1"; netns = "l"; loop_guard = true; },
  { type = "tap"; name = "t2"; netns = "l"; loop_guard = true; }
);
END
start -c "$work/conf"
"$vnetctl" --socket "$control_at" --json monitor >"$work/events" &
monitor=$!
wait_for 5 answers a 10.0.0.2

link_is() {
    is '.[0].link == "'"$2"'"' port show "$1"
}
both_up() {
    link_is t1 up && link_is t2 up
}
loops() {
    jq -s 'map(select(.event == "loop")) | length' "$work/events"
}
looped() {
    (($(loops) >= $1))
}

echo "- probes go out, and without a loop nothing comes of it"
probed() {
    is '.totals.originated.frames >= '"$1" stats
}
wait_for 10 probed 4
both_up || fail "a port is closed"
(($(loops) == 0)) || fail "an event of a loop"
# The two with a guard, and no others.
ip -n l link set t1 master br0
ip -n l link set br0 up
wait_for 10 probed 8
both_up || fail "a port of a bridge is closed"

echo "- a bridge makes a loop: the younger port is closed"
ip -n l link set t2 master br0
wait_for 10 link_is t2 down
link_is t1 up || fail "the older one is closed"
wait_for 5 looped 1
jq -se 'map(select(.event == "loop")) | all(.port == "t2")' \
    "$work/events" >/dev/null || fail "$(cat "$work/events")"
is '.[0].error | contains("loop")' port show t2 ||
    fail "$(control port show t2)"
is '.totals.drops.in.loop_probe >= 1' stats || fail "no probe came back"

echo "- the others go on, and no frame goes round"
unanswered=$(unanswered a)
in_host a ping -n -q -i 0.01 -c 50 10.0.0.2 >"$work/ping" ||
    fail "$(cat "$work/ping")"
wait_for 5 answered a "$unanswered"
came() {
    control --json stats t1 | jq '.ports[0].in.frames'
}
before=$(came)
ip netns exec a "$sender" ta 100 0.2 60 ff:ff:ff:ff:ff:ff
sleep 0.3
(($(came) - before < 20)) || fail "$(($(came) - before)) frames came back"

echo "- opened again, it is closed again, as long as there is a loop"
n=$(loops)
control port set t2 loop_guard=true
wait_for 10 looped $((n + 1))
wait_for 5 link_is t2 down

echo "- without the loop, port set opens it for good"
ip -n l link set t2 nomaster
control port set t2 loop_guard=true
link_is t2 up || fail "it is not up"
is '.[0].error == null' port show t2 || fail "$(control port show t2)"
n=$(control --json stats | jq .totals.originated.frames)
wait_for 10 probed $((n + 6))
link_is t2 up || fail "it is closed again"

echo "- so does a reload"
ip -n l link set t2 master br0
wait_for 10 link_is t2 down
ip -n l link set t2 nomaster
control config reload
link_is t2 up || fail "it is not up"

echo "- one guard is enough, and it is still the younger that is closed"
control port set t2 loop_guard=
ip -n l link set t2 master br0
wait_for 10 link_is t2 down
link_is t1 up || fail "the older one is closed"
ip -n l link set t2 nomaster

echo "- without a guard nobody is closed"
control port set t1 loop_guard=
control port set t2 loop_guard=
n=$(loops)
originated=$(control --json stats | jq .totals.originated.frames)
ip -n l link set t2 master br0
sleep 2.2
ip -n l link set t2 nomaster
[[ $(loops) == "$n" ]] || fail "an event of a loop"
both_up || fail "a port is closed"
[[ $(control --json stats | jq .totals.originated.frames) == "$originated" ]] ||
    fail "probes without a guard"

echo "- of two clients of one port, the younger is closed, and no more"
control port add attach web mac=02:00:00:00:00:77 loop_guard=true
n=$(loops)
mkfifo "$work/join"
"$joiner" "$client" "$control_at.attach" web <"$work/join" >"$work/joined" &
join=$!
exec 8>"$work/join"
wait_for 10 looped $((n + 1))
jq -se 'map(select(.event == "loop")) | last |
    .port == "web" and .client == "web/1"' "$work/events" >/dev/null ||
    fail "$(tail "$work/events")"
is '.[0].link == "up" and (.[0].error | contains("loop"))' port show web ||
    fail "$(control --json port show web)"
wait_for 5 answers a 10.0.0.2
is '.drop == "link_down"' explain web/1 ffffffffffff0200000000770806 ||
    fail "$(control explain web/1 ffffffffffff0200000000770806)"
is '.drop == null' explain web/0 ffffffffffff0200000000770806 ||
    fail "$(control explain web/0 ffffffffffff0200000000770806)"
# Opened, it is closed again, since they are still joined.
control port set web loop_guard=true
wait_for 10 looped $((n + 2))
exec 8>&-
wait $join

kill $monitor
wait $monitor || :
is '.balanced' stats || fail "sums do not agree"
end
