#include "io/dns_client.hpp"

// What later versions call deprecated is what Debian 12's has.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <sys/time.h>

#include <algorithm>
#include <string>
#include <utility>

#include "dns/txt_message.hpp"
#include "io/socket_address.hpp"

namespace p2pa::io {
namespace {

constexpr int kClassInternet = 1, kTypeTxt = 16;  // RFC 1035 §3.2.2, §3.2.4
/// c-ares and we do not read the same clock at the same moment: a deadline is never now.
constexpr Duration kDeadlineSlack = milliseconds(1);

Error error_of(int status) {
  switch (status) {
    case ARES_ENOTFOUND: return {Code::kNotFound, 0, "dns: no such name"};
    case ARES_ENODATA: return {Code::kNotFound, 0, "dns: the name has nothing of this kind"};
    case ARES_ETIMEOUT: return {Code::kTimeout, 0, "dns: no name server answered"};
    case ARES_ECONNREFUSED: return {Code::kUnreachable, 0, "dns: no name server is there"};
    case ARES_ENOMEM: return {Code::kOutOfMemory, 0, "dns: no memory for an answer"};
    case ARES_EBADRESP: return {Code::kMalformed, 0, "dns: an answer that cannot be read"};
    case ARES_EBADNAME: return {Code::kInvalidArgument, 0, "dns: a name that cannot be asked for"};
    case ARES_ESERVFAIL: return {Code::kRefused, 0, "dns: the name server failed"};
    default: return {Code::kRefused, 0, "dns: the name server refused"};
  }
}

constexpr Error kNoMemory{Code::kOutOfMemory, 0, "dns: no memory for an answer"};

std::string csv_of(const std::vector<IpEndpoint>& servers) {
  std::string out;
  for (const IpEndpoint& server : servers) out += (out.empty() ? "" : ",") + server.to_string();
  return out;
}

void note_ttl(dns::Answer& answer, bool first, int ttl) {
  const Duration time = seconds(std::max(ttl, 0));
  answer.ttl = first ? time : std::min(answer.ttl, time);
}

void read_addresses(const ares_addrinfo& found, dns::Answer& answer) {
  for (const ares_addrinfo_node* node = found.nodes; node != nullptr; node = node->ai_next) {
    if (answer.addresses.size() == dns::kRecordsMax) break;
    if (node->ai_family != AF_INET && node->ai_family != AF_INET6) continue;
    note_ttl(answer, answer.addresses.empty(), node->ai_ttl);
    SocketAddress address;
    std::copy_n(reinterpret_cast<const char*>(node->ai_addr),
                std::min<std::size_t>(node->ai_addrlen, sizeof address), reinterpret_cast<char*>(&address));
    answer.addresses.push_back(to_endpoint(address).ip);
  }
  for (const ares_addrinfo_cname* name = found.cnames; name != nullptr; name = name->next) {
    note_ttl(answer, false, name->ttl);
  }
  if (answer.addresses.empty()) answer.result = std::unexpected(error_of(ARES_ENODATA));
}

void read_message(ByteView message, dns::Answer& answer) {
  auto records = dns::read_txt_message(message);
  if (!records) {
    answer.result = std::unexpected(records.error());
    return;
  }
  answer.texts = std::move(records->texts);
  answer.ttl = records->ttl;
}

}  // namespace

DnsClient::DnsClient(UvLoop& loop, Options options, OnAnswer on_answer)
    : loop_(loop), options_(std::move(options)), on_answer_(std::move(on_answer)) {}

DnsClient::~DnsClient() { close(); }

// --- the channel

/// Reads files of /etc, which are short; no name server is asked here.
Result<void> DnsClient::open() {
  char lookups[] = "fb";  // the hosts file, then name servers
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
  options.timeout = static_cast<int>(options_.timeout.ms());
  options.tries = kTries;
  options.ednspsz = kUdpBytesMax;
  options.ndomains = 0;
  options.lookups = lookups;
  options.sock_state_cb = on_socket;
  options.sock_state_cb_data = this;
  constexpr int kSet = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
                       ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
  int status = ares_init_options(&channel_, &options, kSet);
  if (status != ARES_SUCCESS) {
    channel_ = nullptr;
    return fail(Code::kIo, "dns: the resolver cannot be set up", static_cast<std::uint64_t>(status));
  }
  if (!options_.servers.empty()) {
    status = ares_set_servers_ports_csv(channel_, csv_of(options_.servers).c_str());
  }
  if (status == ARES_SUCCESS) return {};
  close();
  return fail(Code::kIo, "dns: the name servers cannot be set", static_cast<std::uint64_t>(status));
}

void DnsClient::close() {
  if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
  deadline_ = kNever;
}

void DnsClient::set_deadline(Instant now) {
  timeval left{};
  const bool waits = channel_ != nullptr && ares_timeout(channel_, nullptr, &left) != nullptr;
  deadline_ = waits ? now + seconds(left.tv_sec) + microseconds(left.tv_usec) + kDeadlineSlack : kNever;
}

// --- queries

void DnsClient::query(const dns::Query& query, Instant now) {
  Asked& asked = asked_.emplace_back(Asked{*this, {}});
  asked.answer.id = query.id;
  if (channel_ == nullptr) {
    if (auto opened = open(); !opened) {
      asked.answer.result = opened;
      asked.answered = true;
      return;
    }
  }
  if (query.type == dns::RecordType::kTxt) {
    ares_query(channel_, query.name.c_str(), kClassInternet, kTypeTxt, on_message, &asked);
  } else {
    ares_addrinfo_hints hints{};
    hints.ai_flags = ARES_AI_NOSORT;  // who dials has an order of its own
    hints.ai_family = query.type == dns::RecordType::kAaaa ? AF_INET6 : AF_INET;
    hints.ai_socktype = SOCK_STREAM;  // one of each address
    ares_getaddrinfo(channel_, query.name.c_str(), nullptr, &hints, on_addresses, &asked);
  }
  set_deadline(now);
}

void DnsClient::on_message(void* asked, int status, int, unsigned char* message, int size) noexcept {
  auto& self = *static_cast<Asked*>(asked);
  self.answered = true;
  try {
    if (status == ARES_SUCCESS) {
      read_message({message, static_cast<std::size_t>(size)}, self.answer);
    } else {
      self.answer.result = std::unexpected(error_of(status));
    }
  } catch (...) {
    self.answer.result = std::unexpected(kNoMemory);
  }
}

void DnsClient::on_addresses(void* asked, int status, int, ares_addrinfo* found) noexcept {
  auto& self = *static_cast<Asked*>(asked);
  self.answered = true;
  try {
    if (status == ARES_SUCCESS && found != nullptr) {
      read_addresses(*found, self.answer);
    } else {
      self.answer.result = std::unexpected(error_of(status));
    }
  } catch (...) {
    self.answer.result = std::unexpected(kNoMemory);
  }
  if (found != nullptr) ares_freeaddrinfo(found);
}

// --- sockets

void DnsClient::on_socket(void* self, int fd, int readable, int writable) noexcept {
  try {
    static_cast<DnsClient*>(self)->watch(fd, readable != 0, writable != 0);
  } catch (...) {
    return;  // no memory: nothing is heard from this server, and the query times out
  }
}

void DnsClient::watch(int fd, bool readable, bool writable) {
  auto socket = std::ranges::find(sockets_, fd, &Socket::fd);
  if (!readable && !writable) {
    if (socket == sockets_.end()) return;
    loop_.unwatch(socket->watch);
    sockets_.erase(socket);
    return;
  }
  if (socket == sockets_.end()) {
    sockets_.reserve(sockets_.size() + 1);  // nothing may fail between watching and keeping it
    const auto watch = loop_.watch(fd);
    if (!watch) return;  // as without memory
    sockets_.push_back({fd, *watch, true, false});
    socket = std::prev(sockets_.end());
  }
  socket->readable = readable;
  socket->writable = writable;
  loop_.want(socket->watch, readable, writable);
}

/// c-ares may open and close sockets meanwhile, this one too.
void DnsClient::process(const Socket& socket) {
  Watch& watch = *socket.watch;
  const int fd = socket.fd;
  const bool failed = std::exchange(watch.failed, false);
  const bool readable = std::exchange(watch.readable, false) || failed;  // an error is read
  const bool writable = std::exchange(watch.writable, false);
  ares_process_fd(channel_, readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
  const auto still = std::ranges::find(sockets_, fd, &Socket::fd);
  if (failed && still != sockets_.end()) loop_.want(still->watch, still->readable, still->writable);
}

// --- turns

bool DnsClient::has_work() const {
  const auto ready = [](const Socket& s) {
    return s.watch->readable || s.watch->writable || s.watch->failed;
  };
  return std::ranges::any_of(sockets_, ready) || std::ranges::any_of(asked_, &Asked::answered);
}

void DnsClient::work(Instant now) {
  if (!has_work()) return;
  const std::vector<Socket> sockets = sockets_;
  for (const Socket& each : sockets) {
    const auto socket = std::ranges::find(sockets_, each.watch, &Socket::watch);
    if (socket == sockets_.end()) continue;  // closed meanwhile
    if (each.watch->readable || each.watch->writable || each.watch->failed) process(*socket);
  }
  hand_over();
  if (asked_.empty()) {
    close();
  } else {
    set_deadline(now);
  }
}

void DnsClient::hand_over() {
  for (auto asked = asked_.begin(); asked != asked_.end();) {
    const auto next = std::next(asked);
    if (asked->answered) {
      std::list<Asked> taken;
      taken.splice(taken.end(), asked_, asked);
      on_answer_(taken.front().answer);
    }
    asked = next;
  }
}

void DnsClient::on_deadline(Instant now) {
  if (now < deadline_) return;
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  set_deadline(now);
}

}  // namespace p2pa::io
