#include "io/interfaces.hpp"

#include <uv.h>

#include <algorithm>
#include <memory>

#include "io/socket_address.hpp"

namespace p2pa::io {

Result<std::vector<InterfaceAddress>> interface_addresses() {
  uv_interface_address_t* list = nullptr;
  int count = 0;
  if (const int status = uv_interface_addresses(&list, &count); status != 0) {
    return fail(Code::kIo, "cannot list the interfaces", static_cast<std::uint64_t>(-status));
  }
  const auto free_list = [count](uv_interface_address_t* taken) { uv_free_interface_addresses(taken, count); };
  const std::unique_ptr<uv_interface_address_t, decltype(free_list)> owner(list, free_list);
  std::vector<InterfaceAddress> out;
  for (int i = 0; i < count; ++i) {
    const auto& address = list[i].address;
    const auto& mask = list[i].netmask;
    const int family = address.address4.sin_family;
    if (family == AF_INET) {
      out.push_back({to_ip_address(address.address4.sin_addr), prefix_bits(to_ip_address(mask.netmask4.sin_addr))});
    }
    if (family == AF_INET6) {
      const IpAddress ip = to_ip_address(address.address6.sin6_addr);
      const std::uint32_t scope = ip.is_link_local() ? address.address6.sin6_scope_id : 0;
      out.push_back({ip, prefix_bits(to_ip_address(mask.netmask6.sin6_addr)), scope});
    }
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace p2pa::io
