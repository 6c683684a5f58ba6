// The limit of a proxy that its clients speak HTTP/2 to: kernel and nghttp2 calls, and as much of HTTP/1.1 as nobody
// can do without. One thread, one epoll, no policy, no timers, no log. GET goes to a pooled connection to --origin,
// CONNECT to the address literal that it names; the frames of a turn leave in one send. Everything fits into socket
// buffers, or the program ends: requests and answers are small.
//
//   limit_http2 --origin ADDRESS:PORT --ready-file FILE
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/ip.h"
#include "source/base/strings.h"
#include "tools/bench/sockets.h"

namespace egret::bench {
namespace {

constexpr size_t kBufferBytes = size_t{256} * 1024;
constexpr int32_t kWindow = 1 << 20;

// What an event points to.
struct Source {
  enum class Type : uint8_t { kListener, kClient, kUpstream } type;
  int fd = -1;
};

struct Exchange;

struct Upstream : Source {
  Exchange* exchange = nullptr;  // null: idle
};

struct Client : Source {
  nghttp2_session* session = nullptr;
  bool touched = false;  // has frames to send at the end of the turn
};

struct Exchange {
  Client* client = nullptr;
  int32_t id = 0;
  bool tunnel = false;
  std::string authority, path;
  Upstream* upstream = nullptr;
  std::string head;  // of the response, until it is whole
  bool answered = false;
  uint64_t left = 0;    // of the response
  std::string content;  // that is to go
};

std::string_view Text(const uint8_t* bytes, size_t size) { return {reinterpret_cast<const char*>(bytes), size}; }

nghttp2_nv Pair(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

void SendAll(int fd, std::string_view bytes) {
  const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0 && static_cast<size_t>(sent) != bytes.size()) Die("more than a socket takes");
}

class Http2Limit {
 public:
  explicit Http2Limit(const Endpoint& origin)
      : origin_(origin), buffer_(std::make_unique<char[]>(kBufferBytes)), callbacks_(MakeCallbacks()) {
    listener_.type = Source::Type::kListener;
    listener_.fd = Listen({*IpAddress::Parse("127.0.0.1"), 0});
    poller_.Add(listener_.fd, EPOLLIN, &listener_);
  }

  Endpoint address() const { return BoundAddress(listener_.fd); }

  [[noreturn]] void Run() {
    for (;;) {
      for (const epoll_event& event : poller_.Wait()) OnEvent(*static_cast<Source*>(event.data.ptr));
      for (Client* const client : std::exchange(touched_, {})) Flush(*client);
    }
  }

 private:
  void OnEvent(Source& source) {
    switch (source.type) {
      case Source::Type::kListener:
        return Accept();
      case Source::Type::kClient:
        return FromClient(static_cast<Client&>(source));
      case Source::Type::kUpstream:
        return FromUpstream(static_cast<Upstream&>(source));
    }
  }

  void Accept() {
    const int fd = accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto* const client = new Client;
    client->type = Source::Type::kClient;
    client->fd = fd;
    nghttp2_session_server_new(&client->session, callbacks_, this);
    nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, nullptr, 0);
    nghttp2_session_set_local_window_size(client->session, NGHTTP2_FLAG_NONE, 0, kWindow);
    poller_.Add(fd, EPOLLIN, client);
    Touch(*client);
  }

  void FromClient(Client& client) {
    const ssize_t n = recv(client.fd, buffer_.get(), kBufferBytes, 0);
    if (n < 0 && errno == EAGAIN) return;
    receiving_ = &client;
    // With a client that leaves, the measurement is over.
    if (n <= 0) return poller_.Remove(client.fd);
    if (nghttp2_session_mem_recv(client.session, reinterpret_cast<uint8_t*>(buffer_.get()), static_cast<size_t>(n)) < 0)
      Die("nghttp2_session_mem_recv");
    Touch(client);
  }

  void FromUpstream(Upstream& upstream) {
    const ssize_t n = recv(upstream.fd, buffer_.get(), kBufferBytes, 0);
    if (n <= 0) Die("an origin closed a connection");
    if (upstream.exchange == nullptr) Die("an origin said more than it was asked for");
    Exchange& exchange = *upstream.exchange;
    std::string_view bytes(buffer_.get(), static_cast<size_t>(n));
    if (!exchange.answered && !Answer(exchange, bytes)) return;
    exchange.content.append(bytes);
    nghttp2_session_resume_data(exchange.client->session, exchange.id);
    Touch(*exchange.client);
    if (exchange.tunnel) return;
    exchange.left -= bytes.size();
    if (exchange.left > 0) return;
    upstream.exchange = nullptr;
    exchange.upstream = nullptr;
    idle_.push_back(&upstream);
  }

  // Once the response's head is whole: submits it, and drops it from `bytes`.
  bool Answer(Exchange& exchange, std::string_view& bytes) {
    const size_t before = exchange.head.size();
    exchange.head.append(bytes);
    const size_t end = exchange.head.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    bytes.remove_prefix(end + 4 - before);
    for (char& c : exchange.head) c = AsciiLower(c);  // names have to be, and of values nobody here cares
    std::string_view rest = std::string_view(exchange.head).substr(0, end);
    const std::string_view status = SplitFirst(rest, '\n').substr(9, 3);
    std::vector<nghttp2_nv> fields = {Pair(":status", status)};
    while (!rest.empty()) {
      std::string_view value = SplitFirst(rest, '\n');
      if (value.ends_with('\r')) value.remove_suffix(1);
      const std::string_view name = SplitFirst(value, ':');
      value = TrimOws(value);
      if (name == "connection") continue;
      if (name == "content-length") exchange.left = ParseDecimal<uint64_t>(value).value_or(0);
      fields.push_back(Pair(name, value));
    }
    Submit(exchange, fields);
    return true;
  }

  void Submit(Exchange& exchange, std::span<const nghttp2_nv> fields) {
    nghttp2_data_provider provider{};
    provider.read_callback = Give;
    nghttp2_submit_response(exchange.client->session, exchange.id, fields.data(), fields.size(), &provider);
    exchange.answered = true;
  }

  void Ask(Exchange& exchange) {
    if (exchange.tunnel) {
      exchange.upstream = &Dial(*Endpoint::Parse(exchange.authority));
      const nghttp2_nv fields[] = {Pair(":status", "200")};
      Submit(exchange, fields);
    } else {
      if (idle_.empty()) idle_.push_back(&Dial(origin_));
      exchange.upstream = idle_.back();
      idle_.pop_back();
      SendAll(exchange.upstream->fd, Cat("GET ", exchange.path, " HTTP/1.1\r\nHost: ", exchange.authority, "\r\n\r\n"));
    }
    exchange.upstream->exchange = &exchange;
  }

  Upstream& Dial(const Endpoint& to) {
    auto* const made = new Upstream;
    made->type = Source::Type::kUpstream;
    made->fd = DialAndWait(to);
    poller_.Add(made->fd, EPOLLIN, made);
    return *made;
  }

  void Touch(Client& client) {
    if (std::exchange(client.touched, true)) return;
    touched_.push_back(&client);
  }

  void Flush(Client& client) {
    client.touched = false;
    out_.clear();
    for (;;) {
      const uint8_t* frames = nullptr;
      const ssize_t size = nghttp2_session_mem_send(client.session, &frames);
      if (size <= 0) break;
      out_.append(Text(frames, static_cast<size_t>(size)));
    }
    if (!out_.empty()) SendAll(client.fd, out_);
  }

  static Http2Limit& Of(void* self) { return *static_cast<Http2Limit*>(self); }
  static Exchange* ExchangeOf(nghttp2_session* session, int32_t id) {
    return static_cast<Exchange*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int OnBegin(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    auto* const exchange = new Exchange;
    exchange->client = Of(self).receiving_;
    exchange->id = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, exchange->id, exchange);
    return 0;
  }
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void*) {
    Exchange& exchange = *ExchangeOf(session, frame->hd.stream_id);
    const std::string_view field = Text(name, name_size), text = Text(value, value_size);
    if (field == ":method") exchange.tunnel = text == "CONNECT";
    if (field == ":authority") exchange.authority = text;
    if (field == ":path") exchange.path = text;
    return 0;
  }
  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_HEADERS) Of(self).Ask(*ExchangeOf(session, frame->hd.stream_id));
    return 0;
  }
  static int OnContent(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* bytes, size_t size, void*) {
    SendAll(ExchangeOf(session, id)->upstream->fd, Text(bytes, size));
    return 0;
  }
  static ssize_t Give(nghttp2_session* session, int32_t id, uint8_t* into, size_t most, uint32_t* flags,
                      nghttp2_data_source*, void*) {
    Exchange& exchange = *ExchangeOf(session, id);
    const size_t n = std::min(most, exchange.content.size());
    std::memcpy(into, exchange.content.data(), n);
    exchange.content.erase(0, n);
    const bool end = !exchange.tunnel && exchange.left == 0 && exchange.content.empty();
    if (end) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return n == 0 && !end ? NGHTTP2_ERR_DEFERRED : static_cast<ssize_t>(n);
  }
  static int OnClose(nghttp2_session* session, int32_t id, uint32_t, void*) {
    delete ExchangeOf(session, id);
    return 0;
  }
  static nghttp2_session_callbacks* MakeCallbacks() {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, OnBegin);
    nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, OnFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, OnContent);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, OnClose);
    return made;
  }

  const Endpoint origin_;
  const std::unique_ptr<char[]> buffer_;
  nghttp2_session_callbacks* const callbacks_;
  Poller poller_;
  Source listener_;
  Client* receiving_ = nullptr;  // whose frames nghttp2 is given
  std::vector<Client*> touched_;
  std::vector<Upstream*> idle_;
  std::string out_;
};

}  // namespace
}  // namespace egret::bench

int main(int argc, char** argv) {
  using namespace egret::bench;
  const std::span<char* const> arguments(argv, static_cast<size_t>(argc));
  const auto origin = Option(arguments, "--origin");
  const auto ready_file = Option(arguments, "--ready-file");
  if (!origin || !ready_file) {
    std::fputs("usage: limit_http2 --origin ADDRESS:PORT --ready-file FILE\n", stderr);
    return 2;
  }
  Http2Limit limit(ParseEndpointOrDie(*origin));
  WriteReadyListeners(*ready_file, {{"http2", limit.address()}});
  limit.Run();
}
