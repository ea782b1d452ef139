# Every third-party library, each as one imported target P2pa::<name>. Installed beside the package
# configuration, so that who links our static library finds them the same way.
#
# P2PA_STATIC_DEPENDENCIES: link the archive where the system has one; the shared library then needs
# little more than GnuTLS on the machine that it runs on.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# p2pa_dependency(<name> <pkg-config module> [ARCHIVE libx.a] [NEEDS <other names>])
function(p2pa_dependency name module)
  if(TARGET P2pa::${name})
    return()
  endif()
  cmake_parse_arguments(D "" "ARCHIVE" "NEEDS" ${ARGN})
  pkg_check_modules(P2PA_${name} REQUIRED IMPORTED_TARGET ${module})
  set_property(GLOBAL APPEND PROPERTY P2PA_PKGCONFIG_MODULES ${module})
  if(P2PA_STATIC_DEPENDENCIES AND D_ARCHIVE)
    pkg_get_variable(libdir ${module} libdir)
    find_library(P2PA_${name}_ARCHIVE NAMES ${D_ARCHIVE} HINTS ${libdir})
    mark_as_advanced(P2PA_${name}_ARCHIVE)
  endif()
  if(P2PA_STATIC_DEPENDENCIES AND P2PA_${name}_ARCHIVE)
    add_library(P2pa::${name} STATIC IMPORTED)
    set_target_properties(P2pa::${name} PROPERTIES IMPORTED_LOCATION "${P2PA_${name}_ARCHIVE}")
    target_include_directories(P2pa::${name} SYSTEM INTERFACE ${P2PA_${name}_INCLUDE_DIRS})
    target_link_libraries(P2pa::${name} INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
  else()
    add_library(P2pa::${name} INTERFACE IMPORTED)
    target_link_libraries(P2pa::${name} INTERFACE PkgConfig::P2PA_${name})
  endif()
  foreach(other IN LISTS D_NEEDS)
    target_link_libraries(P2pa::${name} INTERFACE P2pa::${other})
  endforeach()
endfunction()

p2pa_dependency(gnutls gnutls)
p2pa_dependency(ngtcp2_core libngtcp2 ARCHIVE libngtcp2.a)
# With the helper that joins it to GnuTLS.
p2pa_dependency(ngtcp2 libngtcp2_crypto_gnutls
                ARCHIVE libngtcp2_crypto_gnutls.a NEEDS ngtcp2_core gnutls)
p2pa_dependency(sodium libsodium ARCHIVE libsodium.a)
p2pa_dependency(secp256k1 libsecp256k1 ARCHIVE libsecp256k1.a)
p2pa_dependency(uv libuv ARCHIVE libuv_a.a)

# Header-only, and neither pkg-config nor CMake knows it.
if(NOT TARGET P2pa::protozero)
  find_path(P2PA_PROTOZERO_INCLUDE protozero/pbf_reader.hpp REQUIRED)
  add_library(P2pa::protozero INTERFACE IMPORTED)
  target_include_directories(P2pa::protozero SYSTEM INTERFACE ${P2PA_PROTOZERO_INCLUDE})
endif()

# Not the library's: the tool writes with fmt, the tests compare with msgpack-c.
if(P2PA_BUILD_TOOLS)
  pkg_check_modules(P2PA_fmt REQUIRED IMPORTED_TARGET fmt)
  add_library(P2pa::fmt ALIAS PkgConfig::P2PA_fmt)
endif()
if(P2PA_BUILD_TESTS)
  pkg_search_module(P2PA_msgpack REQUIRED IMPORTED_TARGET msgpack-c msgpack)
  add_library(P2pa::msgpack ALIAS PkgConfig::P2PA_msgpack)
endif()
