#include "transport/proxy/credentials.hpp"

#include <algorithm>

namespace p2pa::proxy {

namespace {

bool has_control(const std::string& text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

}  // namespace

bool Credentials::fit_basic() const {
  if (user.size() > kPartMax || password.size() > kPartMax) return false;
  return user.find(':') == user.npos && !has_control(user) && !has_control(password);
}

bool Credentials::fit_socks() const {
  const auto fits = [](const std::string& part) { return !part.empty() && part.size() <= kPartMax; };
  return fits(user) && fits(password);
}

}  // namespace p2pa::proxy
