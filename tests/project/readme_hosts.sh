#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# readme_hosts.sh BUILD: the commands in README.md, the blocks marked sh, work,
# with the programs that are built in BUILD.
# shellcheck source=../netns/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"
need ping jq

# For root it is /run anyway.
export XDG_RUNTIME_DIR=/run
PATH=$1/examples/vnet-switch:$1/examples/vnetctl:$1/examples:$PATH
ip link set lo up

is_up() {
    vnetctl show >/dev/null 2>&1
}

# The first block builds, installs (not here), and starts the switch; the next
# ones are typed when it is there.
awk -v work="$work" '/^```/ { inside = $0 == "```sh"; n += inside; next }
    inside && !/^(cmake|ldconfig)/ { print >(work "/block" n) }' README.md
[[ -s $work/block1 && -s $work/block6 ]] || fail "README.md has lost a block"
for ((n = 1; ; n++)); do
    [[ -s $work/block$n ]] || break
    set -x
    # shellcheck disable=SC1090
    . "$work/block$n"
    { set +x; } 2>/dev/null
    ((n > 1)) || wait_for 10 is_up
done
wait
if is_up; then
    fail "the switch is still there"
fi
