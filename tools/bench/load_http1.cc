#include "tools/bench/load_http1.h"

#include <cerrno>
#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "tools/bench/channel.h"
#include "tools/bench/response_reader.h"

namespace egret::bench {
namespace {

// An operation that fails is counted and its connection closed; the next one opens another.
class Http1Client final : public Client {
 public:
  explicit Http1Client(Run& run) : run_(run), plan_(run.plan()) {}

  void Begin() override {
    waits_ = false;
    const std::string authority = run_.NextAuthority();
    began_ = run_.Began();
    if (channel_.open()) return SendRequest();
    Prepare(authority);
    const Dialled dialled = Dial(plan_.proxy);
    if (dialled.fd < 0) return Fail("the proxy cannot be reached");
    channel_.Open(dialled.fd);
    if (plan_.tls) channel_.Encrypt("localhost", "");
    step_ = Step::kDialling;
    run_.poller().Add(dialled.fd, dialled.connected ? EPOLLIN : EPOLLOUT, this);
    if (dialled.connected) Shake();
  }

  void OnEvent(uint32_t events) override {
    Advance(events);
    if (step_ != Step::kIdle || waits_ || !run_.more()) return;
    if (!run_.paced()) return Begin();
    waits_ = true;
    run_.AwaitTurn(*this);
  }

 private:
  enum class Step : uint8_t { kIdle, kDialling, kHandshake, kConnectReply, kRequest };

  void Prepare(const std::string& authority) {
    if (plan_.answer_bytes) {
      request_ = Cat("\x01", *plan_.answer_bytes, "\n");
    } else {
      request_ = Cat("GET ", plan_.work == Plan::Work::kForward ? Cat("http://", authority) : "", plan_.path,
                     " HTTP/1.1\r\nHost: ", authority, "\r\n\r\n");
    }
    host_ = HostOf(authority);
    connect_ = Cat("CONNECT ", authority, " HTTP/1.1\r\nHost: ", authority, "\r\n\r\n");
  }

  void Advance(uint32_t events) {
    if (step_ == Step::kDialling) {
      if (events & (EPOLLERR | EPOLLHUP)) return Fail("the proxy does not accept");
      run_.poller().Modify(channel_.fd(), EPOLLIN, this);
      return Shake();
    }
    if (step_ == Step::kHandshake) return Shake();
    do {
      if (!Receive()) return;
    } while (channel_.holds_more());
  }

  void Shake() {
    step_ = Step::kHandshake;
    switch (channel_.Handshake()) {
      case Channel::Shake::kMore:
        return;
      case Channel::Shake::kFailed:
        return Fail("the TLS handshake failed");
      case Channel::Shake::kDone:
        return Connected();
    }
  }
  void Connected() {
    if (plan_.work == Plan::Work::kForward || tunnel_) return SendRequest();
    step_ = Step::kConnectReply;
    response_.Begin(/*has_body=*/false);
    Send(connect_);
  }
  void TunnelOpen() {
    tunnel_ = true;
    if (plan_.inside) channel_.Encrypt(host_, "http/1.1");
    Shake();
  }
  void SendRequest() {
    step_ = Step::kRequest;
    if (plan_.answer_bytes) {
      response_.BeginBytes(*plan_.answer_bytes);
    } else {
      response_.Begin(/*has_body=*/true);
    }
    Send(request_);
  }
  void Send(std::string_view bytes) {
    if (!channel_.Send(bytes)) Fail("a request could not be sent");
  }

  // False: nothing more is to be read now.
  bool Receive() {
    const ssize_t n = channel_.Receive(run_.buffer(), Run::kBufferBytes);
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) {
      // Between two operations a proxy may close.
      step_ == Step::kIdle ? Close() : Fail("closed in the middle of an operation");
      return false;
    }
    run_.Received(static_cast<size_t>(n));
    switch (response_.Take(std::string_view(run_.buffer(), static_cast<size_t>(n)))) {
      case ResponseReader::State::kMore:
        return true;
      case ResponseReader::State::kBad:
        Fail(Cat("unexpected response: ", response_.FirstLine()));
        return false;
      case ResponseReader::State::kDone:
        step_ == Step::kConnectReply ? TunnelOpen() : Finish();
        return false;
    }
    return false;
  }

  void Finish() {
    if (plan_.work == Plan::Work::kConnect || plan_.handshakes || response_.closes()) Close();
    step_ = Step::kIdle;
    run_.Succeeded(began_);
  }
  void Fail(std::string_view why) {
    Close();
    run_.Failed(why);
  }
  void Close() {
    channel_.Close();
    tunnel_ = false;
    step_ = Step::kIdle;
  }

  Run& run_;
  const Plan& plan_;
  Channel channel_;
  Step step_ = Step::kIdle;
  bool tunnel_ = false;  // CONNECT has been answered
  bool waits_ = false;   // for its turn
  std::string host_, request_, connect_;
  ResponseReader response_;
  Clock::time_point began_;
};

}  // namespace

std::unique_ptr<Client> MakeHttp1Client(Run& run) { return std::make_unique<Http1Client>(run); }

}  // namespace egret::bench
