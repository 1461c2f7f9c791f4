# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What the tests share in which users without privileges run programs. A test
# sources this behind program.sh. Where the test itself is run by an ordinary
# user, that is the user, and there is no other one.
need setpriv

# Ids that nobody has.
if ((EUID == 0)); then
    user=61234
    other=61235
else
    user=$EUID
    other=
fi

# as UID COMMAND...: without a capability, and without the environment's idea of
# where sockets are.
as() {
    local id=$1
    shift
    local to=(--ambient-caps=-all --inh-caps=-all)
    if ((EUID == 0)); then
        to=(--reuid "$id" --regid "$id" --clear-groups)
    fi
    setpriv "${to[@]}" --no-new-privs env -u XDG_RUNTIME_DIR "$@"
}

# In our mount namespace, and nowhere else: the programs where all may read them,
# and a device that all may open.
rm -rf "$work"
work=/run/test
control_at=$work/control
mkdir -m 755 $work
cp "$vnet_switch" $work/vnet-switch
cp "$vnetctl" $work/vnetctl
vnet_switch=$work/vnet-switch
vnetctl=$work/vnetctl
if ((EUID == 0)); then
    mknod -m 666 $work/tun c 10 200
    mount --bind $work/tun /dev/net/tun
fi

# begin NAME UID COMMAND...: a program of that user, until it says on standard
# output that it is ready. It is process ${pids[NAME]}, and job ${jobs[NAME]}.
declare -A pids=() jobs=()
begin() {
    local name=$1 line
    mkfifo $work/says
    # shellcheck disable=SC2016
    as "$2" sh -c 'echo $$ && exec "$@"' sh "${@:3}" \
        >$work/says 2>$work/"$name.err" &
    jobs[$name]=$!
    exec 8<$work/says
    rm $work/says
    read -r "pids[$name]" <&8
    read -r line <&8 || fail "$name: $(cat $work/"$name.err")"
    exec 8<&-
    [[ $line == ready ]] || fail "$name says: $line"
}

# begin_host NAME UID COMMAND...: likewise, in a network namespace of their own,
# which is a host of that name from then on. With accept_dad=1 its addresses are
# looked for before they are used, which takes a second.
begin_host() {
    # shellcheck disable=SC2016
    begin "$1" "$2" unshare -Urn sh -c '
        for conf in all default; do
            echo "$0" >/proc/sys/net/ipv6/conf/$conf/accept_dad
        done
        exec "$@"' "${accept_dad:-0}" "${@:3}"
    ip netns attach "$1" "${pids[$1]}"
    ip -n "$1" link set lo up
}

# finish NAME: with a clean end.
finish() {
    kill "${pids[$1]}"
    wait "${jobs[$1]}" || fail "$1 ends with $?: $(cat $work/"$1.err")"
}
