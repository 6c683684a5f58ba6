// The client of every measurement: one epoll thread, HTTP/1.1, one outstanding operation a connection.
//   forward  absolute-form GET on keep-alive connections
//   connect  TCP, CONNECT, one request, close
//   tunnel   requests through standing tunnels
// In tunnels a request is a GET, or (--answer-bytes) what `origin` speaks: bytes that no proxy takes for HTTP.
//
//   load --workload NAME --proxy ADDRESS:PORT --targets ADDRESS:PORT[,ADDRESS:PORT...]
//        --path /1k | --answer-bytes 1024 [--connections 32] [--seconds 3] [--warm-up 0.3]
//
// Warms up and lets every operation end; then says "ready" and waits for a line, so that whoever measures can read
// the proxy's CPU time; then works for --seconds, lets every operation end again and prints one line of JSON.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/ip.h"
#include "source/base/json.h"
#include "source/base/strings.h"
#include "tools/bench/sockets.h"

namespace egret::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBufferBytes = size_t{256} * 1024;
constexpr int kSilenceMs = 10'000;  // a proxy that says nothing for so long has failed
constexpr uint64_t kMaxErrors = 1000;

enum class Workload : uint8_t { kForward, kConnect, kTunnel };

struct Plan {
  Workload workload = Workload::kForward;
  Endpoint proxy;
  std::vector<Endpoint> targets;  // in turn, so that no pair of addresses runs out of ports
  std::string path;
  std::optional<uint64_t> answer_bytes;  // instead of a path
  size_t connections = 32;
};

struct Totals {
  uint64_t operations = 0, errors = 0, bytes = 0;
  std::vector<uint32_t> latencies_us;
};

// Follows one response: 200, Content-Length, nothing after it; or bytes of a known number.
class ResponseReader {
 public:
  enum class State : uint8_t { kMore, kDone, kBad };

  void Begin(bool has_body) {
    head_.clear();
    in_body_ = closes_ = false;
    has_body_ = has_body;
  }
  void BeginBytes(uint64_t bytes) {
    head_.clear();
    closes_ = false;
    in_body_ = true;
    left_ = bytes;
  }
  // The beginning of what came, for whoever wants to know what was wrong with it.
  std::string_view FirstLine() const {
    return std::string_view(head_).substr(0, std::min(head_.find('\r'), size_t{80}));
  }
  // The proxy will close after this response.
  bool closes() const { return closes_; }
  State Take(std::string_view bytes) {
    if (in_body_) return TakeBody(bytes.size());
    const size_t before = head_.size();
    head_.append(bytes.substr(0, 8192));
    const size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) return head_.size() > 8192 ? State::kBad : State::kMore;
    if (!head_.starts_with("HTTP/1.") || std::string_view(head_).substr(8, 5) != " 200 ") return State::kBad;
    length_.reset();
    ReadFields(std::string_view(head_).substr(0, end + 2));
    if (has_body_ && !length_) return State::kBad;
    left_ = has_body_ ? *length_ : 0;
    in_body_ = true;
    return TakeBody(bytes.size() - (end + 4 - before));
  }

 private:
  State TakeBody(size_t bytes) {
    if (bytes > left_) return State::kBad;
    left_ -= bytes;
    return left_ == 0 ? State::kDone : State::kMore;
  }
  void ReadFields(std::string_view head) {
    while (!head.empty()) {
      std::string_view value = SplitFirst(head, '\n');
      const std::string_view name = SplitFirst(value, ':');
      while (!value.empty() && value.back() == '\r') value.remove_suffix(1);
      value = TrimOws(value);
      if (EqualsIgnoreCase(name, "content-length")) length_ = ParseDecimal<uint64_t>(value);
      if (EqualsIgnoreCase(name, "connection") && EqualsIgnoreCase(value, "close")) closes_ = true;
    }
  }

  std::string head_;
  bool in_body_ = false, has_body_ = true, closes_ = false;
  std::optional<uint64_t> length_;
  uint64_t left_ = 0;
};

// One connection and the operation on it. An operation that fails is counted and its connection closed; the next one
// opens another.
class Client {
 public:
  Client(const Plan& plan, Poller& poller, char* buffer, Totals& totals)
      : plan_(plan), poller_(poller), buffer_(buffer), totals_(totals) {}

  bool busy() const { return step_ != Step::kIdle; }

  void Begin(const Endpoint& target) {
    began_ = Clock::now();
    if (fd_ >= 0) return SendRequest();
    const std::string authority = target.ToString();
    if (plan_.answer_bytes) {
      request_ = Cat("\x01", *plan_.answer_bytes, "\n");
    } else {
      request_ = Cat("GET ", plan_.workload == Workload::kForward ? Cat("http://", authority) : "", plan_.path,
                     " HTTP/1.1\r\nHost: ", authority, "\r\n\r\n");
    }
    connect_ = Cat("CONNECT ", authority, " HTTP/1.1\r\nHost: ", authority, "\r\n\r\n");
    const Dialled dialled = Dial(plan_.proxy);
    if (dialled.fd < 0) return Fail("the proxy cannot be reached");
    fd_ = dialled.fd;
    step_ = Step::kDialling;
    poller_.Add(fd_, dialled.connected ? EPOLLIN : EPOLLOUT, this);
    if (dialled.connected) Connected();
  }

  void OnEvent(uint32_t events) {
    if (step_ == Step::kDialling) {
      if (events & (EPOLLERR | EPOLLHUP)) return Fail("the proxy does not accept");
      poller_.Modify(fd_, EPOLLIN, this);
      return Connected();
    }
    const ssize_t n = recv(fd_, buffer_, kBufferBytes, 0);
    if (n < 0 && errno == EAGAIN) return;
    // Between two operations a proxy may close.
    if (n <= 0) return busy() ? Fail("closed in the middle of an operation") : Close();
    totals_.bytes += static_cast<uint64_t>(n);
    switch (response_.Take(std::string_view(buffer_, static_cast<size_t>(n)))) {
      case ResponseReader::State::kMore:
        return;
      case ResponseReader::State::kBad:
        return Fail(Cat("unexpected response: ", response_.FirstLine()));
      case ResponseReader::State::kDone:
        return step_ == Step::kConnectReply ? SendRequest() : Finish();
    }
  }

 private:
  enum class Step : uint8_t { kIdle, kDialling, kConnectReply, kRequest };

  void Connected() {
    if (plan_.workload == Workload::kForward) return SendRequest();
    step_ = Step::kConnectReply;
    response_.Begin(/*has_body=*/false);
    Send(connect_);
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
  // A request is far smaller than an empty socket buffer.
  void Send(std::string_view bytes) {
    if (send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
      Fail("a request could not be sent");
  }
  void Finish() {
    if (plan_.workload == Workload::kConnect || response_.closes()) Close();
    step_ = Step::kIdle;
    ++totals_.operations;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_);
    totals_.latencies_us.push_back(static_cast<uint32_t>(took.count()));
  }
  void Fail(std::string_view why) {
    Close();
    if (++totals_.errors <= kMaxErrors) return;
    std::fprintf(stderr, "\ntoo many errors; the last one: %s\n", std::string(why).c_str());
    std::exit(1);
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
    step_ = Step::kIdle;
  }

  const Plan& plan_;
  Poller& poller_;
  char* const buffer_;
  Totals& totals_;
  int fd_ = -1;
  Step step_ = Step::kIdle;
  std::string request_, connect_;
  ResponseReader response_;
  Clock::time_point began_;
};

class Load {
 public:
  explicit Load(const Plan& plan) : plan_(plan), buffer_(std::make_unique<char[]>(kBufferBytes)) {
    for (size_t i = 0; i < plan.connections; ++i) clients_.emplace_back(plan_, poller_, buffer_.get(), totals_);
  }

  // At least one operation a connection, then new ones until `seconds` are over; ends when none is outstanding.
  double Run(double seconds) {
    totals_ = {};
    const Clock::time_point began = Clock::now();
    const auto stop = began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    for (Client& client : clients_) BeginOn(client);
    while (std::any_of(clients_.begin(), clients_.end(), [](const Client& client) { return client.busy(); })) {
      const std::span<const epoll_event> events = poller_.Wait(kSilenceMs);
      errno = ETIMEDOUT;
      if (events.empty()) Die("no answer");
      const bool more = Clock::now() < stop;
      for (const epoll_event& event : events) {
        auto& client = *static_cast<Client*>(event.data.ptr);
        client.OnEvent(event.events);
        if (!client.busy() && more) BeginOn(client);
      }
    }
    return std::chrono::duration<double>(Clock::now() - began).count();
  }

  const Totals& totals() const { return totals_; }
  uint32_t LatencyUs(double quantile) {
    std::vector<uint32_t>& all = totals_.latencies_us;
    if (all.empty()) return 0;
    const auto at = std::min(all.size() - 1, static_cast<size_t>(quantile * static_cast<double>(all.size())));
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at), all.end());
    return all[at];
  }

 private:
  void BeginOn(Client& client) { client.Begin(plan_.targets[next_++ % plan_.targets.size()]); }

  const Plan plan_;
  const std::unique_ptr<char[]> buffer_;
  Poller poller_;
  Totals totals_;
  std::deque<Client> clients_;
  size_t next_ = 0;
};

std::optional<Workload> WorkloadOf(std::string_view name) {
  if (name == "forward") return Workload::kForward;
  if (name == "connect") return Workload::kConnect;
  if (name == "tunnel") return Workload::kTunnel;
  return std::nullopt;
}

double Seconds(std::optional<std::string_view> text, double otherwise) {
  return text ? std::strtod(std::string(*text).c_str(), nullptr) : otherwise;
}

void Print(std::string_view workload, Load& load, double seconds) {
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Member("workload", workload);
  out.Member("operations", load.totals().operations);
  out.Member("errors", load.totals().errors);
  out.Member("bytes", load.totals().bytes);
  out.Key("seconds");
  out.Raw(std::to_string(seconds));
  out.Member("p50_us", load.LatencyUs(0.5));
  out.Member("p99_us", load.LatencyUs(0.99));
  out.EndObject();
  std::puts(json.c_str());
}

int Main(std::span<char* const> arguments) {
  const auto name = Option(arguments, "--workload");
  const auto proxy = Option(arguments, "--proxy");
  const auto targets = Option(arguments, "--targets");
  const auto path = Option(arguments, "--path");
  const std::optional<Workload> workload = WorkloadOf(name.value_or(""));
  const auto connections = ParseDecimal<size_t>(Option(arguments, "--connections").value_or("32"));
  const auto answer_bytes = Option(arguments, "--answer-bytes");
  const bool request = path || (answer_bytes && workload != Workload::kForward);
  if (!workload || !proxy || !targets || !request || connections.value_or(0) == 0) {
    std::fputs(
        "usage: load --workload forward|connect|tunnel --proxy ADDRESS:PORT --targets ADDRESS:PORT,...\n"
        "            --path PATH | --answer-bytes N [--connections N] [--seconds S] [--warm-up S]\n",
        stderr);
    return 2;
  }
  Plan plan{*workload, ParseEndpointOrDie(*proxy), {}, std::string(path.value_or("")), {}, *connections};
  if (answer_bytes) plan.answer_bytes = ParseDecimal<uint64_t>(*answer_bytes);
  for (std::string_view rest = *targets; !rest.empty();)
    plan.targets.push_back(ParseEndpointOrDie(SplitFirst(rest, ',')));

  Load load(plan);
  load.Run(Seconds(Option(arguments, "--warm-up"), 0.3));
  std::puts("ready");
  std::fflush(stdout);
  std::string go;
  if (!std::getline(std::cin, go)) return 1;
  const double seconds = load.Run(Seconds(Option(arguments, "--seconds"), 3));
  Print(*name, load, seconds);
  return 0;
}

}  // namespace
}  // namespace egret::bench

int main(int argc, char** argv) { return egret::bench::Main({argv, static_cast<size_t>(argc)}); }
