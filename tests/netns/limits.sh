#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Limits of ports and clients, addresses that stay where they are, and what is
# told of both.
#
#	a [ta]---\
#	b [tb]----+ vnet-switch
#	c [tc]---/
#
# Usage: limits.sh VNET_SWITCH VNETCTL SENDER
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
sender=$3
need ping
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b c
# What counts is what we send.
for name in a b c; do
    in_host $name sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
done
all=ff:ff:ff:ff:ff:ff
conf() {
    cat >"$work/conf" <<END
switch = { flap_moves = 3; };
ports = (
  { type = "tap"; name = "ta"; netns = "a"; mac = "02:00:00:00:00:0a";
    addresses = [ "10.0.0.1/24" ]; $1 },
  { type = "tap"; name = "tb"; netns = "b"; mac = "02:00:00:00:00:0b";
    addresses = [ "10.0.0.2/24" ]; },
  { type = "tap"; name = "tc"; netns = "c"; mac = "02:00:00:00:00:0c";
    addresses = [ "10.0.0.3/24" ]; }
);
END
}
conf ''
start -c "$work/conf"
"$vnetctl" --socket "$control_at" --json monitor >"$work/events" &
monitor=$!
for name in a b c; do
    know $name t$name 10.0.0.1 02:00:00:00:00:0a 10.0.0.2 02:00:00:00:00:0b \
        10.0.0.3 02:00:00:00:00:0c
done
for address in 10.0.0.1 10.0.0.3; do
    wait_for 5 answers b $address
done
wait_for 5 answers c 10.0.0.1

# figure PORT PATH: as it is now.
figure() {
    control --json stats "$1" | jq ".ports[0] | $2"
}

# sends SECONDS FRAMES_PER_S OCTETS TO: from a; sets $came, what of it came to
# the switch, $storm and $policed, what was dropped of that, and $took, how many
# milliseconds.
figures() {
    figure ta '[.in.frames, .drops.in.storm, .drops.in.policed]'
}
is_quiet() {
    local before
    before=$(figures)
    sleep 0.05
    [[ $(figures) == "$before" ]]
}
sends() {
    local before after begin
    before=$(figures)
    begin=$(date +%s%N)
    ip netns exec a "$sender" ta "$2" "$1" "$3" "$4"
    wait_for 5 is_quiet
    took=$((($(date +%s%N) - begin) / 1000000))
    after=$(figures)
    read -r came storm policed < <(jq -rn --argjson a "$before" \
        --argjson b "$after" '[range(3)] | map($b[.] - $a[.]) | @tsv')
}

# within WHAT FOUND LEAST MOST
within() {
    (($2 >= $3 && $2 <= $4)) || fail "$1: $2, expected $3 to $4"
}

# dropped OWNER SIDE TRAFFIC: by that limit.
dropped() {
    control --json limit show "$1" | jq --arg o "$1" --arg s "$2" --arg t "$3" '
        .[] | select(.owner == $o and .side == $s and .traffic == $t)
        | .dropped.frames'
}

# happened JQ-FILTER: there was such an event.
happened() {
    jq -se "any(.[]; $1)" "$work/events" >/dev/null
}

echo "- a storm is cut to its limit, and others do not feel it"
control limit set ta in broadcast frames_per_s=500 burst_frames=100
unanswered=$(unanswered c)
ip netns exec c ping -n -q -i 0.01 -c 150 10.0.0.2 >"$work/ping" &
pinger=$!
sends 1.5 10000 60 $all
wait $pinger || fail "$(cat "$work/ping")"
wait_for 5 answered c "$unanswered"
passed=$((came - storm))
echo "  $came came, $passed passed in $took ms"
within "came" "$came" 5000 15100
within "passed" "$passed" 750 $((100 + took / 2 + 2))
[[ $(dropped ta in broadcast) == "$storm" ]] ||
    fail "the limit says $(dropped ta in broadcast), ta $storm"
((policed == 0)) || fail "$policed were policed"
wait_for 5 happened '.event == "limited" and .port == "ta"'
is '.balanced' stats || fail "sums do not agree"

echo "- other kinds of traffic have limits of their own"
sends 0.3 1000 60 02:00:00:00:00:0b
((storm == 0 && policed == 0)) || fail "unicast: $storm, $policed"
control limit set ta in unknown frames_per_s=1 burst_frames=20
sends 0.3 1000 60 02:00:00:00:00:77
within "unknown: passed" $((came - storm)) 20 $((21 + took / 1000))
control limit set ta in multicast frames_per_s=1 burst_frames=30
sends 0.3 1000 60 01:00:5e:00:00:05
within "multicast: passed" $((came - storm)) 30 $((31 + took / 1000))
control limit del ta in unknown
control limit del ta in multicast
sends 0.3 1000 60 02:00:00:00:00:77
((storm == 0)) || fail "a limit that has gone: $storm"

echo "- a policer in, in octets"
control limit set ta in all octets_per_s=1000000 burst_octets=100000
sends 1.5 5000 1000 02:00:00:00:00:0b
passed=$(((came - policed) * 1000))
echo "  $((came * 1000)) octets came, $passed passed in $took ms"
within "passed" $passed 1500000 $((101000 + took * 1000 + 2000))
((storm == 0)) || fail "$storm"
control limit del ta in all

echo "- a policer out, of a client"
control limit set tb/0 out all frames_per_s=400 burst_frames=50
before=$(figure tb '[.out.delivered.frames, .drops.out.policed, .out.frames]')
sends 1.5 5000 60 02:00:00:00:00:0b
((policed == 0 && storm == 0)) || fail "on the way in: $policed, $storm"
read -r delivered policed for_b < <(control --json stats tb |
    jq -r --argjson b "$before" '.ports[0] | [.out.delivered.frames - $b[0],
        .drops.out.policed - $b[1], .out.frames - $b[2]] | @tsv')
echo "  $for_b came, $delivered were delivered in $took ms"
within "delivered" "$delivered" 600 $((50 + took * 4 / 10 + 2))
((delivered + policed == for_b && for_b > 5000)) ||
    fail "$delivered + $policed of $for_b"
[[ $(dropped tb/0 out all) == "$policed" ]] || fail "the limit says otherwise"
control limit del tb/0 out all

echo "- it changes under load"
control limit set ta in broadcast frames_per_s=200 burst_frames=1
ip netns exec a "$sender" ta 10000 3 60 $all &
flood=$!
# a_second: frames that pass in one, by the time of the counters themselves.
a_second() {
    local before after
    before=$(control --json stats ta)
    sleep 0.5
    after=$(control --json stats ta)
    jq -n --argjson a "$before" --argjson b "$after" '
        def passed: .ports[0] | .in.frames - .drops.in.storm;
        (($b | passed) - ($a | passed)) * 1e9 / ($b.time_ns - $a.time_ns)
        | floor'
}
wait_for 5 happened '.event == "limited" and .count > 1'
slow=$(a_second)
control limit set ta in broadcast frames_per_s=4000 burst_frames=100
fast=$(a_second)
control limit set ta in broadcast frames_per_s=200 burst_frames=1
again=$(a_second)
echo "  $slow, $fast, $again a second"
within "slow" "$slow" 150 260
within "fast" "$fast" 2000 4800
within "again" "$again" 150 260
wait $flood

echo "- what is limited is part of the configuration"
is '.ports[0].limits == [{"side": "in", "traffic": "broadcast",
    "frames_per_s": 200, "burst_frames": 1}]' config show ||
    fail "$(control config show)"
control config show >"$work/shown"
"$vnet_switch" --check -c "$work/shown" || fail "is refused"
conf 'limits = (
    { side = "in"; traffic = "broadcast"; frames_per_s = 300; },
    { side = "out"; octets_per_s = 1000000; } );'
control config reload
is 'map([.side, .traffic, .frames_per_s, .octets_per_s]) ==
    [["in", "broadcast", 300, null], ["out", "all", null, 1000000]]' \
    limit show ta || fail "$(control limit show ta)"
# That which is the same goes on as it was.
before=$(dropped ta in broadcast)
conf 'limits = (
    { side = "in"; traffic = "broadcast"; frames_per_s = 300; } );'
control config reload
[[ $(dropped ta in broadcast) == "$before" ]] || fail "it began anew"
conf 'limits = ( { side = "in"; burst_frames = 300; } );'
control config reload 2>"$work/err" && fail "a limit without a rate"
grep -q 'limits\[0\]' "$work/err" || fail "$(cat "$work/err")"
[[ $(control --json limit show ta | jq length) == 1 ]] || fail "it has gone"
conf ''
control config reload
is 'length == 0' limit show || fail "$(control limit show)"

echo "- what is wrong is said, and changes nothing"
for arguments in 'limit set tx in all frames_per_s=1' \
    'limit set ta/7 in all frames_per_s=1' 'limit del ta in all' \
    'limit del ta in some' 'limit show tx'; do
    # shellcheck disable=SC2086
    control $arguments 2>>"$work/err" && fail "$arguments"
done
is 'length == 0' limit show || fail "$(control limit show)"
control limit del ta in all --if-exists

# at MAC: the port that it is at.
at() {
    control --json fdb show |
        jq -r --arg mac "$1" '.[] | select(.mac == $mac) | .port'
}

# says HOST INTERFACE SOURCE [COUNT]: a frame or more, to nobody.
says() {
    ip netns exec "$1" "$sender" "$2" $((${4:-1} * 100)) 0.01 60 \
        02:00:00:00:00:77 "$3"
}
is_at() {
    [[ $(at "$1") == "$2" ]]
}

echo "- an address of a sticky port does not move"
mover=02:00:00:00:01:01
control port set ta sticky=true
says a ta $mover
wait_for 5 is_at $mover ta
refused=$(figure tc .in.moves_refused)
says c tc $mover
wait_for 5 happened '.event == "move_refused" and .port == "tc" and
    .mac == "'$mover'"'
is_at $mover ta || fail "it is at $(at $mover)"
(($(figure tc .in.moves_refused) > refused)) || fail "it is not counted"
control port set ta sticky=
says c tc $mover
wait_for 5 is_at $mover tc

echo "- an address that flaps is held"
flapper=02:00:00:00:01:02
is_held() {
    happened '.event == "address_held" and .mac == "'$flapper'"'
}
for _ in {1..10}; do
    says a ta $flapper
    says c tc $flapper
    if is_held; then
        break
    fi
done
wait_for 5 is_held
holder=$(at $flapper)
refused=$(control --json stats | jq '.totals.in.moves_refused')
says a ta $flapper
says c tc $flapper
is_at $flapper "$holder" || fail "it is at $(at $flapper), not $holder"
(($(control --json stats | jq '.totals.in.moves_refused') > refused)) ||
    fail "it is not counted"

echo "- OpenMetrics says the same"
control stats --openmetrics >"$work/metrics"
control --json stats >"$work/stats"
grep -qx 'vnet_switch_balanced 1' "$work/metrics" || fail "not balanced"
refused=$(jq '.ports[] | select(.name == "tc") | .in.moves_refused' \
    "$work/stats")
grep -qx "vnet_port_moves_refused_total{port=\"tc\"} $refused" \
    "$work/metrics" || fail "no moves_refused of $refused"
[[ $(tail -n 1 "$work/metrics") == '# EOF' ]] || fail "no end"
if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
    /usr/bin/python3 -c '
from prometheus_client.openmetrics import parser
import sys
names = [f.name for f in parser.text_fd_to_metric_families(sys.stdin)]
assert len(names) > 50, names' <"$work/metrics" || fail "it cannot be parsed"
fi

kill $monitor
wait $monitor || :
is '.balanced' stats || fail "sums do not agree"
end
