# Language level, warnings and sanitizers for our own targets (never for the libraries we use).
option(PYRO_WERROR "Treat warnings as errors" OFF)
option(PYRO_TESTS "Build the tests" ON)
option(PYRO_CRASH_POINTS "Compile in named crash points (test builds)" OFF)
set(PYRO_JOINED 12 CACHE STRING "Source files per joined unit; 0 compiles each on its own")
set(PYRO_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(pyro_settings INTERFACE)
target_include_directories(pyro_settings INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(pyro_settings INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(pyro_settings INTERFACE -Wall -Wextra -Wconversion -Wno-missing-field-initializers
                                               $<$<BOOL:${PYRO_WERROR}>:-Werror>)
if(PYRO_CRASH_POINTS)
  target_compile_definitions(pyro_settings INTERFACE PYRO_CRASH_POINTS)
endif()
if(PYRO_SANITIZE)
  # g++ 12 takes what the instrumentation adds to the standard library for uninitialized.
  target_compile_options(pyro_settings INTERFACE -fsanitize=${PYRO_SANITIZE} -fno-omit-frame-pointer
                                                 -Wno-maybe-uninitialized)
  target_link_options(pyro_settings INTERFACE -fsanitize=${PYRO_SANITIZE})
endif()
