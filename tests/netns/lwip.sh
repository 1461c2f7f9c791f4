#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Stacks that are processes: lwIP attaches to vnet-switch.
#
#	lwIP a --\
#	          +--[stacks]---\
#	lwIP b --/               \
#	                          vnet-switch---[tk] k, the kernel's
#	lwIP a --\               /
#	          +--[own]------/
#	lwIP b --/
#
# The clients of stacks share one MAC address, those of own have one each.
#
# Usage: lwip.sh VNET_SWITCH VNETCTL LWIP_HOST
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
lwip_host=$3
octets=1000000
# Else each of some thirty ends takes a second.
export TSAN_OPTIONS=${TSAN_OPTIONS:-}:atexit_sleep_ms=0
need ping socat
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"
host k

# lwip VIF ARGUMENT...
lwip() {
    "$lwip_host" -s "$control_at.attach" -v "$@"
}

# serve NAME VIF ARGUMENT...: in the background, until it may be used.
declare -A served
serve() {
    local name=$1
    shift
    rm -f "$work/$name"
    "$lwip_host" -s "$control_at.attach" -v "$@" >"$work/$name" 2>&1 &
    served[$name]=$!
    wait_for 10 grep -qs . "$work/$name"
    grep -q '^ready ' "$work/$name" || fail "$name: $(cat "$work/$name")"
}

# stop NAME: a clean end, by SIGTERM.
stop() {
    kill "${served[$1]}"
    wait "${served[$1]}" || fail "$1 ends with $?: $(cat "$work/$1")"
}

# does MESSAGE VIF ARGUMENT...: and says so.
does() {
    local message=$1
    shift
    lwip "$@" >"$work/out" 2>&1 || fail "$*: $(cat "$work/out")"
    grep -qx "$message" "$work/out" || fail "$*: $(cat "$work/out")"
}

# refuses MESSAGE VIF ARGUMENT...
refuses() {
    local message=$1 status=0
    shift
    timeout 10 "$lwip_host" -s "$control_at.attach" -v "$@" \
        >"$work/out" 2>&1 || status=$?
    ((status == 1)) || fail "ends with $status: $*: $(cat "$work/out")"
    grep -q "^lwip-host: .*$message" "$work/out" ||
        fail "$*: $(cat "$work/out")"
}

# from_k ADDRESS: the kernel's stack reaches it.
from_k() {
    local to=TCP4:$1:7
    [[ $1 != *:* ]] || to="TCP6:[$1]:7"
    wait_for 5 answers k "$1"
    in_host k timeout 20 socat -t 10 - "$to" <"$work/data" >"$work/back" ||
        fail "TCP from k to $1"
    cmp "$work/back" "$work/data" || fail "TCP from k to $1, and back"
}

# to OTHERS... -- VIF ARGUMENT...: a host that starts for each of it reaches
# them.
to() {
    local others=() other
    while [[ $1 != -- ]]; do
        others+=("$1")
        shift
    done
    shift
    for other in "${others[@]}"; do
        does "ping $other: 3 of 3 answered" "$@" ping "$other"
        does "tcp $other: $octets octets have come back" \
            "$@" tcp "$other" "$octets"
    done
}

# mac_of ADDRESS: what k knows of it.
mac_of() {
    ip -n k neigh show "$1" | awk '{ for (i = 1; i < NF; i++)
        if ($i == "lladdr") print $(i + 1) }'
}

cat >"$work/conf" <<'END'
ports = (
  { type = "tap"; name = "tk"; netns = "k";
    addresses = [ "10.0.0.3/24", "fd00::3/64", "fd01::3/64" ]; },
  { type = "attach"; name = "stacks"; },
  { type = "attach"; name = "own"; addresses = "per-client"; }
);
END
start --config "$work/conf"
head -c "$octets" /dev/urandom >"$work/data"
in_host k socat TCP6-LISTEN:7,ipv6only=0,reuseaddr,fork PIPE &
wait_for 5 in_host k socat -lf /dev/null -u OPEN:/dev/null TCP4:127.0.0.1:7

echo "- IPv4, with one MAC address for two"
serve a stacks -4 10.0.0.1/24
to 10.0.0.1 10.0.0.3 -- stacks -4 10.0.0.2/24
serve b stacks -4 10.0.0.2/24
to 10.0.0.2 -- stacks -4 10.0.0.4/24
from_k 10.0.0.1
from_k 10.0.0.2
mac=$(mac_of 10.0.0.1)
[[ -n $mac && $(mac_of 10.0.0.2) == "$mac" ]] || fail "not one MAC address"
# What was for b did not come to a, which has that address, too.
is 'any(.[]; .name == "not-mine" and .hits > 0)' filter show stacks/0 ||
    fail "the filter of a stops nothing"

echo "- IPv4, with a MAC address for each"
serve c own -4 10.0.0.5/24
to 10.0.0.1 10.0.0.3 10.0.0.5 -- own -4 10.0.0.6/24
from_k 10.0.0.5
[[ $(mac_of 10.0.0.5) != "$mac" ]] || fail "the MAC address of another port"
stop a
stop b
stop c

# Their link-local address is one, which neither is told by the other's probe.
echo "- IPv6, with one MAC address for two"
serve a stacks fd00::1/64
does "tcp fd00::1: $octets octets have come back" \
    stacks fd00::2/64 tcp fd00::1 "$octets"
from_k fd00::1
stop a

echo "- IPv6, with a MAC address for each"
serve a own fd00::1/64
link_local=$(awk '{ print $2 }' "$work/a")
[[ $link_local == fe80::* ]] || fail "a: $(cat "$work/a")"
to fd00::1 fd00::3 "$link_local" -- own fd00::2/64
serve b own fd00::2/64
from_k fd00::1
from_k fd00::2
[[ $(mac_of fd00::1) != "$(mac_of fd00::2)" ]] || fail "one MAC address"

echo "- an IPv6 address that another has"
refuses 'another host has fd00::2' own fd00::2/64
stop b

echo "- what a router says"
# Of the network fd01::/64, and of itself (RFC 4861, 4.2).
advertise() {
    in_host k /usr/bin/python3 -c '
import socket, struct
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
prefix = struct.pack("!BBBBIII2Q", 3, 4, 64, 0xc0, 3600, 3600, 0,
                     0xfd01 << 48, 0)
s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix,
         ("ff02::1", 0, 0, socket.if_nametoindex("tk")))'
}
ip -n k addr add fd02::3/128 dev lo
advertise
wait_for 5 answers k "fd01::${link_local#fe80::}"
in_host k ping -n -q -c 1 -W 5 -I fd02::3 fd00::1 >/dev/null ||
    fail "no way back to fd02::3"
stop a
ip -n k addr add 10.1.0.3/32 dev lo
does 'ping 10.1.0.3: 3 of 3 answered' own -4 -g 10.0.0.3 10.0.0.2/24 \
    ping 10.1.0.3

echo "- no vif, no answer, no switch"
refuses 'no such' none 10.0.0.2/24
refuses 'not in time' own -4 -w 1 10.0.0.2/24 tcp 10.0.0.9
serve a stacks -4 10.0.0.1/24
wait_for 5 is .balanced stats
end
status=0
wait "${served[a]}" || status=$?
((status == 1)) || fail "ends with $status"
grep -q 'the switch has ended the session' "$work/a" ||
    fail "a: $(cat "$work/a")"
refuses 'cannot connect' stacks 10.0.0.2/24
