#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# All shell scripts pass shellcheck and may be run.
set -euo pipefail

command -v shellcheck >/dev/null || {
    echo "skipped: no shellcheck (scripts/deps test gets it)"
    exit 77
}
mapfile -d '' files < <(
    grep -rlZ --exclude-dir=corpus -e '^#!/usr/bin/env bash' .ci scripts tests
)
((${#files[@]} > 0))
shellcheck --external-sources --source-path=SCRIPTDIR "${files[@]}"
for file in "${files[@]}"; do
    [[ -x $file ]] || {
        echo "$file: may not be run"
        exit 1
    }
done
