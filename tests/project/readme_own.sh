#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# readme_own.sh VNET_SWITCH VNETCTL: the section of README.md on switches of
# users' own, the blocks marked bash, works: the second as Ann, who is nobody
# otherwise, and the others as root.
# shellcheck source=../netns/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"
# shellcheck source=../netns/program.sh
. "$(dirname "${BASH_SOURCE[0]}")/../netns/program.sh"
need ping
((EUID == 0)) || skip "several users take root"
readme=$PWD/README.md
# shellcheck source=../netns/users.sh
. "$(dirname "${BASH_SOURCE[0]}")/../netns/users.sh"

echo "ann:x:$user:$user::/:/bin/bash" | cat /etc/passwd - >$work/passwd
mount --bind $work/passwd /etc/passwd
PATH=$work:$PATH
cd $work
mkdir -m 700 ann
chown "$user" ann
awk '/^```/ { inside = $0 == "```bash"; n += inside; next }
    inside { print >("block" n) }' "$readme"
[[ -s block1 && -s block2 && -s block3 ]] || fail "README.md has lost a block"
is_up() {
    vnetctl show >/dev/null 2>&1
}
set -x
# shellcheck disable=SC1091
. ./block1
{ set +x; } 2>/dev/null
wait_for 10 is_up
# What is typed into the shell that unshare starts.
{
    echo 'set -eux'
    tail -n +2 block2
    echo 'kill $! && wait $!'
} >typed
# shellcheck disable=SC2046
as "$user" env XDG_RUNTIME_DIR="$work/ann" timeout 20 $(head -n 1 block2) bash typed \
    >said 2>&1 || fail "$(cat said)"
cat said
grep -qx refused said || fail "an address that is not Ann's is not refused"
set -x
# shellcheck disable=SC1091
. ./block3 | tee said
{ set +x; } 2>/dev/null
grep -q ann said || fail "no grant is shown"
wait
