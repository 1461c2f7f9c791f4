#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# core_cross.sh PRESET BUILD RECORDER: the test programs pass on another
# architecture, built there by the preset of that name, and what RECORDER
# records here is replayed there to the same octets.
set -euo pipefail

preset=$1
build=$2
recorder=$3

skip() {
    echo "skipped: $* (scripts/deps test gets it)"
    exit 77
}

case $preset in
i686) arch=i386 ;;
aarch64) arch=arm64 ;;
*) arch=$preset ;;
esac
command -v "$preset-linux-gnu-gcc" >/dev/null ||
    skip "no $preset-linux-gnu-gcc"
[[ $preset == i686 ]] || command -v "qemu-$preset" >/dev/null ||
    skip "no qemu-$preset"
[[ -d build/sysroot/$arch ]] || skip "no cmocka in build/sysroot/$arch"

mkdir -p "$build"
"$recorder" record "$build/replay.log"
cmake --preset "$preset" -B "$build" -DVNET_REPLAY_LOG="$build/replay.log"
cmake --build "$build"
ctest --test-dir "$build" --output-on-failure --no-tests=error -j 2
