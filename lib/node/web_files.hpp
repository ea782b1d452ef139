#pragma once
// What secure WebSocket needs of files: our certificate and its key, and the roots whom dials believe.

#include <algorithm>

#include "node/journal.hpp"
#include "node/watched_files.hpp"
#include "p2pagents/node.hpp"
#include "transport/tcp/endpoint.hpp"

namespace p2pa {

class WebFiles final {
 public:
  /// Has the certificate read at once, the roots when somebody dials by them. REQUIRES that tcp and journal
  /// outlive it.
  WebFiles(const NodeOptions& options, tcp::Endpoint& tcp, Journal& journal);

  void turn();
  bool poll_effect(Effect& out) { return certificate_.poll_effect(out) || roots_.poll_effect(out); }
  bool has_effects() const { return certificate_.has_effects() || roots_.has_effects(); }
  /// Is it the answer to an effect of ours?
  bool owns(const EffectDone& effect) const { return certificate_.owns(effect) || roots_.owns(effect); }
  /// REQUIRES owns(). True: dials that waited for the roots may go on.
  bool done(Instant now, const EffectDone& effect);
  Instant next_deadline() const { return std::min(certificate_.next_deadline(), roots_.next_deadline()); }
  void on_deadline(Instant now);
  void close();

 private:
  tcp::Endpoint& tcp_;
  Journal& journal_;
  WatchedFiles certificate_, roots_;
};

}  // namespace p2pa
