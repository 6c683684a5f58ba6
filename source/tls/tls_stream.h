// TlsStream: TLS as a Stream over any Stream, in either role, nested as deep as one likes. OpenSSL sees nothing but
// memory: what the stream below gave in one large read feeds many records, and the records of one write leave in one
// write. While nothing moves it holds no buffer, only what is half done: bytes of records that nobody has read yet, and
// records that the stream below has not taken yet.
//
//   Read                 kEnd after close_notify; kFailed with kSevered where the stream below ended without it: what
//                        came may have been cut short by anybody on the way (RFC 8446 6.1)
//   Write                once it is encrypted it goes out, sooner or later: a write that did not fit below is taken but
//                        for its last byte, so that whoever writes comes again
//   Finish               close_notify, then the end of the stream below; reading goes on
//
// The context that made it (tls_context.h) says who is believed and what is offered. Single-threaded.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "source/base/buffer.h"
#include "source/base/failure.h"
#include "source/event/task.h"
#include "source/io/stream.h"
#include "source/tls/tls_alert.h"
#include "source/tls/tls_facts.h"

namespace egret {

class TlsStream final : public Stream {
 public:
  enum class Role : uint8_t { kClient, kServer };

  // `ssl`: fresh, with all that the handshake needs; taken. `context`: what its callbacks refer to.
  TlsStream(std::unique_ptr<Stream> lower, SSL* ssl, Role role, std::shared_ptr<const void> context);
  ~TlsStream() override;

  // Until both sides agree, or why they do not; callers bound the time. Afterwards facts are known. After a failure the
  // alert for the peer has been written, as far as the stream below took it; nothing can be read or written any more.
  Task<Failure> Handshake();

  // What is known once the handshake is done; all of it is text that is safe to log.
  std::string_view version() const;  // "TLSv1.3"
  std::string_view cipher() const;   // "TLS_AES_128_GCM_SHA256"
  std::string_view alpn() const;     // what was agreed on; empty: nothing
  std::string_view sni() const;      // what the client named; empty: nothing
  bool resumed() const;
  TlsFacts Facts() const;               // all of it, to keep
  X509* peer_certificate() const;       // null: none was shown. Verified, where the context verifies
  const std::string& peer_key() const;  // of that, see KeySha256Of(); empty: none
  const StapleVerdict& staple() const;  // what the server proved of its certificate's state; lives for ever
  // Why it failed, in words of the TLS library, never the peer's: "alert received: unknown CA"; empty: it did not.
  const std::string& detail() const { return detail_; }
  // What kind of failure that was: kTlsAlert, kTlsCertificate, kTlsName, kTlsProtocol; kNone: none of TLS. A client
  // of TLS 1.3 may hear only afterwards that the server did not believe it.
  Fault fault() const { return fault_; }
  // What says the same to somebody else: a certificate that expired, one of an unknown CA, a handshake that failed.
  TlsAlert alert() const;
  // The alert that the peer sent (RFC 8446 6.2); 0: none.
  int alert_received() const { return alert_received_; }

  bool spoke() const { return spoke_; }  // whether the peer has sent anything once the handshake was done
  bool heard() const { return heard_; }  // whether the peer has sent anything at all

  Stream& lower() { return *lower_; }

  using Stream::Write;
  Io Read(std::span<char> into) override;
  Io Write(std::span<const iovec> pieces) override;
  Io Finish() override;
  void Abort() override { lower_->Abort(); }
  Gate& ReadGate() override;
  Gate& WriteGate() override;
  Gate& GoneGate() override { return lower_->GoneGate(); }
  Gate& PeerDoneGate() override;

 private:
  friend struct TlsBio;

  // Ciphertext that was read and that the library has not asked for yet.
  class Input {
   public:
    bool empty() const { return left_ == 0; }
    Io Fill(Stream& from, size_t wanted);
    size_t Take(char* into, size_t most);
    void Park();  // gives a borrowed buffer back; what is left moves into a block of its size

   private:
    std::optional<Buffer> buffer_;
    std::unique_ptr<char[]> block_;
    const char* at_ = nullptr;
    size_t left_ = 0;
  };

  bool HasInput() const { return !input_.empty() || SSL_pending(ssl_) > 0; }
  Io Judge(int outcome);
  Io Encrypt(std::span<const iovec> pieces, size_t skip, size_t most);
  Io Seal(const char* bytes, size_t size);
  bool Put(std::string_view record);
  void Send(std::string_view& records);
  Io Flush();
  Io Broken(int error);
  void Explain(unsigned long error);
  Failure FailureOfHandshake() const;
  bool TicketsMayWait() const;

  std::unique_ptr<Stream> lower_;
  SSL* ssl_;
  std::shared_ptr<const void> context_;
  Input input_;
  std::string pending_;  // records that the stream below has not taken
  size_t pending_at_ = 0;
  Buffer* batch_ = nullptr;  // while a write is made of several records
  size_t batched_ = 0;
  size_t fill_ = 0;  // how much may be read from below now; 0: nothing
  Io read_end_{Io::kAgain};
  int broken_ = 0;       // the error that every further call gets
  int lower_error_ = 0;  // of the stream below
  Fault fault_ = Fault::kNone;
  int alert_received_ = 0;
  const Role role_;
  bool established_ = false;
  bool heard_ = false;
  bool spoke_ = false;
  bool lower_ended_ = false;
  bool writing_ = false;           // Put() may write to the stream below
  bool held_back_ = false;         // the last byte of what was encrypted is still owed to the writer
  bool read_wants_write_ = false;  // reading waits until the stream below takes more
  bool said_goodbye_ = false;
  std::string detail_;
  mutable std::string peer_key_;  // once somebody asked
};

}  // namespace egret
