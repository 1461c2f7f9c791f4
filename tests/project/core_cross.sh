#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# core_cross.sh PRESET BUILD: the test programs pass on another architecture,
# built there by the preset of that name.
set -euo pipefail

preset=$1
build=$2

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

cmake --preset "$preset" -B "$build"
cmake --build "$build"
ctest --test-dir "$build" --output-on-failure --no-tests=error -j 2
