#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# All C is as clang-format 14 would have it: other versions differ.
set -euo pipefail

command -v clang-format-14 >/dev/null || {
    echo "skipped: no clang-format-14 (scripts/deps test gets it)"
    exit 77
}
find include src tests examples bench -name '*.[ch]' -print0 |
    xargs -0 clang-format-14 --dry-run -Werror
