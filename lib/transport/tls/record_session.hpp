#pragma once
// A GnuTLS session between bytes and bytes: what every kind of TLS on a byte stream of ours is made of.

#include <cstddef>
#include <cstdint>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

struct gnutls_session_int;

namespace p2pa::tls {

/// Gives GnuTLS whole records only, and keeps none: what is not complete stays with the caller. Its answers
/// are GnuTLS's codes; error_of() says what they mean to others.
class RecordSession final {
 public:
  /// Of the peer's records in a handshake, and of those in a row after it that bring no data: thrice what the
  /// largest certificate needs. GnuTLS itself would gather a message of 16 MiB before it looks at its size.
  static constexpr std::size_t kHandshakeBytesMax = 32 * 1024;
  /// RFC 8446 §5.1: the most plain text of a record.
  static constexpr std::size_t kFragmentMax = 16'384;
  /// What seal() adds at most: TLS 1.2 adds more to a record than 1.3, and a peer may want small ones.
  static constexpr std::size_t kOverheadMax = 1024, kOverheadMax13 = 768;

  struct Step {
    int code = 0;           ///< GnuTLS's: 0: done; GNUTLS_E_AGAIN; or an error
    std::size_t taken = 0;  ///< bytes of the input
  };
  struct Progress {
    int code = 0;           ///< GnuTLS's, of what came behind what was made, and again ever after; 0: none
    std::size_t taken = 0;  ///< bytes of the input
    std::size_t made = 0;   ///< bytes of the output
  };

  /// Takes the session, but for the pointer of gnutls_session_set_ptr().
  explicit RecordSession(gnutls_session_int* session);
  ~RecordSession();
  RecordSession(const RecordSession&) = delete;
  RecordSession& operator=(const RecordSession&) = delete;

  gnutls_session_int* get() const { return session_; }

  /// Goes on with the handshake as far as `in` allows, and appends what is to be sent.
  Step handshake(ByteView in, Bytes& out);
  /// Appends the alert that belongs to an error of handshake(), or to one that the caller found.
  void alert(int code, Bytes& out);
  /// The handshake is over, for the caller too.
  void on_established();

  /// Opens records while there is room for one more. The record that ends it is not taken.
  /// REQUIRES on_established(), as all below, and out.size() >= kFragmentMax.
  Progress open(ByteView in, MutableBytes out);
  /// Makes one record, or several where the peer wants small ones; says their size. REQUIRES
  /// 0 < plain.size() <= kFragmentMax, out.size() >= plain.size() + kOverheadMax (TLS 1.3: kOverheadMax13);
  /// neither close() before nor an error of open() but the peer's close. Throws std::bad_alloc.
  std::size_t seal(ByteView plain, MutableBytes out);
  /// Appends the notice that nothing follows, or after an error of open() the alert that says so.
  void close(Bytes& out);

  /// kConnectionClosed: the peer's close, once established. kRefused: its alert (detail). kOutOfMemory.
  /// Otherwise our own alert (detail), as kHandshake or, once established, kProtocolViolation.
  Error error_of(int code) const;

 private:
  struct Callbacks;  // GnuTLS's way to us

  std::ptrdiff_t next_record(ByteView in) const;

  gnutls_session_int* const session_;
  bool established_ = false;
  std::uint8_t lowest_type_;  // of the records that may come
  int end_ = 0;               // after which open() answers no more
  std::size_t no_data_ = 0;   // bytes of records since the last that brought data
  ByteView input_;            // of the call under way
  Bytes* output_ = nullptr;   // of the call under way, to be appended to; without it:
  MutableBytes room_;         // to be filled from its front
};

}  // namespace p2pa::tls
