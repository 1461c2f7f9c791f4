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
vnet_switch=$1
vnetctl=$2
need ping jq
host a b c
control_at=$work/control
ta=(--tap "ta,netns=a,address=10.0.0.1/24")
tb=(--tap "tb,netns=b,address=10.0.0.2/24")
tc=(--tap "tc,netns=c,address=10.0.0.3/24")

control() {
    "$vnetctl" --socket "$control_at" "$@"
}

# is JQ-FILTER VNETCTL-ARGUMENT...
is() {
    local filter=$1
    shift
    control --json "$@" | jq -e "$filter" >/dev/null
}

# start ARGUMENT...: until it is ready.
start() {
    local line
    mkfifo "$work/ready"
    "$vnet_switch" --socket "$control_at" --ready-fd 9 "$@" \
        2>>"$work/log" 9>"$work/ready" &
    switch_pid=$!
    read -r line <"$work/ready" || fail "no start: $(cat "$work/log")"
    [[ $line == ready ]] || fail "it says: $line"
    rm "$work/ready"
}

# A clean end, by SIGTERM.
end() {
    kill "$switch_pid"
    wait "$switch_pid" || fail "ends with $?: $(cat "$work/log")"
    [[ ! -e $control_at ]] || fail "the control socket is left"
}

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

answers() {
    in_host "$1" ping -n -q -c 1 -W 1 "$2" >/dev/null 2>&1
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
refuses 'namespace' "${ta[@]}" --stream "$work/vm" --tap t,netns=missing
refuses 'no TAP' "${ta[@]}" --tap missing,mode=attach
refuses 'listen\|such file' "${ta[@]}" --stream "$work/missing/vm"
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
    '--ready-fd 77' '--filter ta,in'; do
    status=0
    # shellcheck disable=SC2086
    "$vnet_switch" $arguments 2>"$work/err" || status=$?
    ((status == 2)) || fail "$arguments: ends with $status"
done
grep -q 'PORT,in|out' "$work/err" || fail "$(cat "$work/err")"

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

# reload: wait until it is done.
reload() {
    local before
    before=$(grep -c ': reload' "$work/log" || :)
    kill -HUP "$switch_pid"
    wait_for 5 eval "((\$(grep -c ': reload' '$work/log') > $before))"
}

echo "- the file is read again under load: no frame is lost"
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
grep -q ' 0% packet loss' "$work/ping" || fail "$(cat "$work/ping")"
(($(control --json stats ta | jq '.ports[0].in.frames') > frames + 1000)) ||
    fail "counters begin anew"

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

echo "- the sums agree in all that, and in the end"
is .balanced stats || fail "sums do not agree"
end
if left_behind; then
    fail "something is left behind"
fi
