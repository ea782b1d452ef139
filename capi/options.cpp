#include "options.hpp"

#include <memory>
#include <string>

#include "base/utf8.hpp"
#include "p2pagents/key_file.hpp"
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

Result<void> read_listen(std::string_view lines, NodeOptions& out) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() == lines.size() ? line.size() : line.size() + 1);
    if (line.empty()) continue;
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
  if (in.idle_timeout_us < 0 || in.handshake_timeout_us < 0 || in.idle_timeout_us > kTimeMax ||
      in.handshake_timeout_us > kTimeMax || in.keep_alive_us > kTimeMax) {
    return fail(Code::kInvalidArgument, "a time is negative or over a day");
  }
  if (in.idle_timeout_us > 0) out.idle_timeout = microseconds(in.idle_timeout_us);
  if (in.handshake_timeout_us > 0) out.handshake_timeout = microseconds(in.handshake_timeout_us);
  if (in.keep_alive_us > 0) out.keep_alive = microseconds(in.keep_alive_us);
  if (in.keep_alive_us < 0) out.keep_alive = Duration{0};
  return {};
}

Result<void> read_choices(const p2pa_node_options& in, NodeOptions& out) {
  if (in.serve_perf > 1 || in.congestion_control > P2PA_CONGESTION_BBR || in.log_level > P2PA_LOG_TRACE ||
      in.dial_private > P2PA_DIAL_PRIVATE_NONE) {
    return fail(Code::kInvalidArgument, "a choice that does not exist");
  }
  out.serve_perf = in.serve_perf == 1;
  if (in.congestion_control == P2PA_CONGESTION_BBR) out.congestion_control = CongestionControl::kBbr;
  if (in.dial_private == P2PA_DIAL_PRIVATE_ALL) out.dial_private = DialPrivate::kAll;
  if (in.dial_private == P2PA_DIAL_PRIVATE_NONE) out.dial_private = DialPrivate::kNone;
  if (in.log_level != 0) out.log_level = static_cast<LogLevel>(in.log_level - P2PA_LOG_ERROR);
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
  if (sink) out.log = std::move(sink);
  if (auto read = read_identity(in, out); !read) return std::unexpected(read.error());
  return out;
}

}  // namespace p2pa::capi
