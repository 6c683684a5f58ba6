#include "test/support/dns_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret {
namespace {

void Put16(std::string& to, size_t value) {
  to += static_cast<char>(value >> 8 & 0xff);
  to += static_cast<char>(value & 0xff);
}

void Put32(std::string& to, uint32_t value) {
  Put16(to, value >> 16);
  Put16(to, value & 0xffff);
}

std::string Wire(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view label = SplitFirst(name, '.');
    out += static_cast<char>(label.size());
    out += label;
  }
  out += '\0';
  return out;
}

int BindTo(int type, const Endpoint& where) {
  const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0);
  sockaddr_storage address;
  const socklen_t size = where.To(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0) return fd;
  close(fd);
  return -1;
}

bool ReadWhole(int fd, std::string& into, size_t bytes) {
  into.assign(bytes, '\0');
  return recv(fd, into.data(), bytes, MSG_WAITALL) == static_cast<ssize_t>(bytes);
}

}  // namespace

DnsReply& DnsReply::Add(const std::string& name, const std::string& address, uint32_t ttl) {
  const IpAddress ip = IpAddress::Parse(address).value();
  const auto* bytes = reinterpret_cast<const char*>(ip.bytes().data());
  if (ip.v4()) {
    answers.push_back({name, kDnsA, ttl, std::string(bytes + 12, 4)});
  } else {
    answers.push_back({name, kDnsAaaa, ttl, std::string(bytes, 16)});
  }
  return *this;
}

DnsReply& DnsReply::AddCname(const std::string& name, const std::string& target, uint32_t ttl) {
  answers.push_back({name, kDnsCname, ttl, Wire(target)});
  return *this;
}

DnsServer::DnsServer(Script script) : script_(std::move(script)), wake_(eventfd(0, EFD_CLOEXEC)) {
  const IpAddress loopback = IpAddress::V4(0x7f000001);
  while (tcp_ < 0) {  // until the port that UDP was given is free for TCP too
    if (udp_ >= 0) close(udp_);
    udp_ = BindTo(SOCK_DGRAM, {loopback, 0});
    CHECK(udp_ >= 0);
    sockaddr_storage address;
    socklen_t size = sizeof address;
    CHECK(getsockname(udp_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    endpoint_ = Endpoint::From(address);
    tcp_ = BindTo(SOCK_STREAM, endpoint_);
  }
  CHECK(listen(tcp_, 16) == 0);
  thread_ = std::thread([this] { Serve(); });
}

DnsServer::~DnsServer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  CHECK(eventfd_write(wake_, 1) == 0);
  thread_.join();
  close(udp_);
  close(tcp_);
  close(wake_);
}

std::vector<DnsQuestion> DnsServer::seen() {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void DnsServer::Release() {
  const std::lock_guard lock(mutex_);
  released_ = true;
  for (const Held& held : held_) SendUdp(held.bytes, held.to);
  held_.clear();
}

void DnsServer::Serve() {
  for (;;) {
    pollfd fds[] = {{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {wake_, POLLIN, 0}};
    poll(fds, 3, -1);
    if (fds[2].revents != 0) {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
    if (fds[0].revents != 0) ServeUdp();
    if (fds[1].revents != 0) ServeTcp();
  }
}

void DnsServer::SendUdp(const std::string& bytes, const Endpoint& to) {
  sockaddr_storage address;
  const socklen_t size = to.To(address);
  sendto(udp_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&address), size);
}

void DnsServer::ServeUdp() {
  std::string query(4096, '\0');
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const ssize_t n = recvfrom(udp_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (n < 12) return;
  query.resize(static_cast<size_t>(n));
  DnsReply reply;
  const std::string answer = Answer(query, false, reply);
  if (reply.drop) return;
  const std::lock_guard lock(mutex_);
  if (reply.hold && !released_) {
    held_.push_back({answer, Endpoint::From(from)});
  } else {
    SendUdp(answer, Endpoint::From(from));
  }
}

// One question a connection, the answer in two pieces.
void DnsServer::ServeTcp() {
  const int fd = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  std::string length, query;
  if (ReadWhole(fd, length, 2) &&
      ReadWhole(fd, query,
                static_cast<size_t>(static_cast<uint8_t>(length[0]) << 8 | static_cast<uint8_t>(length[1])))) {
    DnsReply reply;
    const std::string answer = Answer(query, true, reply);
    std::string framed;
    Put16(framed, answer.size());
    framed += answer;
    if (!reply.drop) {
      send(fd, framed.data(), 1, MSG_NOSIGNAL);
      send(fd, framed.data() + 1, framed.size() - 1, MSG_NOSIGNAL);
    }
  }
  close(fd);
}

std::string DnsServer::Answer(const std::string& query, bool tcp, DnsReply& reply) {
  DnsQuestion question;
  question.tcp = tcp;
  size_t at = 12;
  while (at < query.size() && query[at] != '\0') {
    const auto length = static_cast<uint8_t>(query[at]);
    if (!question.name.empty()) question.name += '.';
    question.name += query.substr(at + 1, length);
    at += size_t{length} + 1;
  }
  question.type = static_cast<uint16_t>(static_cast<uint8_t>(query[at + 1]) << 8 | static_cast<uint8_t>(query[at + 2]));
  const std::string asked = query.substr(12, at + 5 - 12);
  {
    const std::lock_guard lock(mutex_);
    question.nth = ++times_[Cat(question.name, '/', question.type, tcp ? "/tcp" : "/udp")];
    seen_.push_back(question);
  }
  reply = script_(question);

  std::string out = query.substr(0, 2);
  if (reply.wrong_id) out[0] = static_cast<char>(out[0] ^ 0x55);
  out += static_cast<char>(reply.truncated ? 0x83 : 0x81);
  out += static_cast<char>(0x80 | reply.rcode);
  Put16(out, 1);
  Put16(out, reply.answers.size());
  Put32(out, 0);
  out += reply.wrong_question ? Wire("other.test") + asked.substr(asked.size() - 4) : asked;
  for (const DnsRr& rr : reply.answers) {
    out += Wire(rr.name);
    Put16(out, rr.type);
    Put16(out, 1);
    Put32(out, rr.ttl);
    Put16(out, rr.data.size());
    out += rr.data;
  }
  if (reply.garble) out.resize(out.size() - 3);
  return out;
}

}  // namespace egret
