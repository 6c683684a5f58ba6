#include "source/io/ares_channel.h"

#include <ares_nameser.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <utility>

#include "source/base/check.h"

namespace egret {
namespace {

constexpr int kTries = 3;  // of each server; c-ares doubles the wait each time
constexpr int kMostAddresses = 32;
constexpr int kEdnsBytes = 1232;  // what passes everywhere without fragments
constexpr uint64_t kShortestAttemptMs = 200, kLongestTickMs = 100;

void InitLibrary() {
  static const int result = ares_library_init(ARES_LIB_INIT_ALL);
  CHECK(result == ARES_SUCCESS);
}

uint64_t AttemptMs(uint64_t timeout_ms, size_t servers) {
  constexpr uint64_t kSum = (1u << kTries) - 1;  // 1 + 2 + 4
  return std::max(timeout_ms / (kSum * std::max<size_t>(servers, 1)), std::min(kShortestAttemptMs, timeout_ms));
}

DnsAnswer::Kind KindOf(int status) {
  switch (status) {
    case ARES_SUCCESS:
      return DnsAnswer::kAddresses;
    case ARES_ENODATA:
      return DnsAnswer::kNoData;
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:  // a name that DNS cannot hold does not exist
      return DnsAnswer::kNotFound;
    case ARES_ETIMEOUT:
      return DnsAnswer::kTimeout;
    default:  // also what is left once every server said SERVFAIL or REFUSED
      return DnsAnswer::kFailed;
  }
}

IpAddress AddressOf(const ares_addrttl& one) { return IpAddress::V4(ntohl(one.ipaddr.s_addr)); }
IpAddress AddressOf(const ares_addr6ttl& one) {
  std::array<uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &one.ip6addr, bytes.size());
  return IpAddress::V6(bytes);
}

template <class AddrTtl>
DnsAnswer Parse(int (*parse)(const unsigned char*, int, hostent**, AddrTtl*, int*), const unsigned char* bytes,
                int size) {
  std::array<AddrTtl, kMostAddresses> found;
  int count = kMostAddresses;
  DnsAnswer answer;
  answer.kind = KindOf(parse(bytes, size, nullptr, found.data(), &count));
  if (answer.kind != DnsAnswer::kAddresses) return answer;
  answer.ttl_s = UINT32_MAX;
  for (int i = 0; i < count; ++i) {
    const AddrTtl& one = found[static_cast<size_t>(i)];
    const IpAddress address = AddressOf(one);
    if (std::find(answer.addresses.begin(), answer.addresses.end(), address) == answer.addresses.end())
      answer.addresses.push_back(address);
    answer.ttl_s = std::min(answer.ttl_s, static_cast<uint32_t>(std::max(one.ttl, 0)));  // 2^31 and up: 0 (RFC 2181 8)
  }
  if (answer.addresses.empty()) answer.kind = DnsAnswer::kNoData;
  return answer;
}

}  // namespace

struct AresChannel::Question {
  AresChannel* channel;
  std::shared_ptr<DnsReceiver> receiver;
  bool v6;
};

// One of c-ares' descriptors. Level-triggered, since it does not read until EAGAIN: a TCP answer comes in two reads.
struct AresChannel::Socket {
  struct Side : Waiter {
    AresChannel* channel = nullptr;
    int fd = -1;
  };
  FdWatch watch;
  bool watched = false;
  Side reader, writer;  // die before the gates that they hang on

  Socket(AresChannel& channel, int fd) {
    reader.channel = writer.channel = &channel;
    reader.fd = writer.fd = fd;
    // The socket may be gone after Process: nothing of `self` is touched then.
    reader.run = [](Waiter& self) {
      auto& side = static_cast<Side&>(self);
      side.channel->Process(side.fd, ARES_SOCKET_BAD);
    };
    writer.run = [](Waiter& self) {
      auto& side = static_cast<Side&>(self);
      side.channel->Process(ARES_SOCKET_BAD, side.fd);
    };
  }
  void Listen() {
    watch.read.Close();  // epoll opens them again as long as there is something
    watch.write.Close();
    watch.read.Hook(reader);
    watch.write.Hook(writer);
  }
};

AresChannel::AresChannel(const std::vector<Endpoint>& servers, uint64_t timeout_ms) {
  InitLibrary();
  const uint64_t attempt_ms = AttemptMs(timeout_ms, servers.size());
  tick_ms_ = std::min(kLongestTickMs, std::max<uint64_t>(attempt_ms / 4, 1));
  tick_.channel = this;
  tick_.run = [](Waiter& self) { static_cast<Tick&>(self).channel->Process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); };

  // Everything that c-ares would else look for in files and the environment is given here.
  char lookups[] = "b", nowhere[] = "/dev/null";
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
  options.timeout = static_cast<int>(attempt_ms);
  options.tries = kTries;
  options.ndots = 0;
  options.ndomains = 0;
  options.lookups = lookups;
  options.ednspsz = kEdnsBytes;
  options.resolvconf_path = nowhere;
  options.sock_state_cb = &OnSocketState;
  options.sock_state_cb_data = this;
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_DOMAINS |
                   ARES_OPT_LOOKUPS | ARES_OPT_EDNSPSZ | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB |
                   ARES_OPT_NOROTATE;
  CHECK(ares_init_options(&channel_, &options, mask) == ARES_SUCCESS);
  SetServers(servers);
}

AresChannel::~AresChannel() {
  ares_destroy(channel_);  // closes its sockets and answers what is open
  CHECK(open_ == 0 && sockets_.empty());
}

void AresChannel::SetServers(const std::vector<Endpoint>& servers) {
  std::deque<ares_addr_port_node> nodes;
  for (const Endpoint& server : servers) {
    ares_addr_port_node& node = nodes.emplace_back();
    node = {};
    node.udp_port = node.tcp_port = server.port;
    if (server.address.v4()) {
      node.family = AF_INET;
      node.addr.addr4.s_addr = htonl(server.address.v4_bits());
    } else {
      node.family = AF_INET6;
      std::memcpy(&node.addr.addr6, server.address.bytes().data(), server.address.bytes().size());
    }
    if (nodes.size() > 1) nodes[nodes.size() - 2].next = &node;
  }
  if (!nodes.empty()) CHECK(ares_set_servers_ports(channel_, &nodes.front()) == ARES_SUCCESS);
}

void AresChannel::Ask(const std::string& name, bool v6, std::shared_ptr<DnsReceiver> receiver) {
  ++open_;
  auto* question = new Question{this, std::move(receiver), v6};
  ares_query(channel_, name.c_str(), ns_c_in, v6 ? ns_t_aaaa : ns_t_a, &OnReply, question);
  ArmTick();
}

void AresChannel::OnReply(void* asked, int status, int, unsigned char* bytes, int size) {
  const std::unique_ptr<Question> question(static_cast<Question*>(asked));
  --question->channel->open_;
  DnsAnswer answer;
  answer.kind = KindOf(status);
  if (status == ARES_SUCCESS)
    answer = question->v6 ? Parse(&ares_parse_aaaa_reply, bytes, size) : Parse(&ares_parse_a_reply, bytes, size);
  question->receiver->Answered(std::move(answer), question->v6);
}

void AresChannel::OnSocketState(void* self, int fd, int readable, int writable) {
  auto& channel = *static_cast<AresChannel*>(self);
  const auto events = static_cast<uint32_t>((readable != 0 ? EPOLLIN : 0) | (writable != 0 ? EPOLLOUT : 0));
  const auto found = channel.sockets_.find(fd);
  const bool known = found != channel.sockets_.end();
  if (events == 0) {
    if (!known) return;
    (void)Loop::current()->WatchLevel(fd, 0, found->second->watch, true);
    channel.sockets_.erase(found);
    return;
  }
  std::unique_ptr<Socket>& socket = known ? found->second : channel.sockets_[fd];
  if (!known) socket = std::make_unique<Socket>(channel, fd);
  // Where it cannot be watched nothing is heard of its answers: c-ares' own timeouts end what was asked on it.
  socket->watched = Loop::current()->WatchLevel(fd, events, socket->watch, socket->watched) || socket->watched;
  socket->Listen();
}

void AresChannel::Process(int read_fd, int write_fd) {
  ares_process_fd(channel_, read_fd, write_fd);
  const auto found = sockets_.find(read_fd != ARES_SOCKET_BAD ? read_fd : write_fd);
  if (found != sockets_.end()) found->second->Listen();
  ArmTick();
}

// c-ares' own clockwork. Asking it for the next timeout walks every open question; a steady tick does not.
void AresChannel::ArmTick() {
  if (open_ > 0 && !tick_.linked()) Loop::current()->Arm(tick_, tick_ms_);
}

}  // namespace egret
