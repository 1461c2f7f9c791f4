# SPDX-License-Identifier: BSD-2-Clause
# Tasks of GNU Mach without the Hurd: Debian's cross compiler for 32 bits, what
# scripts/deps extracted of GNU Mach, and in the place of a C library
# examples/bare-mach.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_C_COMPILER i686-linux-gnu-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

cmake_path(SET sysroot NORMALIZE
  ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot/gnumach)
set(CMAKE_FIND_ROOT_PATH ${sysroot})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_PROGRAM_PATH /usr/bin)
set(CMAKE_INCLUDE_PATH /usr/include/i386-linux-gnu)

cmake_path(SET c_library NORMALIZE
  ${CMAKE_CURRENT_LIST_DIR}/../examples/bare-mach)
execute_process(
  COMMAND ${CMAKE_C_COMPILER} -print-file-name=include
  OUTPUT_VARIABLE compiler_headers
  OUTPUT_STRIP_TRAILING_WHITESPACE)
string(JOIN " " CMAKE_C_FLAGS_INIT
  -march=i486
  -ffreestanding
  -fno-stack-protector # whose canary the C library sets up
  -fno-pic -fno-pie
  -fno-asynchronous-unwind-tables
  -fcf-protection=none
  -ffunction-sections -fdata-sections
  -nostdinc -isystem ${compiler_headers}
  -isystem ${c_library}/include
  -isystem ${sysroot}/usr/include/i386-linux-gnu)
string(JOIN " " CMAKE_EXE_LINKER_FLAGS_INIT
  -static -nostdlib -no-pie
  -Wl,--gc-sections # most of MIG's stubs, of which a file has a hundred
  -Wl,-z,noexecstack
  -Wl,-z,max-page-size=4096
  -Wl,--build-id=none)
# Division of 64-bit numbers.
set(CMAKE_C_STANDARD_LIBRARIES_INIT -lgcc)
