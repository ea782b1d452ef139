# Every third-party library, each as one imported target P2pa::<name>.
find_package(PkgConfig REQUIRED)

function(p2pa_pkg name module)
  pkg_check_modules(P2PA_${name} REQUIRED IMPORTED_TARGET GLOBAL ${module})
  add_library(P2pa::${name} ALIAS PkgConfig::P2PA_${name})
endfunction()

p2pa_pkg(ngtcp2 "libngtcp2")
p2pa_pkg(ngtcp2_crypto "libngtcp2_crypto_gnutls")
p2pa_pkg(gnutls "gnutls")
p2pa_pkg(sodium "libsodium")
p2pa_pkg(secp256k1 "libsecp256k1")
p2pa_pkg(uv "libuv")
p2pa_pkg(cares "libcares")
p2pa_pkg(fmt "fmt")

# Header-only: nothing to link.
find_path(P2PA_PROTOZERO_INCLUDE protozero/pbf_reader.hpp REQUIRED)
add_library(P2pa_protozero INTERFACE)
target_include_directories(P2pa_protozero SYSTEM INTERFACE ${P2PA_PROTOZERO_INCLUDE})
add_library(P2pa::protozero ALIAS P2pa_protozero)
# msgpack-c, the C library: packs and unpacks without exceptions.
p2pa_pkg(msgpack "msgpack")

find_package(Threads REQUIRED)
