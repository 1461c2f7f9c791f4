# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What the tests in namespaces share. A test sources this first, with its own
# arguments: the program netns_loop, and what else it takes. From then on it
# runs inside user (unless it is root), mount, pid and network namespaces of
# its own: what it leaves behind, ends with it.
set -euo pipefail
# What tests share in Python leaves nothing behind in the sources.
export PYTHONDONTWRITEBYTECODE=1

skip() {
    echo "skipped: $*"
    exit 77
}

fail() {
    echo "FAILED: $*"
    exit 1
}

# need TOOL...: what the test runs. ip and ethtool may be out of the PATH of an
# ordinary user.
PATH=$PATH:/usr/sbin:/sbin
need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null ||
            skip "no $tool (scripts/deps test gets it)"
    done
}

need ip unshare mount timeout
if [[ -z ${VNET_NETNS:-} ]]; then
    [[ -r /dev/net/tun && -w /dev/net/tun ]] ||
        skip "/dev/net/tun is not there, or not for this user"
    enter=(unshare -nmpf --mount-proc --kill-child)
    if ((EUID != 0)); then
        enter=(unshare -Unmpf --mount-proc --kill-child --map-user=1000
            --map-group=1000 --keep-caps)
    fi
    "${enter[@]}" true 2>/dev/null ||
        skip "cannot make namespaces: ${enter[*]}"
    # A test that hangs ends with its namespaces. Some may take longer.
    VNET_NETNS=1 exec timeout -k 5 "${VNET_NETNS_S:-100}" "${enter[@]}" "$0" "$@"
fi
mount -t tmpfs tmpfs /run
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

loop=$1
loop_pid=

# host NAME...: namespaces with addresses that are usable at once.
host() {
    local name
    for name in "$@"; do
        ip netns add "$name"
        # Duplicate address detection takes a second.
        in_host "$name" bash -c '
            for conf in all default; do
                echo 0 >/proc/sys/net/ipv6/conf/$conf/accept_dad
            done'
        ip -n "$name" link set lo up
    done
}

in_host() {
    ip netns exec "$@"
}

# switch ARGUMENT...: start netns_loop, and wait until its ports are open.
switch() {
    local line
    mkfifo "$work/ready"
    : >"$work/out"
    "$loop" --ready-fd 9 "$@" >>"$work/out" 9>"$work/ready" &
    loop_pid=$!
    read -r line <"$work/ready" || fail "the switch does not start"
    [[ $line == ready ]] || fail "the switch says: $line"
    rm "$work/ready"
}

# End the switch: it must be there, and its sums agree.
switch_end() {
    kill "$loop_pid"
    wait "$loop_pid" || fail "the switch ends with $?"
    loop_pid=
    cat "$work/out"
    grep -qx 'balanced yes' "$work/out" || fail "sums do not agree"
}

# wait_for SECONDS COMMAND...: until it is true; fails when it is not in time.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || fail "not in time: $*"
        sleep 0.02
    done
}

event() {
    grep -qx "event $*" "$work/out"
}

# lost COUNT PORT: its link has gone down that often, by itself or, if it was
# deleted, because a send noticed first.
lost() {
    (($(grep -cxE "event (link_down|driver_error) $2" "$work/out") >= $1))
}

# counter PORT NAME: as it is now.
counter() {
    local before after
    before=$(grep -c "^port $1 " "$work/out" || true)
    after=$before
    kill -USR1 "$loop_pid"
    while ((after == before)); do
        sleep 0.01
        after=$(grep -c "^port $1 " "$work/out" || true)
    done
    grep "^port $1 " "$work/out" | tail -n 1 |
        awk -v name="$2" '{ for (i = 3; i < NF; i += 2)
            if ($i == name) { print $(i + 1); found = 1 } }
            END { if (!found) print 0 }'
}

# checksum_errors HOST: what its stack has refused.
checksum_errors() {
    in_host "$1" awk '
        /^(Tcp|Udp):/ { if (names[$1]) { split(names[$1], name)
            for (i in name) if (name[i] == "InCsumErrors") sum += $i }
            else names[$1] = $0 }
        END { print sum + 0 }' /proc/net/snmp
}
