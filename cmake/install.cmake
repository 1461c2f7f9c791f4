# SPDX-License-Identifier: BSD-2-Clause
# Libraries and headers, the CMake package, libvnet.pc, manual pages and
# examples. Nothing that is installed holds the prefix: it may be moved.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vnet)

set(libraries vnet vnet_static)
set(pc_files libvnet)
if(VNET_TAP)
  list(APPEND libraries vnet_tap vnet_tap_static)
  list(APPEND pc_files libvnet-tap)
endif()
if(VNET_MACH)
  list(APPEND libraries vnet_mach)
endif()

install(TARGETS ${libraries}
  EXPORT vnet-targets
  FILE_SET HEADERS)
install(EXPORT vnet-targets
  NAMESPACE vnet::
  DESTINATION ${package_dir})
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/vnet-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/vnet-config.cmake
  INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/vnet-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/vnet-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/vnet-config-version.cmake
  DESTINATION ${package_dir})

set(pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
foreach(dir LIBDIR INCLUDEDIR)
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_${dir} BASE_DIRECTORY ${pc_dir}
    OUTPUT_VARIABLE PC_${dir})
endforeach()
foreach(name ${pc_files})
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

install(FILES man/libvnet.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7)
if(VNET_TAP)
  install(FILES man/vnet-plug.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
endif()
if(VNET_PROGRAMS)
  install(FILES man/vnet-switch.conf.5
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
  install(FILES man/vnet-switch.8 man/vnetctl.8
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
  install(FILES
    examples/vnet-switch/vnet-switch.conf
    examples/vnet-switch/vnet-switch.service
    DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
endif()
