#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# clang-tidy finds nothing in what is shipped for GNU Mach, with the checks of
# .clang-tidy, but one: Mach's addresses are integers.
#
#	tidy.sh BUILD-DIRECTORY
set -euo pipefail

command -v clang-tidy-14 >/dev/null || {
    echo "skipped: no clang-tidy-14 (scripts/deps test gets it)"
    exit 77
}
commands=$1/compile_commands.json
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT

# An option that only gcc has; and below, what its headers take for granted.
sed 's/ -fno-tree-loop-distribute-patterns//' "$commands" \
    >"$dir/compile_commands.json"
mapfile -t files < <(
    sed -n 's/^ *"file": "\(.*\.c\)",*$/\1/p' "$commands" |
        grep -F -e "$PWD/src/ports/mach/" -e "$PWD/examples/" | sort -u
)
((${#files[@]} > 0))
printf '%s\0' "${files[@]}" | xargs -0 -P 2 -I '{}' \
    clang-tidy-14 --quiet --warnings-as-errors='*' \
    --extra-arg='-D__UINT32_C(c)=c##U' \
    --extra-arg='-D__UINT64_C(c)=c##ULL' \
    --checks=-performance-no-int-to-ptr -p "$dir" '{}'
