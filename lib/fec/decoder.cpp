#include "fec/decoder.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/byte_writer.hpp"

namespace p2pa::fec {
namespace {

void add_symbol(Bytes& to, std::uint8_t factor, ByteView symbol) {
  if (to.size() < symbol.size()) to.resize(symbol.size());
  gf256::add_multiple(to, factor, symbol);
}

/// The bytes of a symbol that count; 0 when its length is none: somebody sent nonsense.
std::size_t used_size(ByteView symbol) {
  if (symbol.size() < kLengthBytes) return 0;
  const std::size_t size = kLengthBytes + (static_cast<std::size_t>(symbol[0]) << 8 | symbol[1]);
  return size <= symbol.size() ? size : 0;
}

}  // namespace

Result<void> Decoder::receive(ByteView packet) {
  const auto decoded = decode_packet(packet);
  if (!decoded) return std::unexpected(decoded.error());
  fresh_.clear();
  std::visit([this](const auto& what) { take(what); }, *decoded);
  return {};
}

std::optional<Decoder::Known> Decoder::poll() {
  if (fresh_.empty()) return std::nullopt;
  const std::uint64_t number = fresh_.front();
  fresh_.pop_front();
  slot(number).state = State::kTold;
  return Known{number, *body(number), slot(number).arrived};
}

std::optional<ByteView> Decoder::body(std::uint64_t number) const {
  if (number < begin() || number >= end_ || slot(number).state != State::kTold) return std::nullopt;
  return ByteView(slot(number).symbol).subspan(kLengthBytes);
}

void Decoder::take(const Source& source) {
  const auto number = expand(source.number);
  if (!number) return;
  if (*number >= end_) advance(*number + 1);
  Slot& slot = this->slot(*number);
  slot.arrived = true;
  if (slot.state != State::kMissing) return;
  slot.symbol.clear();
  slot.symbol.reserve(kLengthBytes + source.body.size());
  ByteWriter writer(slot.symbol);
  writer.big_endian(static_cast<std::uint16_t>(source.body.size()));
  writer.append(source.body);
  know(*number);
  substitute(*number);
  solve();
}

void Decoder::take(const Repair& repair) {
  const auto first = expand(repair.first);
  if (!first) return;
  const std::uint64_t last = *first + repair.count;
  if (last > end_) advance(last);
  if (*first < begin()) return;
  // One shorter than what it is made of was made by nobody who has it.
  for (std::uint64_t n = *first; n < last; ++n) {
    if (slot(n).state != State::kMissing && slot(n).symbol.size() > repair.symbol.size()) return;
  }
  Equation equation;
  bool useful = false;
  for (std::uint64_t n = *first; n < last; ++n) {
    if (slot(n).state != State::kMissing) continue;
    equation.factors[n % kSpan] = factor(n, repair.number);
    useful = true;
  }
  if (!useful) return;
  equation.sum.reserve(kSymbolBytesMax);
  equation.sum.assign(repair.symbol.begin(), repair.symbol.end());
  for (std::uint64_t n = *first; n < last; ++n) {
    if (slot(n).state != State::kMissing) add_symbol(equation.sum, factor(n, repair.number), slot(n).symbol);
  }
  insert(std::move(equation));
  solve();
}

std::optional<std::uint64_t> Decoder::expand(std::uint32_t number) const {
  const auto distance = static_cast<std::int32_t>(number - static_cast<std::uint32_t>(end_));
  if (distance < 0 && static_cast<std::uint64_t>(-static_cast<std::int64_t>(distance)) > end_ - begin()) {
    return std::nullopt;
  }
  return end_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(distance));
}

/// What falls out of the span is forgotten, with every equation that needs it.
void Decoder::advance(std::uint64_t end) {
  for (std::size_t walked = 0; end_ < end && walked < kSpan; ++walked) {
    const std::size_t column = end_ % kSpan;
    std::erase_if(equations_, [column](const Equation& e) { return e.factors[column] != 0; });
    slot(end_).state = State::kMissing;
    slot(end_).arrived = false;
    ++end_;
    judge();
  }
  // Whoever jumps over more than the span is believed: all of it is missing.
  end_ = end;
  judge();
}

void Decoder::judge() {
  while (judged_end_ + kReorderMax < end_) {
    if (judged_end_ + kSpan < end_) {  // jumped over, so without a slot
      const std::uint64_t skipped = end_ - kSpan - judged_end_;
      report_.judged += skipped;
      report_.lost += skipped;
      if (!last_judged_lost_) ++report_.runs;
      last_judged_lost_ = true;
      judged_end_ += skipped;
      continue;
    }
    const bool lost = !slot(judged_end_).arrived;
    ++report_.judged;
    if (lost) ++report_.lost;
    if (lost && !last_judged_lost_) ++report_.runs;
    last_judged_lost_ = lost;
    ++judged_end_;
  }
}

void Decoder::know(std::uint64_t number) {
  slot(number).state = State::kKnown;
  fresh_.push_back(number);
}

/// A body came by itself though equations wait for it.
void Decoder::substitute(std::uint64_t number) {
  const std::size_t column = number % kSpan;
  std::optional<Equation> without_pivot;
  for (std::size_t i = 0; i < equations_.size();) {
    Equation& equation = equations_[i];
    const std::uint8_t by = std::exchange(equation.factors[column], std::uint8_t{0});
    if (by == 0) {
      ++i;
      continue;
    }
    add_symbol(equation.sum, by, slot(number).symbol);
    if (equation.pivot == number) {  // only one has it
      without_pivot = std::move(equation);
      equations_.erase(equations_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
  if (without_pivot) insert(std::move(*without_pivot));
}

void Decoder::add(Equation& to, std::uint8_t by, const Equation& from) {
  gf256::add_multiple(to.factors, by, from.factors);
  add_symbol(to.sum, by, from.sum);
}

void Decoder::insert(Equation equation) {
  for (const Equation& other : equations_) {
    // By value: the addition changes it.
    const std::uint8_t by = equation.factors[other.pivot % kSpan];
    if (by != 0) add(equation, by, other);
  }
  std::uint64_t pivot = begin();
  while (pivot < end_ && equation.factors[pivot % kSpan] == 0) ++pivot;
  if (pivot == end_) return;  // says nothing new
  const std::uint8_t by = gf256::inverse(equation.factors[pivot % kSpan]);
  gf256::scale(equation.factors, by);
  gf256::scale(equation.sum, by);
  equation.pivot = pivot;
  for (Equation& other : equations_) {
    const std::uint8_t there = other.factors[pivot % kSpan];
    if (there != 0) add(other, there, equation);
  }
  if (equations_.size() == kEquationsMax) {
    equations_.erase(std::ranges::min_element(equations_, {}, &Equation::pivot));
  }
  equations_.push_back(std::move(equation));
}

/// Equations with one body left. No other equation has that body, so none changes by it.
void Decoder::solve() {
  for (std::size_t i = 0; i < equations_.size();) {
    Equation& equation = equations_[i];
    const auto unknown = std::ranges::count_if(equation.factors, [](std::uint8_t f) { return f != 0; });
    if (unknown > 1) {
      ++i;
      continue;
    }
    if (const std::size_t size = used_size(equation.sum); size != 0) {
      Slot& slot = this->slot(equation.pivot);
      slot.symbol.assign(equation.sum.begin(), equation.sum.begin() + static_cast<std::ptrdiff_t>(size));
      know(equation.pivot);
      ++recovered_;
    }
    equations_.erase(equations_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace p2pa::fec
