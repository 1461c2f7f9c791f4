#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Grants come, change and end under load, at once, and for nobody else.
#
#	a (user 1) [ta]---vnet-plug~~~~[va]---\
#	b (user 2) [tb]---vnet-plug~~~~[vb]----+ vnet-switch ---[tg] g
#	c (user 3) [tc]---vnet-plug~~~~[vc]---/             \---[td] d
#
# Usage: grant_revoke.sh VNET_SWITCH VNETCTL VNET_PLUG
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
# shellcheck source=users.sh
. "$(dirname "${BASH_SOURCE[0]}")/users.sh"
need ping iperf3 tcpdump
((EUID == 0)) || skip "several users take root"
cp "$3" $work/vnet-plug
users=(61234 61235 61236)

# conf BOB: what is said of bob.
conf() {
    cat >$work/conf <<END
grants = {
  lab = { mac = [ "02:00:00:00:00:00/40" ]; ipv4 = [ "10.9.0.0/24" ];
    ipv6 = [ "2001:db8:9::/64" ]; max_addresses = 16; max_clients = 8;
    depth = 1; };
  alice = { parent = "lab"; mac = [ "02:00:00:00:00:0a" ];
    ipv4 = [ "10.9.0.10" ]; ipv6 = [ "2001:db8:9::a" ]; };
  bob = { parent = "lab"; mac = [ "02:00:00:00:00:0b" ]; $1 };
  carol = { mac = [ "02:00:00:00:00:0c" ]; ipv4 = [ "10.9.0.12" ];
    ipv6 = [ "2001:db8:9::c" ]; };
};
ports = (
  { type = "tap"; name = "tg"; netns = "g"; mac = "02:00:00:00:00:fe";
    addresses = [ "10.9.0.254/24", "2001:db8:9::fe/64" ]; },
  { type = "tap"; name = "td"; netns = "d"; mac = "02:00:00:00:00:0d";
    addresses = [ "10.9.0.13/24", "10.9.0.14/24" ]; },
  { type = "attach"; name = "va"; path = "$work/vif"; mac = "02:00:00:00:00:0a";
    allow = ( { user = ${users[0]}; grant = "alice"; } ); },
  { type = "attach"; name = "vb"; path = "$work/vif"; mac = "02:00:00:00:00:0b";
    allow = ( { user = ${users[1]}; grant = "bob"; } ); },
  { type = "attach"; name = "vc"; path = "$work/vif"; mac = "02:00:00:00:00:0c";
    allow = ( { user = ${users[2]}; grant = "carol"; } ); }
);
END
}
whole='ipv4 = [ "10.9.0.11" ]; ipv6 = [ "2001:db8:9::b" ];'
conf "$whole"
host g d
start -c $work/conf
"$vnetctl" --socket $control_at --json monitor >$work/events &
monitor=$!

# plug NAME UID LAST [V4]
plug() {
    ip netns del "$1" 2>/dev/null || :
    begin_host "$1" "$2" $work/vnet-plug -s $work/vif -v "v$1" -i "t$1" \
        -a "10.9.0.$3/24" -a "2001:db8:9::$1/64"
}
plug a "${users[0]}" 10
plug b "${users[1]}" 11
plug c "${users[2]}" 12
reach() {
    wait_for 10 answers "$1" 10.9.0.254
    wait_for 10 answers "$1" 2001:db8:9::fe
}
for name in a b c; do
    reach $name
done

# cut_off HOST ADDRESS: a short time to wait for what is not to come.
cut_off() {
    ! in_host "$1" ping -n -q -c 1 -W 0.2 "$2" >/dev/null 2>&1
}

# load HOST PORT ADDRESS: as much as passes.
load() {
    in_host g iperf3 -s -1 -p "$2" >/dev/null &
    wait_for 5 eval "[[ -n \$(in_host g ss -Hltn 'sport = $2') ]]"
    ip netns exec "$1" iperf3 -c "$3" -p "$2" -t 60 >/dev/null 2>&1 &
    loads[$1]=$!
}
declare -A loads=()
came() {
    control --json stats "v$1" | jq '.ports[0].in.frames'
}
# grows HOST: its frames come, from now on, too.
grows() {
    local before
    before=$(came "$1")
    wait_for 5 eval "((\$(came $1) > $before))"
}
# state GRANT: active, ended, or gone.
state() {
    control --json grant show |
        jq -r --arg name "$1" 'map(select(.name == $name).state)[0] // "gone"'
}
# ended HOST: its session is over, and its program knows.
ended() {
    local status=0
    wait "${jobs[$1]}" || status=$?
    ((status == 1)) || fail "$1 ends with $status"
    is '[.ports[0].clients[]] == []' stats "v$1" || fail "v$1 has clients"
}
# silent MAC: nothing more of it comes to g, while others are heard. What has
# come already is not looked at.
silent() {
    local pinger
    answers g 10.9.0.13 || fail "g is cut off"
    ip netns exec d ping -n -q -i 0.002 -w 20 10.9.0.254 >/dev/null &
    pinger=$!
    in_host g timeout 20 tcpdump -n -e -i tg -c 100 ether src "$1" or icmp \
        >$work/heard 2>/dev/null || fail "g hears nothing"
    kill $pinger
    if grep "$1 >" $work/heard; then
        fail "of $1 comes something"
    fi
}

echo "- one is revoked: it ends, and others do not feel it"
load a 5201 10.9.0.254
load b 5202 10.9.0.254
load c 5203 2001:db8:9::fe
for name in a b c; do
    grows $name
done
control grant revoke alice
silent 02:00:00:00:00:0a
ended a
[[ $(state alice) == gone ]] || fail "$(control grant show)"
jq -se 'any(.[]; .event == "grant_ended" and .grant == "alice")' \
    $work/events >/dev/null || fail "$(cat $work/events)"
is 'all(.[]; .port != "va")' fdb show || fail "its address is known"
as "${users[0]}" $work/vnet-plug -s $work/vif -v va 2>$work/err &&
    fail "it attaches again"
for name in b c; do
    grows $name
    kill -0 "${loads[$name]}" || fail "the transfer of $name has ended"
done

echo "- one is changed, while frames pass"
control grant set bob ipv4=10.9.0.99
cut_off b 10.9.0.254 || fail "b has an address that it may not"
answers b 2001:db8:9::fe || fail "b has no address"
is '.[0].refused.in | .arp.frames + .ipv4.frames > 0' grant show bob ||
    fail "$(control --json grant show bob)"
control grant set bob ipv4=10.9.0.11
wait_for 5 answers b 10.9.0.254

echo "- a reload narrows one, and brings another one back"
unanswered=$(unanswered b)
in_host b ping -n -q -i 0.01 -c 50 10.9.0.254 >$work/ping &
pinger=$!
conf 'ipv4 = [ "10.9.0.11" ];'
kill -HUP "$switch_pid"
wait_for 5 is '.[0] | (has("ipv6") | not)' grant show bob
cut_off b 2001:db8:9::fe || fail "b still speaks IPv6"
unanswered=$((unanswered + 1))
wait $pinger || fail "$(cat $work/ping)"
wait_for 5 answered b $unanswered
[[ $(state alice) == active ]] || fail "$(control grant show)"
plug a "${users[0]}" 10
reach a

echo "- a TAP is given one, and another one"
answers d 10.9.0.254 || fail "d does not reach g"
control grant add dora mac=02:00:00:00:00:0d ipv4=10.9.0.13
control port set td grant=dora
in_host d ping -n -q -c 1 -W 5 -I 10.9.0.13 10.9.0.254 >/dev/null ||
    fail "d is cut off"
in_host d ping -n -q -c 1 -W 0.2 -I 10.9.0.14 10.9.0.254 >/dev/null &&
    fail "d has two addresses"
control grant set dora ipv4=10.9.0.13,10.9.0.14
in_host d ping -n -q -c 1 -W 5 -I 10.9.0.14 10.9.0.254 >/dev/null ||
    fail "d has one address"
control grant revoke dora
cut_off d 10.9.0.254 || fail "d is not cut off"
is '.[0].link == "down"' port show td || fail "$(control port show td)"
control port set td grant=
wait_for 5 answers d 10.9.0.254

echo "- what does not fit is refused, and changes nothing"
# refused TEXT ARGUMENT...
refused() {
    control grant "${@:2}" 2>$work/err && fail "grant ${*:2}"
    grep -q "$1" $work/err || fail "grant ${*:2}: $(cat $work/err)"
}
refused ipv4 add zoe parent=lab mac=02:00:00:00:00:77 ipv4=10.8.0.1
refused mac add zoe parent=lab mac=02:00:00:01:00:77
refused may add zoe parent=lab mac=02:00:00:00:00:77 may=route
refused ipv4 set bob ipv4=10.8.0.1
refused ipv4 set lab ipv4=10.9.0.0/29
is 'all(.[]; .name != "zoe")' grant show || fail "$(control grant show)"
answers b 10.9.0.254 || fail "b is cut off"

echo "- one ends by itself"
kill -0 "${loads[c]}" || fail "the transfer of c has ended"
end=$(($(date +%s) + 2))
control grant set carol "until=$(date -u -d @$end +%Y-%m-%dT%H:%M:%SZ)"
grows c
ended c
(($(date +%s) >= end)) || fail "too early"
(($(date +%s) <= end + 2)) || fail "too late"
silent 02:00:00:00:00:0c
[[ $(state carol) == ended ]] || fail "$(control grant show)"

echo "- what hangs below one ends with it"
control grant revoke lab
ended a
ended b
for name in lab alice bob; do
    [[ $(state $name) == gone ]] || fail "$(control grant show)"
done
answers d 10.9.0.254 || fail "d is cut off"
kill "${loads[@]}" $monitor 2>/dev/null || :
is .balanced stats || fail "sums do not agree"
end
