# SPDX-License-Identifier: BSD-2-Clause
# CMocka::CMocka. The package's own files hold the prefix, which is wrong where
# it was extracted into a sysroot.
find_path(CMocka_INCLUDE_DIR cmocka.h)
find_library(CMocka_LIBRARY cmocka)
mark_as_advanced(CMocka_INCLUDE_DIR CMocka_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CMocka
  REQUIRED_VARS CMocka_LIBRARY CMocka_INCLUDE_DIR
  REASON_FAILURE_MESSAGE
    "The tests need it: scripts/deps test gets it, VNET_BUILD_TESTS=OFF does without.")

if(CMocka_FOUND AND NOT TARGET CMocka::CMocka)
  add_library(CMocka::CMocka UNKNOWN IMPORTED)
  set_target_properties(CMocka::CMocka PROPERTIES
    IMPORTED_LOCATION ${CMocka_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${CMocka_INCLUDE_DIR})
endif()
