#pragma once
#include <string>

#include "p2pagents/error.hpp"
#include "p2pagents/key_pair.hpp"

namespace p2pa {

/// A fresh identity from the operating system's entropy.
KeyPair generate_key();

/// Reads a key file. kNotFound: none there. kBadKeyFile: damaged, foreign, or readable by others;
/// the file is left as it is. kIo: the system refused (detail: errno).
Result<KeyPair> load_key_file(const std::string& path);

/// Writes a key file with mode 0600, atomically (temporary file, fsync, link). Never replaces a
/// file that exists: kInvalidState.
Result<void> save_key_file(const KeyPair& key, const std::string& path);

/// load_key_file(), or a fresh key that is saved when there is no file yet.
Result<KeyPair> load_or_create_key_file(const std::string& path);

}  // namespace p2pa
