# SPDX-License-Identifier: BSD-2-Clause
# vnet_mig(OUTPUT SIDE DEFS [FLAG...])
#
# Has MIG make OUTPUT.c and OUTPUT.h of the definition file DEFS, a path below
# GNU Mach's headers: what sends the requests where SIDE is USER, what takes them
# apart where it is SERVER.
function(vnet_mig output side defs)
  set(defs ${MACH_INCLUDE_DIR}/${defs})
  if(side STREQUAL USER)
    set(files -user ${output}.c -header ${output}.h)
  else()
    set(files -server ${output}.c -sheader ${output}.h -header /dev/null)
  endif()
  cmake_path(GET output PARENT_PATH directory)
  file(MAKE_DIRECTORY ${directory})
  add_custom_command(
    OUTPUT ${output}.c ${output}.h
    # Its preprocessor is the one whose words have the size of the target's.
    COMMAND ${CMAKE_COMMAND} -E env CC=${CMAKE_C_COMPILER}
      ${MIG} -n -I${MACH_INCLUDE_DIR} ${ARGN} ${files} ${defs}
    DEPENDS ${defs}
    COMMENT "MIG: ${output}.c"
    VERBATIM)
endfunction()
