#pragma once
// A certificate for /tls/ws that nobody has to believe: in the official suites each program makes its own.

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace interop {

/// Certificate and key as files that go with the object.
class WebCertificate final {
 public:
  /// Signed by itself. Null: it could not be made.
  static std::unique_ptr<WebCertificate> make();
  ~WebCertificate();
  WebCertificate(const WebCertificate&) = delete;
  WebCertificate& operator=(const WebCertificate&) = delete;

  std::string certificate_file() const { return directory_ / "certificate.pem"; }
  std::string key_file() const { return directory_ / "key.pem"; }

 private:
  explicit WebCertificate(std::filesystem::path directory) : directory_(std::move(directory)) {}

  const std::filesystem::path directory_;
};

}  // namespace interop
