#include "tools/bench/load_http2.h"

#include <nghttp2/nghttp2.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"
#include "tools/bench/channel.h"
#include "tools/bench/response_reader.h"

namespace egret::bench {
namespace {

constexpr int32_t kWindow = (1 << 30) - 1;  // a client that never holds anybody up

// One operation at a time: a stream of its own (forward), or a request through a standing tunnel.
struct Lane {
  int32_t stream = -1;  // -1: none is open
  bool answered = false;
  bool bad = false;
  bool busy = false;
  std::string unsent;  // of a tunnel's request
  uint64_t received = 0;
  Clock::time_point began;
};

nghttp2_nv Pair(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

class Http2Client final : public Client {
 public:
  explicit Http2Client(Run& run) : run_(run), plan_(run.plan()), lanes_(plan_.streams) {}
  ~Http2Client() override { nghttp2_session_del(session_); }

  void Begin() override {
    for (Lane& lane : lanes_) {
      lane.busy = true;
      lane.began = run_.Began();
    }
    if (!channel_.open()) return Open();
    for (Lane& lane : lanes_) Ask(lane);
    Flush();
  }

  void OnEvent(uint32_t events) override {
    switch (step_) {
      case Step::kDialling:
        if (events & (EPOLLERR | EPOLLHUP)) return Break("the proxy does not accept");
        run_.poller().Modify(channel_.fd(), EPOLLIN, this);
        return Connected();
      case Step::kConnectReply:
        return TakeConnectReply();
      case Step::kHandshake:
        return Shake();
      case Step::kSession:
        return FromProxy();
    }
  }

 private:
  enum class Step : uint8_t { kDialling, kConnectReply, kHandshake, kSession };

  void FromProxy() {
    do {
      if (!Receive()) return;
    } while (channel_.holds_more());
    for (Lane& lane : lanes_) {
      if (lane.busy || !run_.more()) continue;
      lane.busy = true;
      lane.began = run_.Began();
      Ask(lane);
    }
    Flush();
  }

  // False: nothing is there, or the connection is over.
  bool Receive() {
    const ssize_t n = channel_.Receive(run_.buffer(), Run::kBufferBytes);
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) {
      Break("the proxy closed the connection");
      return false;
    }
    run_.Received(static_cast<size_t>(n));
    if (nghttp2_session_mem_recv(session_, reinterpret_cast<uint8_t*>(run_.buffer()), static_cast<size_t>(n)) == n)
      return true;
    Break("what came is not HTTP/2");
    return false;
  }

  bool tunnels() const { return plan_.work == Plan::Work::kTunnel; }

  void Open() {
    const Dialled dialled = Dial(plan_.proxy);
    if (dialled.fd < 0) return Break("the proxy cannot be reached");
    channel_.Open(dialled.fd);
    step_ = Step::kDialling;
    run_.poller().Add(dialled.fd, dialled.connected ? EPOLLIN : EPOLLOUT, this);
    if (dialled.connected) Connected();
  }

  void Connected() {
    if (!plan_.inside) return Speak();
    const std::string authority = run_.NextAuthority();
    host_ = HostOf(authority);
    step_ = Step::kConnectReply;
    response_.Begin(/*has_body=*/false);
    if (!channel_.Send(Cat("CONNECT ", authority, " HTTP/1.1\r\nHost: ", authority, "\r\n\r\n")))
      Break("CONNECT could not be sent");
  }

  void TakeConnectReply() {
    const ssize_t n = channel_.Receive(run_.buffer(), Run::kBufferBytes);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return Break("the proxy closed the connection");
    switch (response_.Take(std::string_view(run_.buffer(), static_cast<size_t>(n)))) {
      case ResponseReader::State::kMore:
        return;
      case ResponseReader::State::kBad:
        return Break(Cat("unexpected response: ", response_.FirstLine()));
      case ResponseReader::State::kDone:
        channel_.Encrypt(host_, "h2");
        return Shake();
    }
  }

  void Shake() {
    step_ = Step::kHandshake;
    switch (channel_.Handshake()) {
      case Channel::Shake::kMore:
        return;
      case Channel::Shake::kFailed:
        return Break("the TLS handshake failed");
      case Channel::Shake::kDone:
        return Speak();
    }
  }

  void Speak() {
    step_ = Step::kSession;
    static nghttp2_session_callbacks* const callbacks = MakeCallbacks();
    nghttp2_session_client_new(&session_, callbacks, this);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                               {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindow);
    for (Lane& lane : lanes_) Ask(lane);
    Flush();
  }

  void Ask(Lane& lane) {
    lane.received = 0;
    if (tunnels()) lane.unsent = Cat("\x01", *plan_.answer_bytes, "\n");
    if (lane.stream >= 0) {
      nghttp2_session_resume_data(session_, lane.stream);
      return;
    }
    lane.answered = lane.bad = false;
    const std::string authority = run_.NextAuthority();
    std::vector<nghttp2_nv> fields = {Pair(":method", tunnels() ? "CONNECT" : "GET"), Pair(":authority", authority)};
    if (!tunnels()) {
      fields.push_back(Pair(":scheme", plan_.scheme));
      fields.push_back(Pair(":path", plan_.path));
    }
    if (!plan_.content_type.empty()) fields.push_back(Pair("content-type", plan_.content_type));
    nghttp2_data_provider provider{};
    provider.read_callback = Give;
    lane.stream =
        nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), tunnels() ? &provider : nullptr, &lane);
  }

  void Flush() {
    std::string out;
    for (;;) {
      const uint8_t* frames = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &frames);
      if (size <= 0) break;
      out.append(reinterpret_cast<const char*>(frames), static_cast<size_t>(size));
    }
    if (!out.empty() && !channel_.Send(out)) Break("requests could not be sent");
  }

  // Everything on the connection has failed; the next run opens another one.
  void Break(std::string_view why) {
    channel_.Close();
    nghttp2_session_del(std::exchange(session_, nullptr));
    for (Lane& lane : lanes_) {
      lane.stream = -1;
      if (std::exchange(lane.busy, false)) run_.Failed(why);
    }
  }

  void Finish(Lane& lane) {
    if (std::exchange(lane.busy, false)) run_.Succeeded(lane.began);
  }
  void Fail(Lane& lane, std::string_view why) {
    if (std::exchange(lane.busy, false)) run_.Failed(why);
  }

  static Http2Client& Of(void* self) { return *static_cast<Http2Client*>(self); }
  static Lane* LaneOf(nghttp2_session* session, int32_t id) {
    return static_cast<Lane*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static ssize_t Give(nghttp2_session* session, int32_t id, uint8_t* into, size_t most, uint32_t*, nghttp2_data_source*,
                      void*) {
    Lane& lane = *LaneOf(session, id);
    const size_t n = std::min(most, lane.answered ? lane.unsent.size() : 0);
    if (n == 0) return NGHTTP2_ERR_DEFERRED;
    std::memcpy(into, lane.unsent.data(), n);
    lane.unsent.erase(0, n);
    return static_cast<ssize_t>(n);
  }
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void*) {
    Lane* const lane = LaneOf(session, frame->hd.stream_id);
    if (lane == nullptr || std::string_view(reinterpret_cast<const char*>(name), name_size) != ":status") return 0;
    if (std::string_view(reinterpret_cast<const char*>(value), value_size) != "200") lane->bad = true;
    return 0;
  }
  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    Lane* const lane = frame->hd.type == NGHTTP2_HEADERS ? LaneOf(session, frame->hd.stream_id) : nullptr;
    if (lane == nullptr || lane->bad) return 0;
    lane->answered = true;
    if (Of(self).tunnels()) nghttp2_session_resume_data(session, frame->hd.stream_id);
    return 0;
  }
  static int OnContent(nghttp2_session* session, uint8_t, int32_t id, const uint8_t*, size_t size, void* self) {
    Lane* const lane = LaneOf(session, id);
    if (lane == nullptr) return 0;
    lane->received += size;
    if (Of(self).tunnels() && lane->received == *Of(self).plan_.answer_bytes) Of(self).Finish(*lane);
    return 0;
  }
  static int OnClose(nghttp2_session* session, int32_t id, uint32_t code, void* self) {
    Lane* const lane = LaneOf(session, id);
    if (lane == nullptr) return 0;
    lane->stream = -1;
    const bool good = code == NGHTTP2_NO_ERROR && lane->answered && !lane->bad && !Of(self).tunnels();
    good ? Of(self).Finish(*lane) : Of(self).Fail(*lane, "a stream was refused, reset or answered by an error");
    return 0;
  }
  static nghttp2_session_callbacks* MakeCallbacks() {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, OnFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, OnContent);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, OnClose);
    return made;
  }

  Run& run_;
  const Plan& plan_;
  Channel channel_;
  Step step_ = Step::kDialling;
  std::string host_;
  ResponseReader response_;  // to CONNECT
  nghttp2_session* session_ = nullptr;
  std::vector<Lane> lanes_;
};

}  // namespace

std::unique_ptr<Client> MakeHttp2Client(Run& run) { return std::make_unique<Http2Client>(run); }

}  // namespace egret::bench
