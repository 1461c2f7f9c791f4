# SPDX-License-Identifier: BSD-2-Clause
# An x86-64 machine runs the programs itself.
set(CMAKE_SYSTEM_PROCESSOR i686)
set(triplet i686-linux-gnu)
set(multiarch i386-linux-gnu)
set(arch i386)
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
