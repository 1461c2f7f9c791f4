#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What hosts do goes on as ever behind a guard, within what they are granted:
# three users' hosts, each in a namespace of its user's own, and one of root's.
#
#	a (user 1) [ta]---vnet-plug~~~~[va]---+             +---[tg] g: dnsmasq
#	b (user 2) [tb]---vnet-plug~~~~[vb]---+ vnet-switch |
#	c (user 3) [tc]---vnet-plug~~~~[vc]---+             +---[td] d
#
# Usage: grant_hosts.sh VNET_SWITCH VNETCTL TRANSFER VNET_PLUG
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
# shellcheck source=users.sh
. "$(dirname "${BASH_SOURCE[0]}")/users.sh"
here=$(dirname "${BASH_SOURCE[0]}")
transfer=$3
need ping iperf3 dnsmasq udhcpc
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"
((EUID == 0)) || skip "several users take root"
cp "$4" $work/vnet-plug

# Stateless addresses are made of these (RFC 4291, appendix A).
cat >$work/conf <<END
grants = {
  alice = { mac = [ "02:00:00:00:00:0a" ]; ipv4 = [ "10.9.0.10" ];
    ipv6 = [ "2001:db8:9::ff:fe00:a" ]; };
  bob = { mac = [ "02:00:00:00:00:0b", "00:00:5e:00:01:07" ];
    ipv4 = [ "10.9.0.11", "10.9.0.200" ];
    ipv6 = [ "2001:db8:9::ff:fe00:b", "2001:db8:9::200" ];
    group = [ "224.0.0.18", "239.1.2.3", "ff02::12", "ff15::123" ];
    may = [ "vrrp" ]; };
  carol = { mac = [ "02:00:00:00:00:0c" ]; ipv4 = [ "10.9.0.12" ];
    ipv6 = [ "2001:db8:9::/64" ]; vlan = [ 0, 100 ];
    may = [ "broadcast", "multicast" ]; };
  dave = { mac = [ "02:00:00:00:00:00/40" ]; ipv4 = [ "10.9.0.0/24" ];
    ipv6 = [ "2001:db8:9::/64" ]; max_addresses = 4; };
};
ports = (
  { type = "tap"; name = "tg"; netns = "g"; mac = "02:00:00:00:00:fe";
    addresses = [ "10.9.0.254/24", "2001:db8:9::fe/64" ]; },
  { type = "tap"; name = "td"; netns = "d"; mac = "02:00:00:00:00:0d";
    addresses = [ "10.9.0.13/24", "2001:db8:9::d/64" ]; grant = "dave"; },
  { type = "attach"; name = "va"; path = "$work/vif"; mac = "02:00:00:00:00:0a";
    allow = ( { user = 61234; grant = "alice"; } ); },
  { type = "attach"; name = "vb"; path = "$work/vif"; mac = "02:00:00:00:00:0b";
    allow = ( { user = 61235; grant = "bob"; } ); },
  { type = "attach"; name = "vc"; path = "$work/vif"; mac = "02:00:00:00:00:0c";
    allow = ( { user = 61236; grant = "carol"; } ); }
);
END
host g d
start -c $work/conf

# plug HOST USER
plug() {
    accept_dad=1 begin_host "$1" "$2" $work/vnet-plug -s $work/vif -v "v$1" -i "t$1"
    # shellcheck disable=SC2016
    in_host "$1" sh -c 'for conf in /proc/sys/net/ipv6/conf/t?; do
        echo 0 >$conf/router_solicitation_delay
    done'
}

echo "- nobody gets another one's"
if as 61235 $work/vnet-plug -s $work/vif -v va 2>$work/err; then
    fail "a user has another one's interface"
fi
grep -q 'ermission denied\|not allowed' $work/err || fail "$(cat $work/err)"

echo "- addresses: DHCP, and of a router"
in_host g dnsmasq -C /dev/null -k -p 0 --user=root --pid-file= --no-ping \
    --dhcp-leasefile=$work/leases --interface=tg --bind-interfaces \
    --dhcp-range=10.9.0.100,10.9.0.110,255.255.255.0 --enable-ra \
    --dhcp-host=02:00:00:00:00:0a,10.9.0.10 \
    --dhcp-host=02:00:00:00:00:0b,10.9.0.11 \
    --dhcp-host=02:00:00:00:00:0c,10.9.0.12 \
    --dhcp-range=2001:db8:9::,ra-only,64 2>$work/dnsmasq &
cat >$work/lease <<'END'
#!/bin/sh
[ "$1" != bound ] || ip addr add "$ip/$mask" dev "$interface"
END
chmod +x $work/lease
plug a 61234
plug b 61235
plug c 61236
# Each of the addresses is for its own interface to say, and a virtual router has
# no others.
ip -n b link add vrrp7 link tb address 00:00:5e:00:01:07 type macvlan ||
    skip "no macvlan in this kernel"
in_host b sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
    echo 0 >/proc/sys/net/ipv6/conf/vrrp7/accept_ra'
ip -n b addr add 10.9.0.200/32 dev vrrp7
ip -n b addr add 2001:db8:9::200/128 dev vrrp7
ip -n b link set vrrp7 up
for name in a b c; do
    in_host $name udhcpc -i t$name -f -q -n -T 1 -t 10 -s $work/lease \
        >$work/udhcpc.$name 2>&1 &
    dhcp+=($!)
done
for client in "${dhcp[@]}"; do
    wait "$client" || fail "no lease: $(cat $work/udhcpc.* $work/dnsmasq)"
done
# has HOST ADDRESS: that nobody else has.
has() {
    ip -n "$1" -j addr show dev "t$1" to "$2" | jq -e '
        [.[].addr_info[]? | select(.local)] | length == 1 and
        (.[0] | .tentative or .dadfailed | not)' >/dev/null
}
settled() {
    [[ -z $(ip -n "$1" addr show tentative) ]]
}
for name in a b c; do
    wait_for 10 settled $name
    wait_for 10 has $name 2001:db8:9::ff:fe00:$name
done
for name in a:10 b:11 c:12; do
    has ${name%:*} 10.9.0.${name#*:} || fail "$name: $(cat $work/leases)"
done
in_host a ip -6 route show default | grep -q . || fail "a has no router"

failed() {
    ip -n c -j addr show dev tc to 2001:db8:9::ff:fe00:a |
        jq -e 'any(.[].addr_info[]?; .dadfailed)' >/dev/null
}
ip -n c addr add 2001:db8:9::ff:fe00:a/128 dev tc

echo "- ping, IPv4 and IPv6, also in fragments"
addresses=(10.9.0.10 10.9.0.11 10.9.0.12 10.9.0.13 10.9.0.254
    2001:db8:9::ff:fe00:{a,b,c} 2001:db8:9::d 2001:db8:9::fe)
for name in a b c d g; do
    for address in "${addresses[@]}"; do
        wait_for 5 answers $name "$address"
    done
done
for name in a b c d; do
    for address in 10.9.0.254 2001:db8:9::fe; do
        in_host $name ping -n -q -c 2 -i 0.01 -W 5 -s 20000 $address \
            >/dev/null || fail "$name: fragments to $address"
    done
done

echo "- TCP and UDP, with all that is left to network cards"
"$transfer" a g 10.9.0.254 2001:db8:9::fe || fail "from a to g"
"$transfer" g a 10.9.0.10 2001:db8:9::ff:fe00:a || fail "from g to a"
"$transfer" d a 10.9.0.10 2001:db8:9::ff:fe00:a || fail "from d to a"
"$transfer" a d 10.9.0.13 2001:db8:9::d || fail "from a to d"
listening() {
    [[ -n $(in_host g ss -Hltn 'sport = 5201') ]]
}
came() {
    control --json stats va | jq '.ports[0].in.frames'
}
for address in 10.9.0.254 2001:db8:9::fe; do
    in_host g iperf3 -s -1 >/dev/null &
    server=$!
    wait_for 5 listening
    before=$(came)
    in_host a iperf3 -c $address -n 64M | grep receiver
    wait $server
    (($(came) - before < 15000)) ||
        fail "$(($(came) - before)) frames for 64 MiB"
done
for name in a b c d g; do
    (($(checksum_errors $name) == 0)) || fail "checksum errors at $name"
done

echo "- an address that a neighbour has is found to be so"
wait_for 10 failed
ip -n c addr del 2001:db8:9::ff:fe00:a/128 dev tc

echo "- groups, a virtual router, and tags"
"$here/grant_hosts.py" || fail "it does not come"
for address in 10.9.0.200 2001:db8:9::200; do
    wait_for 10 answers g $address
    ip -n g neigh show $address | grep -q 00:00:5e:00:01:07 ||
        fail "the virtual router is at $(ip -n g neigh show $address)"
done

echo "- nothing of all that was outside"
control --json grant show >$work/grants
jq -e 'length == 4 and all(.[]; .refused.in == {})' \
    $work/grants >/dev/null || fail "$(cat $work/grants)"
is .balanced stats || fail "sums do not agree"
end
