#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A configuration that is read anew, under load: filters change as a whole, and
# run in the order of the file.
#
#	a [ta]---+ vnet-switch
#	b [tb]--/
#
# Usage: reload.sh VNET_SWITCH VNETCTL
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
need ping
[[ -x /usr/bin/python3 ]] || skip "no python3 (scripts/deps test gets it)"

host a b

# configure KEYS-OF-TA: written, not yet read.
configure() {
    cat >"$work/conf" <<END
ports = (
  { type = "tap"; name = "ta"; netns = "a"; mac = "02:00:00:00:00:0a";
    addresses = [ "10.0.0.1/24" ]; $1 },
  { type = "tap"; name = "tb"; netns = "b"; mac = "02:00:00:00:00:0b";
    addresses = [ "10.0.0.2/24" ];
    filters = ( { name = "leak"; side = "out"; verdict = "pass";
                  expr = "ether proto 0x88b6"; } ); }
);
END
}

rule() {
    echo "{ name = \"$1\"; side = \"in\"; verdict = \"$2\"; expr = \"$3\"; }"
}

order() {
    control --json filter show ta |
        jq -r '[.[] | select(.side == "in" and .name) | .name] | join(" ")'
}

configure "filters = ( $(rule first drop 'ether proto 0x88b6') );"
start -c "$work/conf"
wait_for 5 answers a 10.0.0.2

echo "- no frame passes between one set of filters and the next"
# Not by in_host, whose process in the background would be a shell.
ip netns exec a /usr/bin/python3 -c '
import socket
frame = b"\xff" * 6 + b"\x02\0\0\0\0\x0a\x88\xb6" + bytes(46)
s = None
while True:
    try:
        s = s or socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.sendto(frame, ("ta", 0))
    except OSError:  # the interface is being made anew
        s = None' &
flood=$!
dropped() {
    control --json stats ta | jq .ports[0].drops.in.ingress_filter
}
for _ in 1 2 3 4 5; do
    before=$(dropped)
    for keys in "filters = ( $(rule second drop 'ether proto 0x88b6') );" \
        "default_in = \"drop\"; filters = ( $(rule ours pass 'arp or ip') );" \
        "filters = ( $(rule none drop 'ip6'),
            $(rule first drop 'ether proto 0x88b6') );" \
        "role = \"uplink\"; filters = ( $(rule first drop 'not ip and not arp') );"; do
        configure "$keys"
        control config reload >/dev/null
    done
    flows() {
        (($(dropped) > before))
    }
    wait_for 5 flows
done
is '[.[] | select(.name == "leak")][0].hits == 0' filter show tb ||
    fail "frames came through: $(control filter show tb)"
kill $flood
wait $flood || :

echo "- filters of one priority run in the order of the file"
configure "filters = ( $(rule allow pass 'tcp port 22'), $(rule deny drop tcp) );"
control config reload >/dev/null
[[ $(order) == "allow deny" ]] || fail "runs as: $(order)"
configure "filters = ( $(rule allow pass 'tcp port 2222'), $(rule deny drop tcp) );"
control config reload >/dev/null
[[ $(order) == "allow deny" ]] || fail "changed, runs as: $(order)"
control filter add ta in mine 0 pass udp
configure "filters = ( $(rule deny drop tcp), $(rule allow pass 'tcp port 2222') );"
control config reload >/dev/null
[[ $(order) == "deny allow mine" ]] || fail "turned round, runs as: $(order)"

echo "- a port that cannot be what the file says stays what it was"
configure ""
control config reload >/dev/null
control port add tap other interface=x0 netns=a
configure 'interface = "x0";'
if control config reload >"$work/said" 2>&1; then
    fail "two ports on one interface"
fi
grep -q 'port other has its interface' "$work/said" || fail "$(cat "$work/said")"
wait_for 5 answers a 10.0.0.2
[[ $(order) == "mine" ]] || fail "its filters: $(order)"
is .balanced stats || fail "sums do not agree"
end
