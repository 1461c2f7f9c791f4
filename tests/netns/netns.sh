#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs test_netns in a namespace, beside another named one.
#
# Usage: netns.sh TEST_NETNS
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ip netns add other
"$1"
