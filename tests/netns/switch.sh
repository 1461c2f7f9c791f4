#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# vnet-switch as a program: how it starts, does not start, follows its file,
# is changed while it runs, and ends.
#
#	a [ta]---\
#	b [tb]----+ vnet-switch
#	c [tc]---/
#
# Usage: switch.sh VNET_SWITCH VNETCTL
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
need ping
host a b c
ta=(--tap "ta,netns=a,address=10.0.0.1/24")
tb=(--tap "tb,netns=b,address=10.0.0.2/24")
tc=(--tap "tc,netns=c,address=10.0.0.3/24")

# refuses MESSAGE ARGUMENT...
refuses() {
    local message=$1 status=0
    shift
    timeout 10 "$vnet_switch" --socket "$control_at" "$@" 2>"$work/err" ||
        status=$?
    ((status == 1)) || fail "ends with $status: $*: $(cat "$work/err")"
    grep -q "error: .*$message" "$work/err" || fail "$*: $(cat "$work/err")"
}

# No interface but the loopback is in namespaces that had none.
left_behind() {
    local name
    for name in a b c; do
        ip -n "$name" -o link | grep -v ': lo:' && return
    done
    [[ -e $control_at || -e $work/vm ]]
}

echo "- three TAPs, from the command line"
start "${ta[@]}" "${tb[@]}" "${tc[@]}"
answers a 10.0.0.2 || fail "a does not reach b"
answers a 10.0.0.3 || fail "a does not reach c"
[[ $(stat -c %a "$control_at") == 600 ]] || fail "others reach the socket"
is .balanced stats || fail "sums do not agree"

echo "- a second one is refused before it touches anything"
refuses 'control' --tap other,netns=a
is 'length == 3' port show || fail "the first one has gone"

echo "- idle, it does not wake up"
# Of its two threads; a sanitizer has one more.
wakeups() {
    local task
    for task in /proc/"$switch_pid"/task/*; do
        [[ $(<"$task/comm") == forward || ${task##*/} == "$switch_pid" ]] &&
            cat "$task/status"
    done | awk '/^(non)?voluntary/ { sum += $2 } END { print sum }'
}
for name in a b c; do
    echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
    in_host $name sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
done
sleep 0.5
before=$(wakeups)
sleep 1
(($(wakeups) - before <= 4)) || fail "woke up $(($(wakeups) - before)) times"
for name in a b c; do
    in_host $name sh -c 'echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
done

echo "- killed, and started again over the old socket"
kill -KILL "$switch_pid"
wait "$switch_pid" 2>/dev/null || :
[[ -S $control_at ]] || fail "the socket has gone"
start "${ta[@]}" "${tb[@]}"
answers a 10.0.0.2 || fail "a does not reach b"
end
if left_behind; then
    fail "something is left behind"
fi

echo "- a start that fails leaves nothing behind"
refuses 'netns missing' "${ta[@]}" --stream "$work/vm" --tap t,netns=missing
refuses 'no TAP' "${ta[@]}" --tap missing,mode=attach
refuses 'interface of that name is no TAP' "${ta[@]}" --tap lo
refuses "path $work/missing/vm" "${ta[@]}" --stream "$work/missing/vm"
refuses 'no port tx' "${ta[@]}" --filter tx,in,f,1,drop,icmp
echo 'switch = { max_insns = 1; };' >"$work/conf"
refuses 'instructions' "${ta[@]}" -c "$work/conf" \
    --filter 'ta,in,f,1,drop,icmp or arp'
: >"$work/plain"
refuses 'plain' "${ta[@]}" --stream "$work/plain"
control_at=$work/plain refuses 'plain' "${ta[@]}"
[[ -f $work/plain ]] || fail "a file has gone"
if left_behind; then
    fail "something is left behind"
fi
for arguments in --no-such 'argument' '--tap ta,mtu=20' '--tap ta,no=1' \
    '--ready-fd 77' '--tap ta --filter ta,in,f,10,drop' '--filter ta,in'; do
    status=0
    # shellcheck disable=SC2086
    "$vnet_switch" $arguments 2>"$work/err" || status=$?
    ((status == 2)) || fail "$arguments: ends with $status"
done
grep -q 'PORT,in|out' "$work/err" || fail "$(cat "$work/err")"
refuses 'mtu: found 20' --check "${ta[@]}" --tap tb,mtu=20
refuses 'given twice, by --tap' --check "${ta[@]}" "${ta[@]}"
"$vnet_switch" -h | grep -q 'vnet-switch' || fail "-h"

echo "- a file, and what is wrong with it"
conf() {
    cat >"$work/conf"
}
conf <<'END'
ports = (
  { type = "tap"; name = "ta"; netns = "a"; addresses = [ "10.0.0.1/24" ]; },
  { type = "tap"; name = "tb"; netns = "b"; mac = "02:00:00:00:00:02";
    addresses = [ "10.0.0.2/24" ]; }
);
END
"$vnet_switch" --check -c "$work/conf" || fail "is refused"
"$vnet_switch" --check -c "$work/conf" "${ta[@]}" 2>"$work/err" &&
    fail "a port twice"
grep -q "$work/conf.*--tap" "$work/err" || fail "$(cat "$work/err")"
"$vnet_switch" --check -c "$work/missing" 2>"$work/err" && fail "no file"
grep -q "missing" "$work/err" || fail "$(cat "$work/err")"
if left_behind; then
    fail "--check opens something"
fi

start -c "$work/conf" --stream "$work/vm"
control port add tap tc netns=c addresses=10.0.0.3/24
control filter add tb in of-control 5 pass arp
wait_for 5 answers a 10.0.0.3

# reload: until it is done. What is asked for after a signal is answered after
# it; the log leaves out what it has said often.
reload() {
    kill -HUP "$switch_pid"
    control show >/dev/null
}

echo "- the file is read again under load: no frame is lost"
unanswered=$(unanswered a)
in_host a ping -n -q -i 0.002 -c 1500 10.0.0.2 >"$work/ping" &
pinger=$!
frames=$(control --json stats ta | jq '.ports[0].in.frames')
for mtu in 1400 1300 1500; do
    conf <<END
ports = (
  { type = "tap"; name = "ta"; netns = "a"; addresses = [ "10.0.0.1/24" ]; },
  { type = "tap"; name = "tb"; netns = "b"; mac = "02:00:00:00:00:02";
    mtu = $mtu; weight = 3;
    addresses = [ "10.0.0.2/24", "10.0.1.$((mtu / 100))/24" ];
    filters = (
      { name = "f"; side = "in"; priority = $mtu; verdict = "pass";
        expr = "icmp"; } ); },
  { type = "tap"; name = "t$mtu"; netns = "c"; }
);
fdb = ( { mac = "02:00:00:00:01:00"; port = "t$mtu"; } );
END
    reload
    [[ $(ip -n b -j link show tb | jq '.[0].mtu') == "$mtu" ]] ||
        fail "the MTU is not $mtu"
    is '[.[] | select(.name == "f")][0] |
        .priority == '$mtu' and .side == "in"' filter show tb ||
        fail "the filter is not changed"
    is 'any(.[]; .name == "of-control")' filter show tb ||
        fail "what the control socket added is gone"
    is 'any(.[]; .static and .port == "t'$mtu'")' fdb show ||
        fail "no pinned address"
    is '[.[].name] | sort == ["t'$mtu'", "ta", "tb", "tc", "vm"]' port show ||
        fail "other ports: $(control --json port show)"
    sleep 0.2
done
ip -n b -j addr show tb |
    jq -e '[.[0].addr_info[] | select(.family == "inet") | .local] | sort ==
        ["10.0.0.2", "10.0.1.15"]' >/dev/null || fail "other addresses"
wait $pinger || fail "$(cat "$work/ping")"
wait_for 5 answered a "$unanswered"
(($(control --json stats ta | jq '.ports[0].in.frames') > frames + 1000)) ||
    fail "counters begin anew"

echo "- what it says no more has its default again"
mtu_of() {
    ip -n "$1" -j link show "$2" | jq '.[0].mtu'
}
mac_of() {
    ip -n "$1" -j link show "$2" | jq -r '.[0].address'
}
conf <<'END'
ports = (
  { type = "tap"; name = "ta"; netns = "a"; addresses = [ "10.0.0.1/24" ]; },
  { type = "tap"; name = "tb"; netns = "b"; mtu = 9000;
    mac = "0200.0000.0002"; addresses = [ "10.0.0.2/24" ]; }
);
END
reload
[[ $(mtu_of b tb) == 9000 && $(mac_of b tb) == 02:00:00:00:00:02 ]] ||
    fail "$(ip -n b link show tb)"
conf <<'END'
ports = (
  { type = "tap"; name = "ta"; netns = "a"; addresses = [ "10.0.0.1/24" ]; },
  { type = "tap"; name = "tb"; netns = "b"; addresses = [ "10.0.0.2/24" ]; }
);
END
reload
grep -q 'reload: port tb: .*mac.* changed' "$work/log" ||
    fail "$(cat "$work/log")"
[[ $(mtu_of b tb) == 1500 && $(mac_of b tb) != 02:00:00:00:00:02 ]] ||
    fail "$(ip -n b link show tb)"
ip -n a neigh flush dev ta
wait_for 5 answers a 10.0.0.2

echo "- what is set to nothing has its default again"
index=$(ip -n b -j link show tb | jq '.[0].ifindex')
control port set tb mtu=9000 weight=4
[[ $(mtu_of b tb) == 9000 ]] || fail "the MTU is not 9000"
control port set tb mtu= weight=
[[ $(mtu_of b tb) == 1500 ]] || fail "the MTU is not 1500"
is '.[0] | (has("mtu") or has("weight")) | not' port show tb ||
    fail "$(control --json port show tb)"
[[ $(ip -n b -j link show tb | jq '.[0].ifindex') == "$index" ]] ||
    fail "another interface"
if control port set tb mtu=65530 2>"$work/err"; then
    fail "a TAP with an MTU of 65530"
fi
grep -q '68 to 65521' "$work/err" || fail "$(cat "$work/err")"
grep -q 'info: control: port tb: set .*"weight":null' "$work/log" ||
    fail "$(cat "$work/log")"

control port set tb mac=02-00-00-00-00-02
ip -n a neigh flush dev ta
wait_for 5 answers a 10.0.0.2

echo "- a file that is wrong changes nothing"
before=$(control --json config show)
echo 'ports = ( { type = "tap"; mtu = 20; } );' >"$work/conf"
reload
[[ $(control --json config show) == "$before" ]] || fail "something changed"
grep -q "conf:1: ports\[0\].*" "$work/log" || fail "$(cat "$work/log")"
if control config reload 2>"$work/err"; then
    fail "vnetctl says nothing"
fi

echo "- a TAP that is deleted: shown, and opened again"
conf <<'END'
ports = (
  { type = "tap"; name = "ta"; netns = "a"; addresses = [ "10.0.0.1/24" ]; },
  { type = "tap"; name = "tb"; netns = "b"; mac = "02:00:00:00:00:02";
    addresses = [ "10.0.0.2/24" ]; }
);
END
reload
ip -n b link del tb
wait_for 5 is '.[0] | .error and .link == "down"' port show tb
reload
wait_for 5 answers a 10.0.0.2
is '.[0] | (has("error") | not) and .link == "up"' port show tb ||
    fail "$(control port show tb)"
ip -n b link del tb
wait_for 5 is '.[0].error' port show tb
control port set tb mtu=1400
wait_for 5 answers a 10.0.0.2

echo "- a port is made anew for what cannot be changed"
control port set tc netns=b interface=tc2
ip -n b link show tc2 >/dev/null || fail "tc is not in b"
if control port set tc netns=missing 2>"$work/err"; then
    fail "a port in no namespace"
fi
ip -n b link show tc2 >/dev/null || fail "tc has not come back"
control port set tc role=uplink
is '.[0] | .role == "uplink" and .link == "up"' port show tc ||
    fail "$(control port show tc)"

echo "- nothing is read again where there is no file"
end
start "${ta[@]}"
control port add tap tb netns=b
kill -HUP "$switch_pid"
wait_for 5 grep -q 'SIGHUP: there is no file' "$work/log"
if control config reload 2>"$work/err"; then
    fail "vnetctl says nothing"
fi
grep -q 'there is no file to read' "$work/err" || fail "$(cat "$work/err")"
is 'length == 2' port show || fail "a port has gone"

echo "- of a TAP that others have set up, what is not said is left"
is_up() {
    ip -n c -j link show tp | jq -e '.[0].flags | index("UP")' >/dev/null
}
ip -n c tuntap add tp mode tap
control port add tap tp netns=c mode=attach mtu=1400
control port set tp mtu=
[[ $(mtu_of c tp) == 1400 ]] || fail "the MTU is $(mtu_of c tp)"
is_up && fail "it is up"
control port set tp up
control port set tp up=
is_up || fail "it is down"
control port set tp up=false
is_up && fail "it is up"
control port del tp
ip -n c link del tp
grep -q 'info: control: port tp deleted' "$work/log" || fail "$(cat "$work/log")"

echo "- the sums agree in all that, and in the end"
is .balanced stats || fail "sums do not agree"
end
if left_behind; then
    fail "something is left behind"
fi
