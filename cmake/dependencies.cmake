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

# Only for programs that are linked dynamically: Debian has no static archives of all that these use. Programs that
# never call them do not load them.
function(pyro_shared_dependency name lib)
  find_library(PYRO_LIB_${lib} NAMES lib${lib}.so REQUIRED)
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE -Wl,--push-state,--as-needed ${PYRO_LIB_${lib}} -Wl,--pop-state)
endfunction()

pyro_shared_dependency(dep_curl curl)
pyro_shared_dependency(dep_microhttpd microhttpd)
pyro_shared_dependency(dep_cares cares)
pyro_shared_dependency(dep_ssl ssl)
# Headers only; nothing of boost is linked.
find_path(PYRO_BEAST_INCLUDE boost/beast/http/basic_parser.hpp REQUIRED)

if(PYRO_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
