# SPDX-License-Identifier: BSD-2-Clause
# Debian's cross compiler for ${triplet}, with what scripts/deps extracted for
# the Debian architecture ${arch}; included by the toolchain files beside.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${triplet}-gcc)

cmake_path(SET sysroot NORMALIZE
  ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot/${arch})
set(CMAKE_FIND_ROOT_PATH ${sysroot})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_LIBRARY_PATH /usr/lib/${multiarch})
