# SPDX-License-Identifier: BSD-2-Clause
# The whole server on a kernel that is part of the test, whose messages are those
# of i386. VNET_FAKED_SERVER says whether what it needs is there.
find_path(VNET_NATIVE_MACH_INCLUDE_DIR device/net_status.h
  PATHS ${PROJECT_SOURCE_DIR}/build/sysroot/gnumach/usr/include/i386-linux-gnu
  NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
find_program(VNET_NATIVE_MIG i686-gnu-mig
  PATHS ${PROJECT_SOURCE_DIR}/build/sysroot/gnumach/usr/bin
  NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
mark_as_advanced(VNET_NATIVE_MACH_INCLUDE_DIR VNET_NATIVE_MIG)
set(VNET_FAKED_SERVER OFF)
if(VNET_NATIVE_MACH_INCLUDE_DIR AND VNET_NATIVE_MIG)
  set(VNET_FAKED_SERVER ON)
endif()

# vnet_add_faked_server(NAME): objects of the server, of the fake kernel, and of
# what tests have around them. They are made for a machine of 32 bits.
function(vnet_add_faked_server name)
  set(mach ${PROJECT_SOURCE_DIR}/src/ports/mach)
  set(native ${PROJECT_SOURCE_DIR}/tests/mach/native)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/mig)
  set(MACH_INCLUDE_DIR ${VNET_NATIVE_MACH_INCLUDE_DIR})
  set(MIG ${VNET_NATIVE_MIG})
  include(${PROJECT_SOURCE_DIR}/cmake/mig.cmake)
  vnet_mig(${generated}/device_server SERVER device/device.defs
    -imacros ${mach}/mig-mutate.h)
  set_source_files_properties(${generated}/device_server.c PROPERTIES
    COMPILE_OPTIONS -w)
  get_target_property(pure vnet_mach_pure SOURCES)
  list(TRANSFORM pure PREPEND ${PROJECT_SOURCE_DIR}/)
  # All but what calls the kernel (sys.c, fault.c), and the programs' parts (proxy,
  # boot chain).
  add_library(${name} OBJECT
    ${pure}
    ${generated}/device_server.c
    ${mach}/control.c
    ${mach}/demux.c
    ${mach}/device.c
    ${mach}/errors.c
    ${mach}/facet.c
    ${mach}/facet_counters.c
    ${mach}/facet_filter.c
    ${mach}/facet_grant.c
    ${mach}/facet_read.c
    ${mach}/facet_write.c
    ${mach}/forward.c
    ${mach}/master.c
    ${mach}/msg.c
    ${mach}/names.c
    ${mach}/right.c
    ${mach}/server.c
    ${mach}/server_control.c
    ${mach}/uplink.c
    ${mach}/uplink_open.c
    ${mach}/uplink_receive.c
    ${mach}/uplink_write.c
    ${mach}/work.c
    ${mach}/writes.c
    ${native}/fake_kernel.c
    ${native}/fake_memory.c
    ${native}/fake_message.c
    ${native}/fake_port.c
    ${native}/rig.c)
  target_include_directories(${name}
    PUBLIC ${PROJECT_SOURCE_DIR}/include ${mach} ${native}
      ${PROJECT_SOURCE_DIR}/tests/support
    PRIVATE ${generated})
  # Behind the system's own headers.
  target_compile_options(${name} PUBLIC
    "SHELL:-idirafter ${VNET_NATIVE_MACH_INCLUDE_DIR}"
    "SHELL:-idirafter ${PROJECT_SOURCE_DIR}/examples/bare-mach/include")
endfunction()
