#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# demo-hosts.sh STEP...: the steps of scripts/demo, in namespaces that it has
# made. For each, a line "STEP true" or "STEP false" goes to descriptor 3.
#
#	ann [ann0]---+
#	bob [bob0]---vnet-switch
#	eve [eve0]---+
set -euo pipefail

hosts=(ann bob eve)
declare -A address4=([ann]=10.0.0.1 [bob]=10.0.0.2 [eve]=10.0.0.3)
declare -A address6=([ann]=fd00::1 [bob]=fd00::2 [eve]=fd00::3)
declare -A mac=([ann]=02:00:00:00:00:01 [bob]=02:00:00:00:00:02
    [eve]=02:00:00:00:00:03)

# Ends with the namespaces.
mount -t tmpfs tmpfs /run
mkdir /run/demo
socket=/run/demo/socket

show() {
    printf '$ %s\n' "$*"
}

# control ARGUMENT...: vnetctl, shown; ask: not shown.
ask() {
    vnetctl --socket "$socket" "$@"
}

control() {
    show vnetctl "$@"
    ask "$@"
}

on() {
    ip netns exec "$@"
}

fail() {
    echo "FAILED: $*"
    return 1
}

make_host() {
    ip netns add "$1"
    # Duplicate address detection takes a second, in which an address is of no
    # use.
    echo 0 | on "$1" tee /proc/sys/net/ipv6/conf/{all,default}/accept_dad \
        >/dev/null
    ip -n "$1" link set lo up
}

switch_pid=
start_switch() {
    local host line options=(--socket "$socket" --ready-fd 9)
    for host in "${hosts[@]}"; do
        options+=(--tap "${host}0,name=$host,netns=$host,mac=${mac[$host]},\
address=${address4[$host]}/24,address=${address6[$host]}/64")
    done
    line=${options[*]}
    show vnet-switch "${line// --tap/ $'\\\n'    --tap}"
    mkfifo /run/demo/ready
    vnet-switch "${options[@]}" 9>/run/demo/ready &
    switch_pid=$!
    read -r -t 20 line </run/demo/ready || line=
    [[ $line == ready ]] || fail "the switch does not start"
}

# ping_all FAMILY: from each host to each other one.
ping_all() {
    local from to
    local -n address=address$1
    for from in "${hosts[@]}"; do
        for to in "${hosts[@]}"; do
            [[ $from != "$to" ]] || continue
            show "$from: ping -q -c 3 -i 0.2 ${address[$to]}"
            on "$from" ping -n -q -c 3 -i 0.2 -W 2 "${address[$to]}" \
                >/run/demo/ping ||
                fail "no answer from $to"
            tail -n 2 /run/demo/ping
            grep -q ' 3 received' /run/demo/ping || fail "not all answered"
        done
    done
}

ping4() {
    ping_all 4
}

ping6() {
    ping_all 6
}

tcp() {
    local family server line
    for family in 4 6; do
        local -n address=address$family
        show "bob: iperf3 -s"
        mkfifo "/run/demo/iperf$family"
        on bob timeout 20 iperf3 -s -1 --forceflush \
            >"/run/demo/iperf$family" 2>&1 &
        exec {server}<"/run/demo/iperf$family"
        while read -r -t 10 line <&"$server"; do
            [[ $line != *listening* ]] || break
        done
        show "ann: iperf3 -c ${address[bob]} -t 2"
        on ann timeout 20 iperf3 -c "${address[bob]}" -t 2 >/run/demo/iperf ||
            fail "$(cat /run/demo/iperf)"
        grep -E 'sender|receiver' /run/demo/iperf
        grep -qE ' [1-9][0-9.]* [KMG]bits/sec .*receiver' /run/demo/iperf ||
            fail "nothing arrived"
        wait
        exec {server}<&-
    done
}

# dropped PORT: by the chain at its way in.
dropped() {
    ask --json stats "$1" |
        jq -e '.ports[0].drops.in.ingress_filter'
}

filter() {
    local before after
    before=$(dropped eve)
    control filter add eve in no-ping 10 drop 'icmp and dst host 10.0.0.2'
    show "eve: ping -c 5 -i 0.2 10.0.0.2"
    if on eve ping -n -q -c 5 -i 0.2 -W 1 10.0.0.2 >/run/demo/ping; then
        fail "bob still hears eve's pings"
    fi
    grep transmitted /run/demo/ping
    control filter show eve
    after=$(dropped eve)
    echo "eve's frames dropped by ingress_filter: $before before, $after now"
    ((after == before + 5)) || fail "that is not 5 more"

    echo "all other flows go on:"
    show "ann: ping -c 1 10.0.0.2; eve: ping -c 1 10.0.0.1, fd00::2"
    {
        on ann ping -n -q -c 1 -W 2 10.0.0.2
        on eve ping -n -q -c 1 -W 2 10.0.0.1
        on eve ping -n -q -c 1 -W 2 fd00::2
    } | grep transmitted
    control filter del eve in no-ping
    show "eve: ping -c 1 10.0.0.2"
    on eve ping -n -q -c 1 -W 2 10.0.0.2 | grep transmitted
}

capture() {
    local frames line n=0 echoes='icmp or ip6[40] == 128 or ip6[40] == 129'
    show "vnetctl capture bob -c 4 -w - '$echoes' | tcpdump -n -r -"
    mkfifo /run/demo/capture
    ask capture bob -c 4 -w - "$echoes" 2>/run/demo/captured |
        timeout 20 tcpdump -l -n -r - >/run/demo/capture 2>&1 &
    exec {frames}</run/demo/capture
    # As soon as it has the head of the file, the capture is running.
    while read -r -t 10 line <&"$frames"; do
        [[ $line != reading* ]] || break
    done
    on ann ping -n -q -c 1 -W 2 10.0.0.2 >/dev/null
    on eve ping -n -q -c 1 -W 2 fd00::2 >/dev/null
    while read -r -t 10 line <&"$frames"; do
        echo "$line"
        [[ $line != *"echo re"* ]] || n=$((n + 1))
    done
    exec {frames}<&-
    wait
    cat /run/demo/captured
    ((n == 4)) || fail "$n frames, not 4"
}

fdb() {
    local host
    control fdb show
    for host in "${hosts[@]}"; do
        ask --json fdb show |
            jq -e --arg mac "${mac[$host]}" --arg port "$host" \
                'any(.[]; .mac == $mac and .port == $port)' >/dev/null ||
            fail "${mac[$host]} is not at $host"
    done
}

balance() {
    control stats
    ask --json stats >/run/demo/stats
    echo
    echo "Frames in = dropped in + looked up;"
    echo "frames out + segments = delivered + queued + dropped out:"
    jq -r '(.ports[], (.totals | .name = "all")) |
        ((.in, .out) |= with_entries(
            if .value | type == "object" then .value |= .frames else . end)) |
        "\(.name)\t\(.in.frames) = \(.in.dropped) + \(.in.looked_up)" +
        "\t\(.out.frames) + \(.out.segments) = \(.out.delivered)" +
        " + \(.queue.frames) + \(.out.dropped)"' /run/demo/stats |
        expand -t 8,40
    jq -r '.totals |
        "Over all ports, copies = out: \(.in.copies.frames) = \(.out.frames)"' \
        /run/demo/stats
    jq -e 'def agree: . as $p | all("frames", "octets"; . as $unit | $p |
            .in[$unit] == .in.dropped[$unit] + .in.looked_up[$unit] and
            .out[$unit] + .out.segments[$unit] == .out.delivered[$unit] +
                .queue[$unit] + .out.dropped[$unit]);
        .balanced and (.ports | length == 3) and
        all(.ports[], .totals; agree) and
        .totals.in.copies.frames == .totals.out.frames' /run/demo/stats \
        >/dev/null || fail "the sums do not agree"
}

switch_status=
end_switch() {
    show "kill $switch_pid"
    switch_status=0
    kill "$switch_pid" && wait "$switch_pid" || switch_status=$?
    # What else was started ends by itself.
    wait
}

cleanup() {
    local host process
    echo "vnet-switch exits with ${switch_status:-nothing}"
    [[ $switch_status == 0 ]] || fail "that is not 0"
    for host in "${hosts[@]}"; do
        if ip -n "$host" link show "${host}0" >/dev/null 2>&1; then
            fail "${host}0 is still there"
        fi
        ip netns del "$host"
    done
    [[ ! -e $socket ]] || fail "the socket is still there"
    for process in /proc/[0-9]*; do
        process=${process#/proc/}
        ((process == $$ || process == BASHPID)) ||
            fail "process $process is still there"
    done
    echo "TAPs, socket, hosts and processes are gone"
}

declare -A says=(
    [ping4]="every host reaches every other one, IPv4"
    [ping6]="every host reaches every other one, IPv6"
    [tcp]="a TCP transfer from ann to bob, IPv4 and IPv6"
    [filter]="a filter, added while it runs, stops eve's pings to bob and nothing else"
    [capture]="what crosses bob's port, as tcpdump reads it"
    [fdb]="what the switch has learned"
    [balance]="no frame is lost without being counted"
    [cleanup]="nothing is left"
)

# A step runs in a shell of its own, which ends where something fails.
ok=true
take_step() {
    local status
    printf '\n== %s: %s\n' "$1" "${says[$1]}"
    set +e
    (
        # shellcheck disable=SC2046 # a word for each
        trap 'kill $(jobs -p) 2>/dev/null || :; wait' EXIT
        set -e
        "$1"
    )
    status=$?
    set -e
    if ((status == 0)); then
        echo "$1 true" >&3
    else
        ok=false
        echo "$1 false" >&3
    fi
}

echo
echo "== three hosts on a switch"
for host in "${hosts[@]}"; do
    make_host "$host"
done
start_switch
for name in "$@"; do
    [[ $name != cleanup ]] || end_switch
    take_step "$name"
done
$ok
