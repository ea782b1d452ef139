#include "transport/noise/handshake_xx.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "base/assert.hpp"

namespace p2pa::noise {

/// A key that is sent, or two whose secret is mixed in: the first letter is the initiator's key.
enum class HandshakeXx::Token : std::uint8_t { kE, kS, kEe, kEs, kSe };

struct HandshakeXx::Pattern {
  std::array<Token, 4> tokens;
  std::size_t count;

  std::span<const Token> view() const { return std::span(tokens).first(count); }
};

// XX:  -> e    <- e, ee, s, es    -> s, se
const HandshakeXx::Pattern HandshakeXx::kPattern[kMessages] = {
    {{Token::kE}, 1},
    {{Token::kE, Token::kEe, Token::kS, Token::kEs}, 4},
    {{Token::kS, Token::kSe}, 2},
};

HandshakeXx::HandshakeXx(bool initiator, const crypto::X25519KeyPair& static_key,
                         ByteView ephemeral_secret, ByteView prologue)
    : initiator_(initiator), static_(static_key), ephemeral_(ephemeral_secret) {
  symmetric_.mix_hash(prologue);
}

Result<void> HandshakeXx::write(ByteView payload, Bytes& out) {
  P2PA_ASSERT(our_turn());
  const std::size_t before = out.size();
  for (const Token token : kPattern[message_].view()) {
    if (const auto written = write_token(token, out); !written) return written;
  }
  symmetric_.encrypt_and_hash(payload, out);
  P2PA_ASSERT(out.size() - before <= kMessageBytesMax);
  ++message_;
  return {};
}

Result<void> HandshakeXx::read(ByteView message, Bytes& payload) {
  P2PA_ASSERT(!our_turn() && !done());
  for (const Token token : kPattern[message_].view()) {
    if (const auto taken = read_token(token, message); !taken) return taken;
  }
  if (const auto opened = symmetric_.decrypt_and_hash(message, payload); !opened) return opened;
  ++message_;
  return {};
}

void HandshakeXx::split(CipherState& sending, CipherState& receiving) const {
  P2PA_ASSERT(done());
  symmetric_.split(initiator_ ? sending : receiving, initiator_ ? receiving : sending);
}

void HandshakeXx::split(MutableBytes sending, MutableBytes receiving) const {
  P2PA_ASSERT(done());
  symmetric_.split(initiator_ ? sending : receiving, initiator_ ? receiving : sending);
}

Result<void> HandshakeXx::write_token(Token token, Bytes& out) {
  switch (token) {
    case Token::kE: {
      const auto& key = ephemeral_.public_key();
      out.insert(out.end(), key.begin(), key.end());
      symmetric_.mix_hash(key);
      return {};
    }
    case Token::kS: symmetric_.encrypt_and_hash(static_.public_key(), out); return {};
    default: return mix_shared(token);
  }
}

Result<void> HandshakeXx::read_token(Token token, ByteView& message) {
  if (token != Token::kE && token != Token::kS) return mix_shared(token);
  const std::size_t size = crypto::kX25519Size + (token == Token::kS ? symmetric_.overhead() : 0);
  if (message.size() < size) return fail(Code::kHandshake, "noise: a handshake message without its keys");
  const ByteView sent = message.first(size);
  message = message.subspan(size);
  if (token == Token::kE) {
    std::ranges::copy(sent, peer_ephemeral_.begin());
    symmetric_.mix_hash(sent);
    return {};
  }
  Bytes key;
  if (const auto opened = symmetric_.decrypt_and_hash(sent, key); !opened) return opened;
  std::ranges::copy(key, peer_static_.begin());
  return {};
}

Result<void> HandshakeXx::mix_shared(Token token) {
  const bool our_static = token == (initiator_ ? Token::kSe : Token::kEs);
  const bool their_static = token == (initiator_ ? Token::kEs : Token::kSe);
  const auto& ours = our_static ? static_ : ephemeral_;
  crypto::X25519Secret shared;
  if (const auto agreed = ours.agree(their_static ? peer_static_ : peer_ephemeral_, shared); !agreed) {
    return agreed;
  }
  symmetric_.mix_key(shared.view());
  return {};
}

}  // namespace p2pa::noise
