#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Users run switches behind that of root, within what they are granted, and grant
# others of it, three levels deep. And none of them gets any further, whatever
# they send; see grant_child.py.
#
#	v [tv]---\
#	g [tg]---- root's ~~~~ user 1's ~~~~ user 2's ~~~~ another one of user 2
#	                         ~  ~            |             |
#	                       [t1][t3]         [t2]          [t4]
#
# User 1 has no namespace; one of t1 is theirs, and of t3 user 3's. User 2 makes
# interfaces in namespaces of their own.
#
# Usage: grant_child.sh VNET_SWITCH VNETCTL TRANSFER VNET_PLUG
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
# shellcheck source=users.sh
. "$(dirname "${BASH_SOURCE[0]}")/users.sh"
need ping
((EUID == 0)) || skip "several users take root"
/usr/bin/python3 -c 'import scapy' 2>/dev/null ||
    skip "no scapy (scripts/deps test gets it)"
transfer=$3
cp "$4" $work/vnet-plug
users=(0 61234 61235 61236)
# What each has to themselves, and where others may enter.
for i in 1 2 3; do
    mkdir -m 711 $work/$i
    chown "${users[i]}:${users[i]}" $work/$i
done

cat >$work/conf <<END
grants = {
  one = { mac = [ "02:09:00:00:00:00/24" ]; ipv4 = [ "10.9.1.0/24" ];
    ipv6 = [ "2001:db8:9:1::/64" ]; may = [ "broadcast" ];
    group = [ "224.0.0.251", "ff02::fb" ]; max_addresses = 16; };
};
ports = (
  { type = "tap"; name = "tv"; netns = "v"; mac = "02:00:00:00:00:01";
    addresses = [ "10.9.0.1/16", "2001:db8:9::1/48" ]; },
  { type = "tap"; name = "tg"; netns = "g"; mac = "02:00:00:00:00:fe";
    addresses = [ "10.9.0.254/16", "2001:db8:9::fe/48" ]; },
  { type = "attach"; name = "one"; path = "$work/one";
    allow = ( { user = ${users[1]}; grant = "one"; } ); }
);
END
cat >$work/1/conf <<END
grants = {
  two = { mac = [ "02:09:00:02:00:00/32" ]; ipv4 = [ "10.9.1.32/27" ];
    ipv6 = [ "2001:db8:9:1:2::/80" ]; may = [ "broadcast" ];
    group = [ "224.0.0.251", "ff02::fb" ]; max_addresses = 4; };
  three = { mac = [ "02:09:00:00:00:03" ]; ipv4 = [ "10.9.1.3" ];
    ipv6 = [ "2001:db8:9:1::3" ]; may = [ "broadcast" ];
    group = [ "224.0.0.251", "ff02::fb" ]; };
};
ports = (
  { type = "uplink"; name = "up"; path = "$work/one"; },
  { type = "attach"; name = "own"; path = "$work/1/own";
    mac = "02:09:00:00:00:01"; },
  { type = "attach"; name = "two"; path = "$work/1/two";
    allow = ( { user = ${users[2]}; grant = "two"; } ); },
  { type = "attach"; name = "three"; path = "$work/1/three";
    mac = "02:09:00:00:00:03";
    allow = ( { user = ${users[3]}; grant = "three"; } ); }
);
END
# In a namespace of their own they are root, and all others are nobody.
cat >$work/2/conf <<END
grants = {
  four = { mac = [ "02:09:00:02:00:04" ]; ipv4 = [ "10.9.1.36" ];
    ipv6 = [ "2001:db8:9:1:2::4" ]; may = [ "broadcast" ];
    group = [ "224.0.0.251", "ff02::fb" ]; };
};
ports = (
  { type = "uplink"; name = "up"; path = "$work/1/two"; },
  { type = "tap"; name = "t2"; mac = "02:09:00:02:00:02";
    addresses = [ "10.9.1.34/16", "2001:db8:9:1:2::2/48" ]; },
  { type = "attach"; name = "four"; path = "$work/2/four";
    allow = ( { user = "root"; grant = "four"; } ); }
);
END

host v g
start -c $work/conf
begin one "${users[1]}" $work/vnet-switch -c $work/1/conf \
    --socket $work/1/control --ready-fd 1
begin_host d2 "${users[2]}" $work/vnet-switch -c $work/2/conf \
    --socket $work/2/control --ready-fd 1
begin_host d4 "${users[2]}" $work/vnet-switch --socket $work/2/another \
    --ready-fd 1 --uplink attach:$work/2/four \
    --tap t4,mac=02:09:00:02:00:04,address=10.9.1.36/16,address=2001:db8:9:1:2::4/48
begin_host d1 "${users[1]}" $work/vnet-plug -s $work/1/own -i t1 \
    -a 10.9.1.1/16 -a 2001:db8:9:1::1/48
begin_host d3 "${users[3]}" $work/vnet-plug -s $work/1/three -i t3 \
    -a 10.9.1.3/16 -a 2001:db8:9:1::3/48

echo "- each reaches the others, and the outside"
addresses=(10.9.1.{1,34,3,36} 10.9.0.{1,254} 2001:db8:9:1{::1,:2::2,::3,:2::4}
    2001:db8:9::{1,fe})
for name in d1 d2 d3 d4 g v; do
    for address in "${addresses[@]}"; do
        wait_for 10 answers $name "$address"
    done
done
"$transfer" d4 g 10.9.0.254 2001:db8:9::fe || fail "from the fourth level"
"$transfer" g d4 10.9.1.36 2001:db8:9:1:2::4 || fail "to the fourth level"

echo "- none of them gets further"
"$(dirname "${BASH_SOURCE[0]}")/grant_child.py" $work || fail "one does"

echo "- nor do they enter where they are not let"
# wrong UID PATH
wrong() {
    as "$1" $work/vnet-switch --socket $work/open --uplink "attach:$2" \
        --ready-fd 1 >$work/out 2>&1 && fail "user $1 may enter $2"
    grep -qi 'permission denied' $work/out || fail "$(cat $work/out)"
}
wrong "${users[2]}" $work/one
wrong "${users[3]}" $work/one
wrong "${users[3]}" $work/1/two
wrong "${users[3]}" $work/1/own

echo "- what is revoked ends for all that are behind it, and for nobody else"
control grant revoke one
for name in d1 d2 d3 d4; do
    in_host $name ping -n -q -c 1 -W 0.2 10.9.0.254 >/dev/null &&
        fail "$name still reaches the outside"
done
answers d4 10.9.1.3 || fail "user 1's switch has ended"
answers v 10.9.0.254 || fail "v is cut off"
control config reload
wait_for 15 answers d4 10.9.0.254
wait_for 5 answers d1 2001:db8:9::fe

for name in d4 d2 d1 d3; do
    finish $name
done
finish one
is .balanced stats || fail "sums do not agree"
end
