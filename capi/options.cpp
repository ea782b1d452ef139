#include "options.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/utf8.hpp"
#include "p2pagents/key_file.hpp"
#include "p2pagents/pre_shared_key.hpp"
#include "private_key.hpp"

namespace p2pa::capi {

namespace {

Result<void> read_identity(const p2pa_node_options& in, NodeOptions& out) {
  ByteView key;
  std::string_view file;
  if (!read_bytes(in.key, in.key_size, key) || !read_text(in.key_file, in.key_file_size, file)) {
    return fail(Code::kInvalidArgument, "a length without a pointer");
  }
  if (!key.empty() && !file.empty()) {
    return fail(Code::kInvalidArgument, "a key and a key file exclude each other");
  }
  if (key.empty() && file.empty()) return {};
  auto pair = key.empty() ? load_or_create_key_file(std::string(file)) : read_private_key(key);
  if (!pair) {
    const Error& why = pair.error();
    return key.empty() ? fail(why.code, why.why, why.detail) : fail(Code::kBadKey, why.why);
  }
  out.key.emplace(std::move(*pair));
  return {};
}

/// Those that are not empty.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
    if (!line.empty()) out.push_back(line);
  }
  return out;
}

Result<void> read_listen(std::string_view text, NodeOptions& out) {
  for (const std::string_view line : lines_of(text)) {
    auto address = Multiaddr::parse(line);
    if (!address) return fail(Code::kMalformed, address.error().why);
    out.listen.push_back(std::move(*address));
  }
  return {};
}

/// With fewer events a node could not tell that it listens, nor take a call.
constexpr std::uint32_t kEventsMin = 16;

template <class From, class To>
void read_limit(From given, To& bound) {
  if (given != 0) bound = static_cast<To>(given);
}

Result<void> read_limits(const p2pa_limits* limits, Limits& out) {
  p2pa_limits in;
  if (const Status status = read_struct(limits, in); status < 0) {
    return fail(static_cast<Code>(status), "limits: struct_size");
  }
  if (in.events_max != 0 && in.events_max < kEventsMin) {
    return fail(Code::kInvalidArgument, "limits.events_max is under 16");
  }
  read_limit(in.connections_max, out.connections_max);
  read_limit(in.connections_per_peer_max, out.connections_per_peer_max);
  read_limit(in.connections_per_ip_max, out.connections_per_ip_max);
  read_limit(in.handshakes_max, out.handshakes_max);
  read_limit(in.handshakes_per_ip_max, out.handshakes_per_ip_max);
  read_limit(in.streams_max, out.streams_max);
  read_limit(in.streams_per_peer_max, out.streams_per_peer_max);
  read_limit(in.streams_inbound_per_connection_max, out.streams_inbound_per_connection_max);
  read_limit(in.calls_max, out.calls_max);
  read_limit(in.calls_per_peer_max, out.calls_per_peer_max);
  read_limit(in.events_max, out.events_max);
  read_limit(in.memory_max, out.memory_max);
  read_limit(in.memory_per_peer_max, out.memory_per_peer_max);
  read_limit(in.message_bytes_max, out.message_bytes_max);
  read_limit(in.stream_window, out.stream_window);
  read_limit(in.connection_window, out.connection_window);
  read_limit(in.send_buffer_max, out.send_buffer_max);
  read_limit(in.streams_per_ip_max, out.streams_per_ip_max);
  read_limit(in.calls_per_ip_max, out.calls_per_ip_max);
  read_limit(in.memory_per_ip_max, out.memory_per_ip_max);
  return {};
}

Result<void> read_times(const p2pa_node_options& in, NodeOptions& out) {
  constexpr std::int64_t kTimeMax = std::int64_t{24} * 3600 * 1'000'000;
  const std::int64_t times[] = {in.idle_timeout_us, in.handshake_timeout_us, in.keep_alive_us,
                                in.heartbeat_us,    in.grace_us,             in.idle_close_us,
                                in.open_timeout_us};
  const bool negative = in.idle_timeout_us < 0 || in.handshake_timeout_us < 0 || in.idle_close_us < 0 ||
                        in.open_timeout_us < 0;
  if (negative || std::ranges::any_of(times, [](std::int64_t time) { return time > kTimeMax; })) {
    return fail(Code::kInvalidArgument, "a time is negative or over a day");
  }
  const auto read = [](std::int64_t given, Duration& time) {
    if (given != 0) time = microseconds(std::max<std::int64_t>(given, 0));
  };
  read(in.idle_timeout_us, out.idle_timeout);
  read(in.handshake_timeout_us, out.handshake_timeout);
  read(in.open_timeout_us, out.open_timeout);
  read(in.keep_alive_us, out.keep_alive);
  read(in.heartbeat_us, out.heartbeat);
  read(in.grace_us, out.grace);
  read(in.idle_close_us, out.idle_close);
  return {};
}

Result<void> read_choices(const p2pa_node_options& in, NodeOptions& out) {
  if (in.serve_perf > 1 || in.congestion_control > P2PA_CONGESTION_BBR || in.log_level > P2PA_LOG_TRACE ||
      in.dial_private > P2PA_DIAL_PRIVATE_NONE || in.security > P2PA_SECURITY_TLS ||
      in.web_trust > P2PA_WEB_TRUST_ALL || in.lan_broadcast > 1) {
    return fail(Code::kInvalidArgument, "a choice that does not exist");
  }
  out.serve_perf = in.serve_perf == 1;
  if (in.congestion_control == P2PA_CONGESTION_BBR) out.congestion_control = CongestionControl::kBbr;
  if (in.dial_private == P2PA_DIAL_PRIVATE_ALL) out.dial_private = DialPrivate::kAll;
  if (in.dial_private == P2PA_DIAL_PRIVATE_NONE) out.dial_private = DialPrivate::kNone;
  if (in.log_level != 0) out.log_level = static_cast<LogLevel>(in.log_level - P2PA_LOG_ERROR);
  if (in.security == P2PA_SECURITY_TLS_NOISE) out.security = {Security::kTls, Security::kNoise};
  if (in.security == P2PA_SECURITY_NOISE) out.security = {Security::kNoise};
  if (in.security == P2PA_SECURITY_TLS) out.security = {Security::kTls};
  out.low_water = in.low_water;
  out.high_water = in.high_water;
  if (in.connections_kept_per_peer != 0) {
    const bool all = in.connections_kept_per_peer == P2PA_UNLIMITED;
    out.connections_kept_per_peer = all ? 0 : in.connections_kept_per_peer;
  }
  return {};
}

/// Of any length it would be sent to every peer.
constexpr std::size_t kAgentVersionMax = 255;

Result<void> read_texts(const p2pa_node_options& in, NodeOptions& out) {
  std::string_view listen, agent_version, qlog_directory;
  if (!read_text(in.listen, in.listen_size, listen) ||
      !read_text(in.agent_version, in.agent_version_size, agent_version) ||
      !read_text(in.qlog_directory, in.qlog_directory_size, qlog_directory)) {
    return fail(Code::kInvalidArgument, "a length without a pointer");
  }
  if (agent_version.size() > kAgentVersionMax || !is_utf8(agent_version)) {
    return fail(Code::kInvalidArgument, "agent_version is not UTF-8 of at most 255 bytes");
  }
  out.agent_version = agent_version;
  out.qlog_directory = qlog_directory;
  return read_listen(listen, out);
}

/// Over which roads it goes, besides `listen`.
Result<void> read_roads(const p2pa_node_options& in, NodeOptions& out) {
  std::string_view network_key, proxy, certificate, key, roots, servers;
  if (!read_text(in.network_key, in.network_key_size, network_key) || !read_text(in.proxy, in.proxy_size, proxy) ||
      !read_text(in.web_certificate_file, in.web_certificate_file_size, certificate) ||
      !read_text(in.web_key_file, in.web_key_file_size, key) ||
      !read_text(in.web_roots_file, in.web_roots_file_size, roots) ||
      !read_text(in.dns_servers, in.dns_servers_size, servers)) {
    return fail(Code::kInvalidArgument, "a length without a pointer");
  }
  if (!network_key.empty()) {
    auto psk = PreSharedKey::parse(as_bytes(network_key));
    if (!psk) return std::unexpected(psk.error());
    out.network_key = std::move(*psk);
  }
  out.proxy = proxy;
  out.web_certificate_file = certificate;
  out.web_key_file = key;
  if (!roots.empty()) out.web_roots_file = roots;
  if (in.web_trust == P2PA_WEB_TRUST_ALL) out.web_roots_file.clear();
  for (const std::string_view server : lines_of(servers)) out.dns_servers.emplace_back(server);
  return {};
}

Result<void> read_lan(const p2pa_node_options& in, LanOptions& out) {
  std::string_view application;
  if (!read_text(in.lan_application, in.lan_application_size, application)) {
    return fail(Code::kInvalidArgument, "a length without a pointer");
  }
  if (in.lan_port > UINT16_MAX) return fail(Code::kInvalidArgument, "lan_port is over 65,535");
  out.application = application;
  out.broadcast = in.lan_broadcast == 1;
  if (in.lan_port != 0) out.port = static_cast<std::uint16_t>(in.lan_port);
  return {};
}

}  // namespace

LogSink::LogSink(const p2pa_node_options* options) noexcept {
  p2pa_node_options in;
  (void)read_struct(options, in);
  fn_ = in.log;
  ctx_ = in.log_ctx;
  drop_ = in.log_drop;
}

void LogSink::operator()(const LogRecord& record) const {
  p2pa_log_record out;
  std::memset(&out, 0, sizeof out);
  out.struct_size = sizeof out;
  out.level = static_cast<std::uint32_t>(record.level) + P2PA_LOG_ERROR;
  out.subsystem = {record.subsystem.data(), record.subsystem.size()};
  out.text = {record.text.data(), record.text.size()};
  fn_(ctx_, &out);
}

Result<NodeOptions> read_options(const p2pa_node_options* options, LogSink sink) {
  p2pa_node_options in;
  if (const Status status = read_struct(options, in); status < 0) {
    return fail(static_cast<Code>(status), "options: struct_size");
  }

  NodeOptions out;
  if (auto read = read_choices(in, out); !read) return std::unexpected(read.error());
  if (auto read = read_times(in, out); !read) return std::unexpected(read.error());
  if (auto read = read_limits(in.limits, out.limits); !read) return std::unexpected(read.error());
  if (auto read = read_texts(in, out); !read) return std::unexpected(read.error());
  if (auto read = read_roads(in, out); !read) return std::unexpected(read.error());
  if (auto read = read_lan(in, out.lan); !read) return std::unexpected(read.error());
  if (sink) out.log = std::move(sink);
  if (auto read = read_identity(in, out); !read) return std::unexpected(read.error());
  return out;
}

}  // namespace p2pa::capi
