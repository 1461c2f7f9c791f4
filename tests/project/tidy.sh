#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# clang-tidy finds nothing in what is shipped, with the checks of .clang-tidy.
# What is for GNU Mach needs its headers: tests/mach/tidy.sh.
set -euo pipefail

command -v clang-tidy-14 >/dev/null || {
    echo "skipped: no clang-tidy-14 (scripts/deps test gets it)"
    exit 77
}
find src examples/vnet* -name '*.c' -not -path '*/*mach/*' -print0 |
    xargs -0 -P 2 -I '{}' clang-tidy-14 --quiet --warnings-as-errors='*' \
        '{}' -- -std=c11 -D_GNU_SOURCE -Iinclude -Isrc/core \
        -Iexamples/vnet-switch \
        -DVNET_SWITCH_VERSION='""'
