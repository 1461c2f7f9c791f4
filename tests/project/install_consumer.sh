#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# install_consumer.sh c|cxx BUILD WORK: what is installed from BUILD serves a
# program that is built elsewhere, with CMake and with pkg-config, with the
# shared and with the static library, from wherever it has been moved to.
set -euo pipefail

language=$1
build=$2
work=$3
headers=$PWD/include/vnet
source=$PWD/tests/project/install

case $language in
c) compiler=$(command -v cc) options=(-x c -std=c11) ;;
cxx) compiler=$(command -v c++) options=(-x c++ -std=c++11) ;;
esac || {
    echo "skipped: no compiler for $language (scripts/deps test gets it)"
    exit 77
}
options+=(-Wall -Wextra -Wpedantic -Werror)

rm -rf "$work"
mkdir -p "$work"
cmake --install "$build" --prefix "$work/first" >"$work/log"
prefix="$work/moved to"
mv "$work/first" "$prefix"

cd "$work"
if grep -rIlF -e "$build" -e "$work/first" "$prefix"; then
    echo "these hold a path of the build"
    exit 1
fi

# The headers of a driver are there if it is.
hosted=()
if [[ -z $(find "$prefix" -name 'libvnet-tap.so') ]]; then
    hosted=(-I attach.h -I medium.h -I stream.h -I tap.h -I uplink.h)
fi
# Those of Mach are where it is.
hosted+=(--ignore 'mach*.h')
diff <(ls "${hosted[@]}" "$headers") <(ls "$prefix/include/vnet")
for header in "$prefix"/include/vnet/*.h; do
    header=vnet/${header##*/}
    echo "alone: $header"
    echo "#include <$header>" |
        "$compiler" "${options[@]}" -I "$prefix/include" -fsyntax-only -
done

run() {
    echo "run: $1"
    [[ $("$1") == "2 frames" ]]
}

is_shared() {
    readelf -d "$1" | grep 'NEEDED.*\[libvnet\.so\.0\]'
}

cmake -G Ninja -S "$source" -B cmake -DLANGUAGE="${language^^}" \
    -DCMAKE_"${language^^}"_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$prefix"
cmake --build cmake
is_shared cmake/shared
run cmake/shared
run cmake/static

libdir=$(dirname "$(find "$prefix" -name libvnet.so)")
export PKG_CONFIG_PATH=$libdir/pkgconfig
# What pkg-config says is quoted for a shell.
build_with_pkgconfig() {
    local flags
    flags=$(pkg-config --cflags --libs "${@:2}" libvnet)
    eval "\"\$compiler\" \"\${options[@]}\" -o $1 \"\$source/consumer.c\" $flags"
}
build_with_pkgconfig shared
is_shared ./shared
LD_LIBRARY_PATH=$libdir run ./shared
options+=(-static)
build_with_pkgconfig static --static
run ./static
