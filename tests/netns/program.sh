# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What the tests of vnet-switch and vnetctl share. A test sources this behind
# lib.sh; the first arguments are the two programs.
vnet_switch=$1
vnetctl=$2
control_at=$work/control
need jq

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

answers() {
    in_host "$1" ping -n -q -c 1 -W 1 "$2" >/dev/null 2>&1
}

# unanswered HOST: how many of the pings that its stack has sent, IPv4 and IPv6.
# What ping itself says is not it: it waits for the last answer no longer than
# for others.
unanswered() {
    in_host "$1" cat /proc/net/snmp /proc/net/snmp6 | awk '
        $1 == "Icmp:" && !names { names = split($0, name) }
        $1 == "Icmp:" { for (i in name) value[name[i]] = $i }
        { value[$1] = $2 }
        END { print value["OutEchos"] - value["InEchoReps"] \
            + value["Icmp6OutEchos"] - value["Icmp6InEchoReplies"] }'
}

# answered HOST BEFORE: no more are unanswered than before.
answered() {
    (($(unanswered "$1") <= $2))
}

# know HOST INTERFACE [ADDRESS MAC]...: where others are, for good. Nothing is
# sent to find out.
know() {
    local name=$1 interface=$2
    shift 2
    while (($#)); do
        ip -n "$name" neigh replace "$1" lladdr "$2" nud permanent \
            dev "$interface"
        shift 2
    done
}
