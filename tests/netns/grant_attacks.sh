#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Clients that are granted their own addresses try to be somebody else; see
# grant_attacks.py.
#
#	victim  v [tv]---\             /---[tm] m	guarded
#	gateway g [tg]----+ vnet-switch ~~~~~~~ a session, of another user, guarded
#	not guarded u [tu]/            \---[tp] p	guarded, of a range
#
# Usage: grant_attacks.sh VNET_SWITCH VNETCTL ATTACH_CLIENT
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
# shellcheck source=users.sh
. "$(dirname "${BASH_SOURCE[0]}")/users.sh"
need ping
/usr/bin/python3 -c 'import scapy' 2>/dev/null ||
    skip "no scapy (scripts/deps test gets it)"

cp "$3" $work/attach_client
session=("$work/attach_client" "$work/web" web talk)
if ((EUID == 0)); then
    session=(setpriv --reuid "$user" --regid "$user" --clear-groups
        "${session[@]}")
fi

# Attackers have no stack that says anything by itself.
host v g m p u
for name in m p u; do
    in_host $name sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
done
cat >$work/conf <<END
grants = {
  mallory = { mac = [ "02:00:00:00:00:66" ]; ipv4 = [ "10.9.0.102" ];
    ipv6 = [ "2001:db8:9::66" ]; may = [ "broadcast" ];
    group = [ "224.0.0.251", "ff02::fb" ]; };
  trudy = { mac = [ "02:00:00:00:00:67" ]; ipv4 = [ "10.9.0.103" ];
    ipv6 = [ "2001:db8:9::67" ]; may = [ "broadcast" ];
    group = [ "224.0.0.251", "ff02::fb" ]; };
  range = { mac = [ "02:00:00:00:00:00/40" ]; ipv4 = [ "10.9.0.96" ];
    may = [ "broadcast" ]; max_addresses = 4; };
};
ports = (
  { type = "tap"; name = "tv"; netns = "v"; mac = "02:00:00:00:00:01";
    addresses = [ "10.9.0.1/24", "2001:db8:9::1/64" ]; },
  { type = "tap"; name = "tg"; netns = "g"; mac = "02:00:00:00:00:fe";
    addresses = [ "10.9.0.254/24", "2001:db8:9::fe/64" ]; },
  { type = "tap"; name = "tm"; netns = "m"; mac = "02:00:00:00:00:66";
    grant = "mallory"; },
  { type = "attach"; name = "web"; mac = "02:00:00:00:00:67";
    path = "$work/web"; allow = ( { user = $user; grant = "trudy"; } ); },
  { type = "tap"; name = "tp"; netns = "p"; mac = "02:00:00:00:00:60";
    grant = "range"; },
  { type = "tap"; name = "tu"; netns = "u"; mac = "02:00:00:00:00:68"; }
);
END
start -c $work/conf
for name in m p u; do
    ip -n $name link set t$name arp off
done
# What hosts are told holds at once.
for name in v g; do
    ip -n $name ntable change name arp_cache dev t$name locktime 0
done
for address in 10.9.0.254 2001:db8:9::fe; do
    wait_for 5 answers v $address
done
wait_for 5 answers g 2001:db8:9::1
"$(dirname "${BASH_SOURCE[0]}")/grant_attacks.py" $control_at "${session[@]}"
end
