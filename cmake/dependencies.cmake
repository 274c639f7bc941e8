# Every outside library, all from Debian 12. `.ci/packages` lists the packages that hold them.
# Static archives are preferred: the command line must start in a few milliseconds.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)

function(pyro_static_dependency name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_library(${name} INTERFACE)
  foreach(lib ${ARG_LIBS})
    find_library(PYRO_LIB_${lib} NAMES lib${lib}.a ${lib} REQUIRED)
    target_link_libraries(${name} INTERFACE ${PYRO_LIB_${lib}})
  endforeach()
endfunction()

find_path(PYRO_FMT_INCLUDE fmt/format.h REQUIRED)
find_path(PYRO_SPDLOG_INCLUDE spdlog/spdlog.h REQUIRED)
pyro_static_dependency(dep_crypto LIBS crypto)
pyro_static_dependency(dep_yaml LIBS yaml-cpp)
pyro_static_dependency(dep_nghttp2 LIBS nghttp2)
pyro_static_dependency(dep_archive LIBS archive zstd lzma bz2 z)
pyro_static_dependency(dep_seccomp LIBS seccomp)
target_link_libraries(dep_crypto INTERFACE Threads::Threads ${CMAKE_DL_LIBS})

# Shared, but for the portable programs (targets.cmake), which have the archive. Programs that never call them do not
# load them, and a static one that calls them does not link.
function(pyro_shared_dependency name lib archive)
  find_library(PYRO_LIB_${lib} NAMES lib${lib}.so REQUIRED)
  add_library(${name} INTERFACE)
  set(portable $<BOOL:$<TARGET_PROPERTY:PYRO_PORTABLE>>)
  set(static $<BOOL:$<TARGET_PROPERTY:PYRO_STATIC>>)
  target_link_libraries(${name} INTERFACE
    "$<${portable}:${archive}>"
    "$<$<NOT:$<OR:${portable},${static}>>:-Wl,--push-state,--as-needed;${PYRO_LIB_${lib}};-Wl,--pop-state>")
endfunction()

# Debian's archives of these want libraries of which it has none; made when they are needed.
set(PYRO_STATIC_LIBRARIES ${PROJECT_SOURCE_DIR}/build/static CACHE PATH "Where .ci/static-libraries puts libcurl.a, libmicrohttpd.a and libssh.a")
set(pyro_made ${PYRO_STATIC_LIBRARIES}/lib/libcurl.a ${PYRO_STATIC_LIBRARIES}/lib/libmicrohttpd.a ${PYRO_STATIC_LIBRARIES}/lib/libssh.a)
add_custom_command(OUTPUT ${pyro_made} COMMAND ${PROJECT_SOURCE_DIR}/.ci/static-libraries ${PYRO_STATIC_LIBRARIES} VERBATIM USES_TERMINAL)
add_custom_target(pyro_static_libraries DEPENDS ${pyro_made})
find_library(PYRO_ARCHIVE_cares NAMES libcares.a REQUIRED)
find_library(PYRO_ARCHIVE_ssl NAMES libssl.a REQUIRED)

pyro_shared_dependency(dep_curl curl ${PYRO_STATIC_LIBRARIES}/lib/libcurl.a)
pyro_shared_dependency(dep_microhttpd microhttpd ${PYRO_STATIC_LIBRARIES}/lib/libmicrohttpd.a)
pyro_shared_dependency(dep_cares cares ${PYRO_ARCHIVE_cares})
pyro_shared_dependency(dep_libssh ssh ${PYRO_STATIC_LIBRARIES}/lib/libssh.a)
target_link_libraries(dep_libssh INTERFACE dep_crypto)
pyro_shared_dependency(dep_ssl ssl ${PYRO_ARCHIVE_ssl})
# Headers only; nothing of boost is linked.
find_path(PYRO_BEAST_INCLUDE boost/beast/http/basic_parser.hpp REQUIRED)

if(PYRO_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
