# Every third-party library, each as one imported target P2pa::<name>. Installed beside the package
# configuration, so that who links our static library finds them the same way. Linked shared: not
# all of Debian's archives can become part of our shared library.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# p2pa_dependency(<name> <pkg-config module> [NEEDS <other names>])
function(p2pa_dependency name module)
  if(TARGET P2pa::${name})
    return()
  endif()
  cmake_parse_arguments(D "" "" "NEEDS" ${ARGN})
  pkg_check_modules(P2PA_${name} REQUIRED IMPORTED_TARGET ${module})
  set_property(GLOBAL APPEND PROPERTY P2PA_PKGCONFIG_MODULES ${module})
  add_library(P2pa::${name} INTERFACE IMPORTED)
  target_link_libraries(P2pa::${name} INTERFACE PkgConfig::P2PA_${name})
  foreach(other IN LISTS D_NEEDS)
    target_link_libraries(P2pa::${name} INTERFACE P2pa::${other})
  endforeach()
endfunction()

p2pa_dependency(gnutls gnutls)
p2pa_dependency(ngtcp2_core libngtcp2)
# With the helper that joins it to GnuTLS.
p2pa_dependency(ngtcp2 libngtcp2_crypto_gnutls NEEDS ngtcp2_core gnutls)
p2pa_dependency(sodium libsodium)
p2pa_dependency(secp256k1 libsecp256k1)
p2pa_dependency(uv libuv)
p2pa_dependency(zstd libzstd)
p2pa_dependency(cares libcares)
p2pa_dependency(isal libisal)

# Header-only, and neither pkg-config nor CMake knows it.
if(NOT TARGET P2pa::protozero)
  find_path(P2PA_PROTOZERO_INCLUDE protozero/pbf_reader.hpp REQUIRED)
  add_library(P2pa::protozero INTERFACE IMPORTED)
  target_include_directories(P2pa::protozero SYSTEM INTERFACE ${P2PA_PROTOZERO_INCLUDE})
endif()

# Without pkg-config; p2pagents-cpp.pc.in names it.
if(NOT TARGET P2pa::wslay)
  find_path(P2PA_WSLAY_INCLUDE wslay/wslay.h REQUIRED)
  find_library(P2PA_WSLAY_LIBRARY wslay REQUIRED)
  add_library(P2pa::wslay INTERFACE IMPORTED)
  target_include_directories(P2pa::wslay SYSTEM INTERFACE ${P2PA_WSLAY_INCLUDE})
  target_link_libraries(P2pa::wslay INTERFACE ${P2PA_WSLAY_LIBRARY})
endif()

# Not the library's: the tool writes with fmt, the tests compare with msgpack-c.
if(P2PA_BUILD_TOOLS)
  pkg_check_modules(P2PA_fmt REQUIRED IMPORTED_TARGET fmt)
  add_library(P2pa::fmt ALIAS PkgConfig::P2PA_fmt)
endif()
if(P2PA_BUILD_TESTS)
  # Without pkg-config: Debian 13's file names a folder that is relative to nothing.
  find_path(P2PA_MSGPACK_INCLUDE msgpack.h REQUIRED)
  find_library(P2PA_MSGPACK_LIBRARY NAMES msgpack-c msgpackc REQUIRED)
  add_library(P2pa::msgpack INTERFACE IMPORTED)
  target_include_directories(P2pa::msgpack SYSTEM INTERFACE ${P2PA_MSGPACK_INCLUDE})
  target_link_libraries(P2pa::msgpack INTERFACE ${P2PA_MSGPACK_LIBRARY})
endif()
