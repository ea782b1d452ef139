# Language level, warnings and sanitizers for every target of this project.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

find_program(P2PA_CCACHE ccache)
if(P2PA_CCACHE AND P2PA_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${P2PA_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${P2PA_CCACHE})
endif()

# Missing field initializers: g++ also counts those that a designated initializer leaves out on purpose.
# Restrict: g++ 12 sees it where std::string is assigned a literal (GCC bug 105651).
add_library(p2pa_settings INTERFACE)
target_compile_options(p2pa_settings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough
                            -Wno-missing-field-initializers>
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wreserved-identifier>
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -pedantic>)
if(P2PA_WERROR)
  target_compile_options(p2pa_settings INTERFACE -Werror)
endif()
if(P2PA_BUILD_FUZZERS)
  target_compile_options(p2pa_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(P2PA_COVERAGE)
  target_compile_options(p2pa_settings INTERFACE --coverage)
  target_link_options(p2pa_settings INTERFACE --coverage)
endif()
if(P2PA_SANITIZE)
  target_compile_options(p2pa_settings INTERFACE -fsanitize=${P2PA_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(p2pa_settings INTERFACE -fsanitize=${P2PA_SANITIZE})
endif()
