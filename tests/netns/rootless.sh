#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A user without privileges runs switches: one that attaches to a TAP that was
# made for them, one in a user namespace of their own, joined by a stream; and
# another user reaches none of it.
#
#	(test) [kept]---vnet-switch---[s]~~~~[s]---vnet-switch---[b0] (user's)
#
# Where the test itself is run by an ordinary user, that is the user, and there
# is no other one: some of it is left out.
#
# Usage: rootless.sh VNET_SWITCH VNETCTL
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
# shellcheck source=users.sh
. "$(dirname "${BASH_SOURCE[0]}")/users.sh"
need ping nsenter

# Folders where a socket may be: an empty /tmp, one of the user, and one where
# anybody may make files.
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -m 700 $work/home
mkdir -m 1777 $work/open
((EUID != 0)) || chown $user:$user $work/home
home=$work/home
ip link set lo up

# run NAME COMMAND...: a switch, until it is ready.
run() {
    local name=$1 line
    shift
    mkfifo $work/ready
    "$@" --ready-fd 9 2>$work/"$name.log" 9>$work/ready &
    runs[$name]=$!
    read -r line <$work/ready || fail "$name: $(cat $work/"$name.log")"
    rm $work/ready
}
declare -A runs=()

# quit NAME VNETCTL...: with a clean end.
quit() {
    local name=$1
    shift
    kill "$("$@" --json show | jq .pid)"
    wait "${runs[$name]}" || fail "$name ends with $?"
}

# refuses MESSAGE COMMAND...: in a line, and with status 1.
refuses() {
    local message=$1 status=0
    shift
    "$@" 2>$work/err || status=$?
    ((status == 1)) || fail "ends with $status: $*: $(cat $work/err)"
    grep -q "$message" $work/err || fail "$*: $(cat $work/err)"
}

reaches() {
    ping -n -q -c 1 -W 1 "$1" >/dev/null 2>&1
}

echo "- a TAP is made for the user"
start --tap "kept,persist,owner=$user,address=10.0.0.1/24,address=fd00::1/64"
refuses 'busy' as $user "$vnet_switch" --tap kept,mode=attach
end
ip link show kept >/dev/null || fail "it has not stayed"

echo "- the user attaches to it, without a capability"
mine() {
    as $user "$vnetctl" "$@"
}
refuses 'nobody listens' mine show
run mine as $user "$vnet_switch" --tap kept,mode=attach --stream $home/s
grep -qE '^CapEff:\s0+$' "/proc/$(mine --json show | jq .pid)/status" ||
    fail "it has capabilities"
[[ $(stat -c '%a %u' /tmp/vnet-switch-$user) == "700 $user" ]] ||
    fail "$(stat /tmp/vnet-switch-$user)"
as $user unshare -Ur "$vnetctl" --json show >/dev/null ||
    fail "the user's root, in a namespace of theirs, looks elsewhere"
mine --json port show | jq -e 'all(.[]; .error | not) and length == 2' \
    >/dev/null || fail "$(mine port show)"
refuses 'not permitted' mine port add tap another
mine --json port show | jq -e 'length == 2' >/dev/null ||
    fail "$(mine port show)"

echo "- one in a user namespace, at the other end of a stream"
# As in vnet-switch(8). Root is who may be there; vnetctl is in another one.
own() {
    as $user env XDG_RUNTIME_DIR=$home "$@"
}
theirs() {
    own unshare -Ur "$vnetctl" "$@"
}
run theirs own unshare -Urnm "$vnet_switch" \
    --tap b0,address=10.0.0.2/24,address=fd00::2/64 \
    --stream "$home/s,mode=connect"
wait_for 10 reaches 10.0.0.2
wait_for 10 reaches fd00::2
mine --json port show s | jq -e '.[0].link == "up"' >/dev/null ||
    fail "$(mine port show)"
if ((EUID == 0)); then
    own "$vnetctl" show >/dev/null || fail "not where the user looks"
fi
theirs port add tap b1 address=10.0.0.3/24
wait_for 10 reaches 10.0.0.3
theirs filter add b0 in no-ping 10 drop icmp
if reaches 10.0.0.2; then
    fail "the filter does not filter"
fi
for who in mine theirs; do
    $who --json stats | jq -e .balanced >/dev/null ||
        fail "$who: sums do not agree"
done

if [[ $other ]]; then
    echo "- another user reaches none of it"
    refuses 'nobody listens' as $other "$vnetctl" show
    refuses 'permission denied: it is for the user' \
        as $other "$vnetctl" -s /tmp/vnet-switch-$user/vnet-switch.sock show
    run open as $user "$vnet_switch" --socket $work/open/control \
        --stream $work/open/vm
    refuses 'permission denied: it is for the user' \
        as $other "$vnetctl" -s $work/open/control show
    refuses 'Permission denied' \
        as $other "$vnet_switch" --stream $work/open/vm,mode=connect
    refuses 'control: ' \
        as $other "$vnet_switch" --socket $work/open/control
    as $user "$vnetctl" -s $work/open/control show >/dev/null ||
        fail "it has gone"
    quit open as $user "$vnetctl" -s $work/open/control
fi

quit theirs theirs
wait_for 5 eval 'mine --json port show s | jq -e ".[0].link == \"down\"" \
    >/dev/null'
quit mine mine
ip link show kept >/dev/null || fail "the TAP has gone"
if [[ $other ]]; then
    refuses 'not permitted' as $other "$vnet_switch" --tap kept,mode=attach
fi

echo "- a folder that is not the user's alone is not used"
folder=/tmp/vnet-switch-$user
unused() {
    refuses "expected a folder of user $user" \
        as $user "$vnet_switch" --stream $home/s
    refuses "expected a folder of user $user" mine show
    rm -rf $folder
}
as $user chmod 755 $folder
unused
ln -s $home $folder
unused
if [[ $other ]]; then
    as $other mkdir -m 700 $folder
    unused
fi
refuses "$home/missing" as $user env XDG_RUNTIME_DIR=$home/missing \
    "$vnet_switch" --stream $home/s
[[ ! -e $home/s ]] || fail "a socket is left"

echo "- hosts of the user's own"
mkdir -p /run/netns
# shellcheck disable=SC2016
as $user unshare -Urnmpf --mount-proc --kill-child bash -euc '
    mount -t tmpfs tmpfs /run/netns
    for host in a b; do
        ip netns add $host
        ip -n $host link set lo up
    done
    mkfifo "$3/ready"
    "$1" --socket "$3/all" --tap ta,netns=a,address=10.0.0.1/24 \
        --tap tb,netns=b,address=10.0.0.2/24 --ready-fd 9 9>"$3/ready" &
    read -r line <"$3/ready"
    ip netns exec a ping -n -q -c 1 -W 5 10.0.0.2
    "$2" -s "$3/all" port add tap tc netns=b address=10.0.1.2/24
    "$2" -s "$3/all" port show
    kill $!
    wait $!
' bash "$vnet_switch" "$vnetctl" $home >$work/out 2>&1 ||
    fail "$(cat $work/out)"
grep -q 'tc' $work/out || fail "$(cat $work/out)"
