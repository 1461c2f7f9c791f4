#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs that attach to vnet-switch, beside hosts with a kernel's stack.
#
#	a [ta]---\        /--- client 10.0.0.2
#	          + switch +
#	b [tb]---/        \--- client 10.0.0.3, on the same vif
#
# Usage: attach.sh VNET_SWITCH VNETCTL ATTACH_CLIENT
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
need ping
client=$3
entrance=$control_at.attach
host a b

# attach VIF ADDRESS: a client that answers there. It is up by its return.
attach() {
    local line
    mkfifo "$work/is"
    "$client" "$entrance" "$1" host "$2" >"$work/is" &
    client_pid=$!
    read -r line <"$work/is"
    [[ $line == is* ]] || fail "client at $1: $line"
    rm "$work/is"
}

# left COUNT: so many clients are left at the vif.
left() {
    is ".ports[0].clients | length == $1" stats web
}

echo "- two clients on one vif, with one address, and two hosts"
cat >"$work/conf" <<'END'
ports = (
  { type = "tap"; name = "ta"; netns = "a"; addresses = [ "10.0.0.1/24" ]; },
  { type = "tap"; name = "tb"; netns = "b"; addresses = [ "10.0.0.4/24" ]; },
  { type = "attach"; name = "web"; mac = "02:00:00:00:00:77"; }
);
END
start -c "$work/conf"
attach web 10.0.0.2
first=$client_pid
attach web 10.0.0.3
second=$client_pid
for address in 10.0.0.2 10.0.0.3 10.0.0.4; do
    answers a $address || fail "a does not reach $address"
done
answers b 10.0.0.2 || fail "b does not reach the first client"
in_host a ip neigh | grep '10.0.0.2 .*02:00:00:00:00:77' >/dev/null ||
    fail "the first client has another address: $(in_host a ip neigh)"
is '[.ports[0].clients[].client] == ["web/0", "web/1"]' stats web ||
    fail "$(control stats web)"

echo "- one dies, and is nobody's loss"
in_host a ping -n -q -i 0.002 -c 1000 10.0.0.3 >"$work/ping" &
pinger=$!
before=$(unanswered a)
kill -KILL "$first"
wait "$first" 2>/dev/null || :
wait_for 5 left 1
attach web 10.0.0.2
first=$client_pid
kill -STOP "$first"
# The host asks one that does not answer, and floods it.
in_host b ping -n -q -f -w 1 -s 1400 10.0.0.2 >/dev/null || :
wait "$pinger" || fail "$(cat "$work/ping")"
answered a "$before" || fail "$(cat "$work/ping")"
kill -CONT "$first"
wait_for 5 answers b 10.0.0.2

echo "- with an address each"
sed -i 's/"web";/"web"; addresses = "per-client";/' "$work/conf"
control config reload
wait "$first" "$second" || fail "a client ends with $?"
attach web 10.0.0.2
first=$client_pid
attach web 10.0.0.3
second=$client_pid
in_host a ip neigh flush dev ta
answers a 10.0.0.2 || fail "a does not reach the first"
answers a 10.0.0.3 || fail "a does not reach the second"
macs=$(in_host a ip neigh | awk '{ print $5 }' | sort -u | wc -l)
((macs == 2)) || fail "addresses: $(in_host a ip neigh)"
is '.balanced' stats || fail "sums do not agree"
end
[[ ! -e $entrance ]] || fail "the socket is left"
wait "$first" "$second" || fail "a client ends with $?"
