#include "source/tls/tls_stream.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/tls/ocsp_staple.h"
#include "source/tls/peer_certificate.h"

namespace egret {
namespace {

constexpr size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;
// So many full records, each with its header and tag, fit into a large buffer.
constexpr size_t kBatchRecords = 15;
static_assert(kBatchRecords * (kRecord + SSL3_RT_HEADER_LENGTH + 64) <= Buffer::kLarge);
// And as many are read at once: what comes out of one session goes into another in one batch, without a small rest. In
// TLS 1.3 each has 17 bytes more than it says (RFC 8446 5.2).
constexpr size_t kMostRead = kBatchRecords * (kRecord + SSL3_RT_HEADER_LENGTH + 17);
// Beyond this nothing is answered any more to a peer that does not read (alerts, key updates).
constexpr size_t kMostUnasked = size_t{64} << 10;

size_t TotalOf(std::span<const iovec> pieces) {
  size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  return total;
}

// The library judges a call by what lies on its error queue, so nothing may lie there before.
void CleanErrors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

// The library's way to the stream. Its callbacks move bytes and note what happened; no coroutine runs inside them.
struct TlsBio {
  static TlsStream& Of(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* into, int size) {
    TlsStream& tls = Of(bio);
    BIO_clear_retry_flags(bio);
    if (tls.input_.empty()) {
      const Io io = tls.fill_ > 0 ? tls.input_.Fill(*tls.lower_, tls.fill_) : Io{Io::kAgain};
      if (io.again()) BIO_set_retry_read(bio);
      if (io.end()) tls.lower_ended_ = true;
      if (io.failed()) tls.lower_error_ = io.error != 0 ? io.error : ECONNRESET;
      if (io.kind != Io::kBytes) return io.end() ? 0 : -1;
      tls.heard_ = true;
    }
    return static_cast<int>(tls.input_.Take(into, static_cast<size_t>(size)));
  }

  static int Write(BIO* bio, const char* from, int size) {
    TlsStream& tls = Of(bio);
    BIO_clear_retry_flags(bio);
    if (!tls.writing_ && tls.pending_.size() - tls.pending_at_ > kMostUnasked) {
      BIO_set_retry_write(bio);
      return -1;
    }
    return tls.Put({from, static_cast<size_t>(size)}) ? size : -1;
  }

  static long Control(BIO* bio, int what, long, void*) {
    if (what == BIO_CTRL_FLUSH) return 1;
    if (what == BIO_CTRL_EOF) return Of(bio).lower_ended_ ? 1 : 0;
    return 0;
  }

  static BIO* Make(TlsStream& tls) {
    static const BIO_METHOD* const kMethod = [] {
      BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "egret stream");
      CHECK(method != nullptr);
      BIO_meth_set_read(method, Read);
      BIO_meth_set_write(method, Write);
      BIO_meth_set_ctrl(method, Control);
      return method;
    }();
    BIO* const bio = BIO_new(kMethod);
    CHECK(bio != nullptr);
    BIO_set_data(bio, &tls);
    BIO_set_init(bio, 1);
    return bio;
  }
};

// --- What comes in

Io TlsStream::Input::Fill(Stream& from, size_t wanted) {
  buffer_.emplace(wanted);
  const Io io = from.Read(buffer_->span().first(std::min(wanted, buffer_->size())));
  at_ = buffer_->data();
  left_ = io.kind == Io::kBytes ? io.bytes : 0;
  block_.reset();
  return io;
}

size_t TlsStream::Input::Take(char* into, size_t most) {
  const size_t n = std::min(most, left_);
  std::memcpy(into, at_, n);
  at_ += n;
  left_ -= n;
  return n;
}

void TlsStream::Input::Park() {
  if (buffer_ && left_ > 0) {
    block_ = std::make_unique_for_overwrite<char[]>(left_);
    std::memcpy(block_.get(), at_, left_);
    at_ = block_.get();
  }
  buffer_.reset();
  if (left_ == 0) block_.reset();
}

// --- The stream

TlsStream::TlsStream(std::unique_ptr<Stream> lower, SSL* ssl, Role role, std::shared_ptr<const void> context)
    : lower_(std::move(lower)), ssl_(ssl), context_(std::move(context)), role_(role) {
  BIO* const bio = TlsBio::Make(*this);
  SSL_set_bio(ssl_, bio, bio);
  if (role_ == Role::kServer) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

TlsStream::~TlsStream() {
  // Else the library takes the session for a bad one and forbids to resume it.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
}

Task<Failure> TlsStream::Handshake() {
  for (;;) {
    CleanErrors();
    fill_ = Buffer::kSmall;
    const int outcome = SSL_do_handshake(ssl_);
    input_.Park();
    const Io io = outcome == 1 ? Io{Io::kBytes} : Judge(outcome);
    if (io.kind == Io::kBytes) break;
    const Io flushed = Flush();
    if (!io.again() || flushed.failed()) co_return FailureOfHandshake();
    if (flushed.again()) {
      co_await lower_->Writable();
    } else {
      co_await lower_->Readable();
    }
  }
  // Of a session that goes on the certificate is not looked at again; its time may be over.
  X509* const certificate = peer_certificate();
  if (resumed() && certificate != nullptr && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    fault_ = Fault::kTlsCertificate;
    detail_ = "certificate refused: it expired after the session began";
    Broken(EPROTO);
    co_return FailureOfHandshake();
  }
  established_ = true;
  while (!TicketsMayWait()) {
    const Io flushed = Flush();
    if (flushed.failed()) co_return FailureOfHandshake();
    if (!flushed.again()) break;
    co_await lower_->Writable();
  }
  co_return Failure{};
}

// A server's last words in TLS 1.3 are session tickets, which nobody waits for: they leave with the first response.
bool TlsStream::TicketsMayWait() const { return role_ == Role::kServer && SSL_version(ssl_) >= TLS1_3_VERSION; }

Io TlsStream::Read(std::span<char> into) {
  if (!read_end_.again()) return read_end_;
  if (broken_ != 0) return Broken(broken_);
  // The library would borrow memory for a record only to hear that none has come.
  if (into.empty() || (pending_.empty() && !ReadGate().open())) return {Io::kAgain};
  size_t got = 0;
  fill_ = std::clamp(into.size(), Buffer::kSmall, kMostRead);
  do {
    CleanErrors();
    size_t n = 0;
    const int outcome = SSL_read_ex(ssl_, into.data() + got, into.size() - got, &n);
    if (outcome != 1) {
      read_end_ = Judge(outcome);
      break;
    }
    got += n;
    fill_ = 0;  // one read below feeds one read here
  } while (got < into.size() && HasInput());
  input_.Park();
  if (got > 0) {
    spoke_ = true;
    return {Io::kBytes, got};
  }
  if (!pending_.empty()) Flush();  // an alert, an answer to a key update, tickets
  return read_end_;
}

Io TlsStream::Write(std::span<const iovec> pieces) {
  if (broken_ != 0) return Broken(broken_);
  if (said_goodbye_) return {Io::kFailed, 0, EPIPE};
  const size_t total = TotalOf(pieces);
  size_t taken = 0;
  if (held_back_) {
    const Io flushed = Flush();
    if (flushed.kind != Io::kBytes) return flushed;
    held_back_ = false;
    taken = 1;
  }
  if (total == taken || !lower_->WriteGate().open()) return taken > 0 ? Io{Io::kBytes, taken} : Io{Io::kAgain};
  const size_t most = std::min(total - taken, kBatchRecords * kRecord);
  const Io sealed = Encrypt(pieces, taken, most);
  if (sealed.failed()) return sealed;
  taken += sealed.bytes;
  const Io flushed = Flush();
  if (flushed.failed()) return flushed;
  if (flushed.again()) {
    held_back_ = true;
    --taken;
  }
  return taken > 0 ? Io{Io::kBytes, taken} : Io{Io::kAgain};
}

// Makes records of `most` bytes behind the first `skip`. Small pieces share a record: a head and its body.
Io TlsStream::Encrypt(std::span<const iovec> pieces, size_t skip, size_t most) {
  std::optional<Buffer> batch;
  if (most > kRecord) {
    batch.emplace(Buffer::kLarge);
    batch_ = &*batch;
  }
  writing_ = true;
  std::optional<Buffer> shared;
  size_t in_shared = 0;
  size_t done = 0;
  Io io{Io::kBytes};
  for (size_t i = 0; i < pieces.size() && done < most && !io.failed(); ++i) {
    const size_t skipped = std::min(skip, pieces[i].iov_len);
    skip -= skipped;
    const char* bytes = static_cast<const char*>(pieces[i].iov_base) + skipped;
    size_t size = std::min(pieces[i].iov_len - skipped, most - done);
    done += size;
    const bool last = i + 1 == pieces.size() || done == most;
    while (size > 0 && !io.failed()) {
      if (in_shared == 0 && (last || size >= kRecord)) {
        const size_t whole = last ? size : size - size % kRecord;
        io = Seal(bytes, whole);
        bytes += whole;
        size -= whole;
        continue;
      }
      if (!shared) shared.emplace();
      const size_t n = std::min(size, kRecord - in_shared);
      std::memcpy(shared->data() + in_shared, bytes, n);
      in_shared += n;
      bytes += n;
      size -= n;
      if (in_shared == kRecord) {
        io = Seal(shared->data(), std::exchange(in_shared, 0));
      }
    }
  }
  if (in_shared > 0 && !io.failed()) io = Seal(shared->data(), in_shared);
  if (batched_ > 0) {
    std::string_view records(batch_->data(), std::exchange(batched_, 0));
    Send(records);
    pending_.append(records);
  }
  writing_ = false;
  batch_ = nullptr;
  if (lower_error_ != 0 && !io.failed()) io = Broken(lower_error_);
  return io.failed() ? io : Io{Io::kBytes, done};
}

Io TlsStream::Seal(const char* bytes, size_t size) {
  CleanErrors();
  size_t written = 0;
  const int outcome = SSL_write_ex(ssl_, bytes, size, &written);
  if (outcome == 1 && written == size) return {Io::kBytes, size};
  // Put() takes all there is, and nobody renegotiates: whatever this is, it cannot be gone on with.
  const Io io = outcome == 1 ? Io{Io::kFailed} : Judge(outcome);
  return Broken(io.failed() && io.error != 0 ? io.error : EPROTO);
}

// One record, or a part of a handshake: straight to the stream below where nothing has to go before it.
bool TlsStream::Put(std::string_view record) {
  if (pending_.empty() && batch_ != nullptr) {
    if (batched_ + record.size() > batch_->size()) {
      std::string_view records(batch_->data(), std::exchange(batched_, 0));
      Send(records);
      pending_.append(records);
    }
    if (pending_.empty() && batched_ + record.size() <= batch_->size()) {
      std::memcpy(batch_->data() + batched_, record.data(), record.size());
      batched_ += record.size();
      return true;
    }
  }
  if (pending_.empty() && writing_) Send(record);
  pending_.append(record);
  return lower_error_ == 0;
}

// Writes as much as the stream below takes, and drops it from `records`.
void TlsStream::Send(std::string_view& records) {
  while (!records.empty() && lower_error_ == 0) {
    const Io io = lower_->Write(records);
    if (io.again()) return;
    if (io.kind == Io::kBytes) {
      records.remove_prefix(io.bytes);
    } else {
      lower_error_ = io.error != 0 ? io.error : ECONNRESET;
    }
  }
}

// kBytes: nothing is left.
Io TlsStream::Flush() {
  if (pending_.empty()) return {Io::kBytes};
  std::string_view rest = std::string_view(pending_).substr(pending_at_);
  Send(rest);
  if (lower_error_ != 0) return Broken(lower_error_);
  pending_at_ = pending_.size() - rest.size();
  if (!rest.empty()) return {Io::kAgain};
  std::string().swap(pending_);
  pending_at_ = 0;
  return {Io::kBytes};
}

Io TlsStream::Finish() {
  if (established_ && broken_ == 0 && !said_goodbye_) {
    CleanErrors();
    const int outcome = SSL_shutdown(ssl_);
    if (outcome < 0 && Judge(outcome).again()) return Flush().failed() ? Broken(broken_) : Io{Io::kAgain};
    said_goodbye_ = true;
  }
  if (lower_error_ == 0 && Flush().again()) return {Io::kAgain};
  return lower_->Finish();
}

Gate& TlsStream::ReadGate() {
  if (!read_end_.again() || broken_ != 0 || HasInput()) return Gate::AlwaysOpen();
  return read_wants_write_ ? lower_->WriteGate() : lower_->ReadGate();
}

Gate& TlsStream::WriteGate() { return broken_ != 0 ? Gate::AlwaysOpen() : lower_->WriteGate(); }

Gate& TlsStream::PeerDoneGate() { return read_end_.end() ? Gate::AlwaysOpen() : lower_->PeerDoneGate(); }

// --- What went wrong

// What a call that did not succeed means. Leaves the library's error queue clean.
Io TlsStream::Judge(int outcome) {
  const int kind = SSL_get_error(ssl_, outcome);
  read_wants_write_ = kind == SSL_ERROR_WANT_WRITE;
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return {Io::kAgain};
  // The end of the stream below looks like a close_notify here (SSL_OP_IGNORE_UNEXPECTED_EOF), so that writing can go
  // on: the peer may have ended its side only, without a word.
  if (lower_ended_ && lower_error_ == 0) return established_ ? Io{Io::kFailed, 0, kSevered} : Broken(kSevered);
  if (kind == SSL_ERROR_ZERO_RETURN) return {Io::kEnd};
  const unsigned long error = ERR_peek_error();
  if (lower_error_ != 0) return Broken(lower_error_);
  Explain(error);
  ERR_clear_error();
  return Broken(EPROTO);
}

Io TlsStream::Broken(int error) {
  broken_ = error;
  ERR_clear_error();
  return {Io::kFailed, 0, error};
}

// In the library's words, which are fixed.
void TlsStream::Explain(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  const long verdict = SSL_get_verify_result(ssl_);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) {
    fault_ = Fault::kTlsAlert;
    alert_received_ = reason - SSL_AD_REASON_OFFSET;
    detail_ = Cat("alert received: ", SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
  } else if (verdict != X509_V_OK && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    const bool other_name = verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH;
    fault_ = other_name ? Fault::kTlsName : Fault::kTlsCertificate;
    detail_ = Cat("certificate refused: ", X509_verify_cert_error_string(verdict));
  } else if (verdict != X509_V_OK && reason == SSL_R_INVALID_STATUS_RESPONSE) {
    fault_ = Fault::kTlsCertificate;
    detail_ = Cat("certificate refused: ", staple().why);
  } else {
    fault_ = reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? Fault::kTlsCertificate : Fault::kTlsProtocol;
    const char* const text = ERR_reason_error_string(error);
    detail_ = text != nullptr ? text : "unknown error";
  }
}

TlsAlert TlsStream::alert() const {
  const bool certificate = fault_ == Fault::kTlsCertificate || fault_ == Fault::kTlsName;
  return certificate ? AlertForVerdict(SSL_get_verify_result(ssl_)) : TlsAlert::kHandshakeFailure;
}

Failure TlsStream::FailureOfHandshake() const {
  const bool server = role_ == Role::kServer;
  const Side side = server ? Side::kClient : Side::kUpstream;
  if (lower_error_ != 0) return {side, server ? Fault::kClientGone : Fault::kUpstreamReset};
  if (lower_ended_) return {side, server ? Fault::kClientEnded : Fault::kUpstreamClosed};
  return {side, fault_ != Fault::kNone ? fault_ : Fault::kTlsProtocol};
}

// --- What was agreed on

std::string_view TlsStream::version() const { return SSL_get_version(ssl_); }

std::string_view TlsStream::cipher() const {
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl_);
  return cipher != nullptr ? SSL_CIPHER_standard_name(cipher) : "";
}

std::string_view TlsStream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view TlsStream::sni() const {
  const char* const name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : "";
}

bool TlsStream::resumed() const { return SSL_session_reused(ssl_) == 1; }

TlsFacts TlsStream::Facts() const {
  TlsFacts facts;
  facts.version = version();
  facts.cipher = cipher();
  facts.sni = sni();
  facts.alpn = alpn();
  facts.resumed = resumed();
  if (X509* const certificate = peer_certificate()) facts.certificate = FactsOfCertificate(certificate);
  return facts;
}

const StapleVerdict& TlsStream::staple() const { return StapleOf(ssl_); }

X509* TlsStream::peer_certificate() const { return SSL_get0_peer_certificate(ssl_); }

const std::string& TlsStream::peer_key() const {
  if (X509* const certificate = peer_certificate(); certificate != nullptr && peer_key_.empty())
    peer_key_ = KeySha256Of(certificate);
  return peer_key_;
}

}  // namespace egret
