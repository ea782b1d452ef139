#include "transport/layer/layer_stack.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace p2pa {

void LayerStack::add(std::unique_ptr<ByteLayer> layer) {
  P2PA_ASSERT(layer != nullptr && layers_.size() < kLayersMax && !begun_);
  layers_.push_back(std::move(layer));
}

Result<void> LayerStack::begin(Bytes& down) {
  P2PA_ASSERT(!begun_);
  begun_ = true;
  return begin_from(0, down);
}

/// Those below are open: this one says its first, and so does the next if this one waits for no answer.
Result<void> LayerStack::begin_from(std::size_t index, Bytes& down) {
  for (; index < layers_.size(); ++index) {
    Bytes said;
    const auto begun = layers_[index]->begin(said);
    send_below(index, std::move(said), down);
    if (!begun) return begun;
    if (!layers_[index]->open()) return {};
    open_ = index + 1;
  }
  return {};
}

Result<void> LayerStack::receive(ByteView bytes, Bytes& up, Bytes& down) {
  Bytes below, above;  // what came through the layer below this one, and what comes out of it
  Result<void> result{};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const bool top = i + 1 == layers_.size();
    Bytes answer;
    const auto fine = layers_[i]->receive(bytes, top ? up : above, answer);
    send_below(i, std::move(answer), down);
    // The end of one layer's good order is told when what came before it is through those above.
    if (!fine && result) result = fine;
    if (!fine && fine.error().code != Code::kConnectionClosed) break;
    if (fine && open_ == i && layers_[i]->open()) {
      open_ = i + 1;
      if (const auto begun = begin_from(i + 1, down); !begun) return begun;
    }
    if (top || open_ <= i || above.empty()) break;
    below = std::exchange(above, {});
    bytes = below;
  }
  return result;
}

void LayerStack::send(ByteView bytes, Bytes& down) {
  P2PA_ASSERT(open() && !empty());
  if (bytes.empty()) return;
  if (layers_.size() == 1) return layers_.front()->send(bytes, down);
  Bytes sent;
  layers_.back()->send(bytes, sent);
  send_below(layers_.size() - 1, std::move(sent), down);
}

void LayerStack::send_below(std::size_t top, Bytes bytes, Bytes& down) {
  if (bytes.empty()) return;
  for (std::size_t i = top; i > 1; --i) {
    Bytes sent;
    layers_[i - 1]->send(bytes, sent);
    bytes = std::move(sent);
  }
  if (top > 0) return layers_.front()->send(bytes, down);
  down.insert(down.end(), bytes.begin(), bytes.end());
}

void LayerStack::finish(Bytes& down) {
  if (!begun_) return;
  for (std::size_t i = std::min(open_ + 1, layers_.size()); i > 0; --i) {
    Bytes said;
    layers_[i - 1]->finish(said);
    send_below(i - 1, std::move(said), down);
  }
}

}  // namespace p2pa
