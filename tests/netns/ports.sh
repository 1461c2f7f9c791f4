#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# All kinds of traffic through vnet-switch, while vnetctl and the kernel change
# it.
#
#	a [ta]--9000--\
#	b [tb]--9000---+ vnet-switch ---[nic]====veth====[out] d
#	c [tc]--1500--/
#
# Usage: ports.sh VNET_SWITCH VNETCTL TRANSFER
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
here=$(dirname "${BASH_SOURCE[0]}")
transfer=$3
need ping
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b c d e mid
for name in a b c d; do
    in_host $name sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts'
done
ip -n mid link add nic type veth peer name out netns d \
    address 02:00:00:00:00:0d
ip -n mid link set nic up
ip -n d addr add 10.0.0.4/24 dev out
ip -n d addr add fd00::4/64 dev out
ip -n d link set out up

cat >"$work/conf" <<'END'
ports = (
  { type = "tap"; name = "ta"; netns = "a"; mtu = 9000;
    mac = "02:00:00:00:00:0a"; addresses = [ "10.0.0.1/24", "fd00::1/64" ]; },
  { type = "tap"; name = "tb"; netns = "b"; mtu = 9000;
    mac = "02:00:00:00:00:0b"; addresses = [ "10.0.0.2/24", "fd00::2/64" ]; },
  { type = "tap"; name = "tc"; netns = "c";
    mac = "02:00:00:00:00:0c"; addresses = [ "10.0.0.3/24", "fd00::3/64" ]; },
  { type = "uplink"; name = "nic"; netns = "mid"; }
);
END
start -c "$work/conf"

echo "- IPv4 and IPv6, over ARP and ND"
for from in a b c d; do
    for to in 1 2 3 4; do
        wait_for 5 answers $from 10.0.0.$to
        wait_for 5 answers $from fd00::$to
    done
done
for address in 10.0.0.2 fd00::2; do
    ip -n a neigh show $address | grep -q 02:00:00:00:00:0b ||
        fail "$address is not at the address of b"
done

echo "- multicast"
# everybody ADDRESS: the three others answer.
everybody() {
    local own
    own=$(ip -n a -o addr show dev ta | awk '{ sub("/.*", "", $4); print $4 }')
    in_host a ping -n -c 2 -W 1 -I ta "$1" 2>/dev/null |
        sed -n 's/^64 bytes from \([0-9a-f:.]*[0-9a-f]\)[:%].*/\1/p' |
        grep -vxF "$own" | sort -u >"$work/from" || :
    (($(wc -l <"$work/from") == 3))
}
wait_for 5 everybody 224.0.0.1
wait_for 5 everybody ff02::1

echo "- jumbo frames, and what is too long for others"
too_long() {
    control --json stats "$1" | jq .ports[0].drops.out.too_long
}
fits() {
    in_host a ping -n -q -c 1 -W 1 -M "do" -s "$1" "$2" >/dev/null 2>&1
}
wait_for 5 fits $((9000 - 28)) 10.0.0.2
wait_for 5 fits $((9000 - 48)) fd00::2
wait_for 5 fits $((1500 - 28)) 10.0.0.3
before=$(too_long tc)
in_host a ping -n -q -c 3 -i 0.01 -W 0.1 -M "do" -s 1473 10.0.0.3 >/dev/null &&
    fail "a frame for c is longer than its MTU"
(($(too_long tc) == before + 3)) || fail "too_long is not counted"

echo "- tags, over the uplink"
"$here/tags.py" a ta d out || fail "tags from a to d"
"$here/tags.py" d out a ta || fail "tags from d to a"
"$transfer" a d 10.0.0.4 fd00::4 || fail "from a to d"

echo "- who monitors hears"
"$vnetctl" --socket "$control_at" --json monitor >"$work/events" &
monitor=$!
hears() {
    control port add stream probe path="$work/probe"
    control port del probe
    [[ -s $work/events ]]
}
wait_for 5 hears
# heard EVENT PORT
heard() {
    jq -se "any(.[]; .event == \"$1\" and .port == \"$2\")" \
        "$work/events" >/dev/null
}

echo "- ports come and go under load: the others lose nothing"
pinging() {
    until [[ -e $work/stop ]]; do
        in_host "$1" ping -n -q -i 0.002 -c 200 -s "$2" "$3" || return 1
    done
}
transferring() {
    until [[ -e $work/stop ]]; do
        "$transfer" b a 10.0.0.1 fd00::1 || return 1
    done
}
before=("$(unanswered a)" "$(unanswered b)")
pinging a 8000 10.0.0.2 >"$work/load.ping4" 2>&1 &
loads=($!)
pinging b 56 fd00::1 >"$work/load.ping6" 2>&1 &
loads+=($!)
transferring >"$work/load.transfer" 2>&1 &
loads+=($!)
"$here/sums.py" "$work/stop" "$vnetctl" --socket "$control_at" --json stats \
    >"$work/load.sums" 2>&1 &
loads+=($!)
for i in {1..15}; do
    control port add tap "t$i" netns=c "address=10.0.1.$i/24" mtu=1400
    control port add stream "s$i" "path=$work/s$i"
    control fdb add "02:00:00:00:01:0$((i % 10))" "t$i"
    control filter add "t$i" in only-arp 10 pass arp
    control port set "t$i" default_in=drop weight=3 mtu=1500
    control port set ta weight="$i"
    ((i % 3)) || ip -n c link del "t$i"
    control port del "s$i"
    control port del "t$i"
done
: >"$work/stop"
for load in "${loads[@]}"; do
    wait "$load" || fail "under load: $(tail -n 5 "$work"/load.*)"
done
cat "$work/load.sums"
wait_for 5 answered a "${before[0]}"
wait_for 5 answered b "${before[1]}"
heard port_added t1 || fail "no event: $(cat "$work/events")"
heard port_removed t15 || fail "no event: $(cat "$work/events")"
wait_for 5 heard link_down t3

echo "- filters, while frames pass"
# A short time to wait for what is not to come.
silent() {
    ! in_host "$1" ping -n -q -c 1 -W 0.2 "$2" >/dev/null 2>&1
}
# hits PORT NAME: of a filter.
hits() {
    control --json filter show "$1" |
        jq --arg name "$2" '.[] | select(.name == $name) | .hits'
}
control filter add tb out no-ping 10 drop icmp
silent a 10.0.0.2 || fail "ICMP is not filtered out of the switch"
answers a fd00::2 || fail "IPv6 is filtered"
(($(hits tb no-ping) == 1)) || fail "hits: $(control filter show tb)"
control filter del tb out no-ping
answers a 10.0.0.2 || fail "the filter is still there"
control filter add ta in no-ping 10 drop icmp6 and 'ip6[40] == 128'
silent a fd00::2 || fail "ICMPv6 is not filtered into the switch"
answers a 10.0.0.2 || fail "IPv4 is filtered"
answers b fd00::1 || fail "answers are filtered"
(($(hits ta no-ping) == 1)) || fail "hits: $(control filter show ta)"
control filter add ta in first 5 pass icmp6
answers a fd00::2 || fail "the first filter does not decide"
control filter del ta in first
control filter del ta in no-ping
control filter add nic in vlan 10 drop vlan 5
"$here/tags.py" d out a ta 2>/dev/null &
sender=$!
was_hit() {
    (($(hits nic vlan) > 0))
}
wait_for 5 was_hit
kill $sender
wait $sender && fail "a frame of VLAN 5 passes"
control filter del nic in vlan
"$here/tags.py" d out a ta || fail "a frame of VLAN 5 does not pass"

echo "- what no filter matches"
control port set tb default_in=drop
silent a 10.0.0.2 || fail "the default passes"
control filter add tb in arp 10 pass arp
control filter add tb in ping 10 pass icmp
answers a 10.0.0.2 || fail "the filters do not pass"
silent a fd00::2 || fail "the default passes IPv6"
control port set tb default_in=pass default_out=drop
silent a 10.0.0.2 || fail "the default passes, out"
control port set tb default_out=pass
answers a fd00::2 || fail "the default drops"
is '[.[] | select(.default)] | length == 2 and all(.[]; .hits > 0)' \
    filter show tb || fail "defaults: $(control filter show tb)"
control filter del tb in arp
control filter del tb in ping

echo "- addresses"
answers a 10.0.0.2 || fail "a does not reach b"
is 'any(.[]; .mac == "02:00:00:00:00:0b" and .port == "tb" and
    (.static | not))' fdb show || fail "not learned: $(control fdb show)"
control fdb add 02:00:00:00:00:0b tc
silent a 10.0.0.2 || fail "the static entry does not win"
is '[.[] | select(.mac == "02:00:00:00:00:0b")] |
    length == 1 and .[0].port == "tc" and .[0].static' fdb show ||
    fail "not static: $(control fdb show)"
control fdb flush
is 'any(.[]; .mac == "02:00:00:00:00:0b" and .static)' fdb show ||
    fail "a static entry is flushed"
# The one that tags.py sends from.
is 'all(.[]; .mac != "02:00:00:00:09:09")' fdb show || fail "not flushed"
control fdb del 02:00:00:00:00:0b
wait_for 5 answers a 10.0.0.2
heard address_moved tc && fail "an address has moved already"
ip -n c link set tc address 02:00:00:00:00:0b
wait_for 5 answers c 10.0.0.1
wait_for 5 heard address_moved tc
ip -n c link set tc address 02:00:00:00:00:0c
wait_for 5 answers b 10.0.0.1
wait_for 5 answers a 10.0.0.2

# One field of what is shown of a port.
medium() {
    is ".[0] | .link == \"$2\" and .medium.interface == \"$3\"" port show "$1"
}
echo "- a TAP is deleted"
ip -n b link del tb
wait_for 5 heard medium_gone tb
wait_for 5 is '.[0] | .link == "down" and .error' port show tb
control port set tb weight=2
wait_for 5 answers a fd00::2
ip -n b link del tb
wait_for 5 is '.[0].error' port show tb
kill -HUP "$switch_pid"
wait_for 5 answers a fd00::2

echo "- a TAP is renamed: the same port"
ip -n b link set tb down
wait_for 5 medium tb down tb
ip -n b link set tb name other
ip -n b link set other up
wait_for 5 medium tb up other
wait_for 5 answers a 10.0.0.2
control port set tb interface=new
wait_for 5 answers a 10.0.0.2
medium tb up new || fail "$(control --json port show tb)"
ip -n b link show other >/dev/null 2>&1 && fail "the old interface is left"

echo "- a TAP is moved"
ip -n b link set new netns d
wait_for 5 medium tb down new
control port set tb netns=e
wait_for 5 answers a 10.0.0.2
ip -n e link show new >/dev/null || fail "not in e"
ip -n d link show new >/dev/null 2>&1 && fail "still in d"
ip -n e link set new netns d
wait_for 5 medium tb down new
control config reload
wait_for 5 answers a 10.0.0.2
ip -n b link show tb >/dev/null || fail "not in b"
answers a fd00::2 || fail "not with all of its addresses"

echo "- an uplink is deleted"
ip -n mid link del nic
wait_for 5 is '.[0].error' port show nic
ip -n mid link add nic type veth peer name out netns d \
    address 02:00:00:00:00:0d
ip -n mid link set nic up
ip -n d addr add 10.0.0.4/24 dev out
ip -n d link set out up
control config reload
wait_for 5 answers a 10.0.0.4

echo "- what is running is a configuration"
control port set tb weight=9 queue_octets=131072 default_out=pass
is '.[0] | .weight == 9 and .queue_octets == 131072' port show tb ||
    fail "$(control --json port show tb)"
control port add stream vm path="$work/v\"\\m" role=vif mtu=2000
control filter add tb in a-rule 20 drop tcp port 23 or 'ip6[6] == 44'
control filter add tb in another 10 pass arp
control filter add vm out empty 4294967295 pass ''
control port set nic own_only=true without=uso,tso6
control port set nic own_only=false
control fdb add 02:00:00:00:00:99 vm
control fdb add 02:00:00:00:00:98 ta
control config show >"$work/shown"
control --json config show >"$work/shown.json"
kill $monitor
wait $monitor || :
end
start -c "$work/shown"
control config show | cmp - "$work/shown" || fail "another configuration"
control --json config show | cmp - "$work/shown.json" || fail "another one"
wait_for 5 answers a 10.0.0.2
wait_for 5 answers a 10.0.0.4
: >"$work/stop"
"$here/sums.py" "$work/stop" "$vnetctl" --socket "$control_at" --json stats
end
