# SPDX-License-Identifier: BSD-2-Clause
# The messages of GNU Mach are fuzzed in programs of 32 bits, whatever the rest is
# built for. mach_server is tests/mach/native/test_server.c under the sanitizers,
# mach_control_device likewise.
include(${PROJECT_SOURCE_DIR}/tests/mach/native/server.cmake)

set(i386 ${PROJECT_SOURCE_DIR}/build/sysroot/i386/usr)
find_library(VNET_I386_CMOCKA cmocka
  PATHS ${i386}/lib/i386-linux-gnu NO_DEFAULT_PATH)
# Its development package would replace that of this machine.
find_file(VNET_I386_STDCXX libstdc++.so.6
  PATHS /usr/lib32 /usr/i686-linux-gnu/lib NO_DEFAULT_PATH)
mark_as_advanced(VNET_I386_CMOCKA VNET_I386_STDCXX)
if(NOT VNET_FAKED_SERVER OR NOT VNET_I386_CMOCKA OR NOT VNET_I386_STDCXX)
  foreach(name fuzz_mach mach_control_device mach_server)
    add_test(NAME ${name} COMMAND sh -c
      "echo 'skipped: no GNU Mach, or no cmocka or libstdc++ of i386 \
(scripts/deps test gets them)'; exit 77")
    vnet_set_test(${name})
  endforeach()
  return()
endif()

set(libraries ${CMAKE_CURRENT_BINARY_DIR}/lib32)
file(MAKE_DIRECTORY ${libraries})
file(CREATE_LINK ${VNET_I386_STDCXX} ${libraries}/libstdc++.so SYMBOLIC)

set(core)
foreach(target vnet_core vnet_drivers)
  get_target_property(sources ${target} SOURCES)
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/)
  list(APPEND core ${sources})
endforeach()
vnet_add_faked_server(vnet_fuzz_mach)
target_sources(vnet_fuzz_mach PRIVATE ${core}
  ${PROJECT_SOURCE_DIR}/tests/support/support.c)
target_include_directories(vnet_fuzz_mach
  PRIVATE ${PROJECT_SOURCE_DIR}/src/core)
target_include_directories(vnet_fuzz_mach SYSTEM PUBLIC ${i386}/include)
target_compile_options(vnet_fuzz_mach PUBLIC --target=i686-linux-gnu)
target_link_options(vnet_fuzz_mach PUBLIC
  --target=i686-linux-gnu -L${libraries})
target_link_libraries(vnet_fuzz_mach PUBLIC ${VNET_I386_CMOCKA})

add_executable(fuzz_mach fuzz_mach.c)
target_link_libraries(fuzz_mach PRIVATE vnet_fuzz_mach)
target_link_options(fuzz_mach PRIVATE -fsanitize=fuzzer)
vnet_run_fuzzer(mach)

foreach(name control_device server)
  add_executable(mach_${name} ../mach/native/test_${name}.c)
  target_link_libraries(mach_${name} PRIVATE vnet_fuzz_mach)
  add_test(NAME mach_${name} COMMAND mach_${name})
  vnet_set_test(mach_${name})
endforeach()
