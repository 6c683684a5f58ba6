// One end of a conversation that a test's script holds: it says, hears and ends. It remembers all that it heard.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/event/task.h"
#include "source/io/stream.h"
#include "source/tls/tls_context.h"
#include "test/support/http_text.h"

namespace egret {

class Peer {
 public:
  // How the other end ended its side.
  enum class End { kNone, kFin, kReset };

  explicit Peer(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  // Script steps; false: the other end would not have it, or ended first.
  Task<bool> Say(std::string bytes);
  Task<bool> Hear(size_t bytes);
  Task<bool> HearUntil(std::string mark);  // and with it
  Task<bool> HearHttp(HttpKind kind);
  // Interim responses and the final one.
  Task<bool> HearAnswer(HttpKind kind = HttpKind::kResponse);
  Task<bool> HearEnd();  // always true
  // From here on what is said and heard goes through TLS, of which this end is the client or the server. All outlive
  // the step.
  [[clang::coro_wrapper]] Task<bool> StartTls(const TlsClientContext& context, const std::string& host,
                                              const std::vector<std::string>& alpn);
  [[clang::coro_wrapper]] Task<bool> AnswerTls(const TlsServerContext& context);

  // What the last step heard.
  std::string_view last() const { return std::string_view(heard_).substr(before_, at_ - before_); }
  const HttpText& http() const { return http_; }

  void Finish() { stream_->Finish(); }
  // FIN, or where asked (or bytes are unread) RST. No step may be under way.
  void Close(bool reset = false);
  bool closed() const { return stream_ == nullptr; }

  // At most so many bytes are read in one turn of the loop; 0: as many as come.
  void set_pace(size_t bytes) { pace_ = bytes; }

  const std::string& heard() const { return heard_; }
  End end() const { return end_; }

 private:
  Task<bool> More();
  Task<bool> ShakeHands(std::unique_ptr<TlsStream> tls);
  void Take(size_t bytes);

  std::unique_ptr<Stream> stream_;
  size_t pace_ = 0;
  std::string heard_;
  size_t before_ = 0, at_ = 0;  // the last step's bytes
  HttpText http_;
  End end_ = End::kNone;
};

}  // namespace egret
