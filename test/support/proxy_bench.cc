#include "test/support/proxy_bench.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tuple>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/chain/listener.h"
#include "source/config/json_parser.h"
#include "source/event/wait.h"
#include "source/filters/connect_tunnel.h"
#include "source/filters/egress_policy.h"
#include "source/filters/tcp_relay.h"
#include "source/filters/tls_inspector.h"
#include "source/io/socket_stream.h"
#include "source/policy/compile.h"
#include "test/support/pipe.h"
#include "test/support/socket_pair.h"

namespace egret {
namespace {

RuleSpec Allow(std::string name, std::vector<std::string> domains) {
  RuleSpec rule;
  rule.name = std::move(name);
  rule.action = RuleSpec::Action::kAllow;
  rule.to.domains = std::move(domains);
  rule.to.port_ranges = {{1, 65535}};
  return rule;
}

std::shared_ptr<const Policy> MakePolicy() {
  RuleSpec web = Allow("web", {"origin.test", "refused.test", "nowhere.test"});
  web.reaches_private = {"127.0.0.0/8"};
  RuleSpec raw = Allow("raw", {"raw.test"});
  raw.to.protocols = {Protocol::kOther, Protocol::kTls, Protocol::kHttp};
  raw.reaches_private = {"127.0.0.0/8"};
  RuleSpec read = Allow("read", {"read.test"});
  read.inspection = RuleSpec::Inspection::kRequired;
  read.reaches_private = {"127.0.0.0/8"};
  PolicySpec policy;
  policy.name = "bench";
  policy.rules = {web, raw, read, Allow("inside", {"private.test"})};
  auto compiled = Compile({{policy}, {}, {}});
  if (!compiled)
    for (const PolicyError& error : compiled.error()) ADD_FAILURE() << error.ToString();
  CHECK(compiled);
  return *compiled;
}

class ScriptedResolver final : public Resolver {
 public:
  Task<Result<Resolved, Fault>> Resolve(const std::string& canonical_name) override {
    co_await Yield();
    if (canonical_name == "nowhere.test") co_return Fault::kDnsNotFound;
    if (const auto literal = IpAddress::Parse(canonical_name)) co_return Resolved{{*literal}};
    if (canonical_name == "private.test") co_return Resolved{{IpAddress::V4(0x0a010203)}};
    co_return Resolved{{Loopback4()}};
  }
};

// A port on which every connection is refused, for as long as the descriptor lives.
int BindUnheard() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_storage address;
  const socklen_t size = Endpoint{Loopback4(), 0}.To(address);
  CHECK(fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  return fd;
}

ListenSocket Listen() {
  auto opened = ListenSocket::Open({{Loopback4(), 0}, ""}, {});
  CHECK(opened);
  return std::move(*opened);
}

std::unique_ptr<const NetworkFilter> ReadRequests(const HttpConnectionOptions& http,
                                                  const ForwardRouterOptions& router) {
  HttpFilters inner;
  inner.push_back(std::make_unique<EgressPolicyHttpFilter>(std::nullopt));
  inner.push_back(std::make_unique<ForwardRouterFilter>(router));
  HttpConnectionOptions options = http;
  options.target = HttpConnectionOptions::Target::kTunnel;
  return std::make_unique<HttpConnectionFilter>(std::move(options), std::move(inner));
}

// The tunnel that connect_tunnel runs by default; TLS is decrypted where the setup says how.
std::shared_ptr<const ListenerChains> TunnelChains(const BenchSetup& setup, const ForwardRouterOptions& router) {
  auto out = std::make_shared<ListenerChains>();
  out->name = "tunnel";
  out->listener_filters.push_back(std::make_unique<TlsInspectorFilter>(TlsInspectorOptions{}));
  out->listener_filters.push_back(std::make_unique<EgressPolicyNetworkFilter>(std::nullopt));
  FilterChain relayed, clear, decrypted;
  relayed.match.verdict = ChainMatch::Verdict::kRelay;
  relayed.filters.push_back(std::make_unique<TcpRelayFilter>());
  clear.match.verdict = ChainMatch::Verdict::kInspect;
  clear.match.protocol = Protocol::kHttp;
  clear.filters.push_back(ReadRequests(setup.http, router));
  out->chains.push_back(std::move(relayed));
  out->chains.push_back(std::move(clear));
  if (setup.decrypt == nullptr) return out;
  decrypted.match.verdict = ChainMatch::Verdict::kInspect;
  decrypted.decrypts = 0;
  MitmTerminatorOptions decrypt = *setup.decrypt;
  decrypt.router = router;
  decrypted.filters.push_back(std::make_unique<MitmTerminatorFilter>(std::move(decrypt)));
  decrypted.filters.push_back(ReadRequests(setup.http, router));
  out->chains.push_back(std::move(decrypted));
  return out;
}

LogLine ParseLogLine(std::string_view text) {
  const Tree tree = ParseJson(text, "log");
  LogLine line;
  if (!tree.root || !tree.errors.empty() || !tree.root->map()) {
    ADD_FAILURE() << "no JSON object: " << text;
    return line;
  }
  for (const Node& member : tree.root->children) line[member.key] = member.text;
  return line;
}

}  // namespace

HttpConnectionOptions ImpatientHttp() {
  HttpConnectionOptions out;
  out.limits.idle_ms = out.limits.head_ms = out.limits.body_ms = out.limits.write_ms = 5000;
  return out;
}

ForwardRouterOptions ImpatientRouter() {
  ForwardRouterOptions out;
  out.limits.http1.head_ms = out.limits.http1.body_ms = out.limits.http1.write_ms = 4000;
  out.upgraded.idle_ms = 5000;
  out.upgraded.half_closed_ms = 2000;
  out.limits.pool.idle_ms = 1000;
  return out;
}

ProxyBench::ProxyBench(Loop& loop, const BenchSetup& setup)
    : loop_(loop),
      setup_(setup),
      listener_(Listen()),
      refusing_fd_(BindUnheard()),
      origin_port_(listener_.bound().ip.port),
      refused_port_(LocalOf(refusing_fd_).port),
      worker_(std::make_unique<Worker>(loop, std::make_unique<ScriptedResolver>(), &log_, 0)) {
  static const std::shared_ptr<const Policy> policy = MakePolicy();
  std::ignore = worker_->Take({policy, MakeChains(setup)});
  accepting_.Start(AcceptLoop(listener_.fd(), *this, accept_counters_));
}

ProxyBench::~ProxyBench() {
  accepting_.Clear();
  origin_scripts_.Clear();
  scripts_.Clear();
  winding_down_.Clear();
  sessions_.Clear();
  worker_.reset();
  close(refusing_fd_);
}

std::shared_ptr<const Chains> ProxyBench::MakeChains(const BenchSetup& setup) const {
  ForwardRouterOptions router = setup.router;
  if (setup.parent) {
    auto target = ParseAuthority(Cat("127.0.0.1:", origin_port_), std::nullopt);
    CHECK(target);
    router.next_hop = std::make_shared<const NextHop>(NextHop{
        ConfiguredTarget::FromConfig("parent", std::move(*target)), *setup.parent,
        std::make_shared<const Current<std::string>>(std::make_shared<const std::string>("Basic cGFyZW50OnNlY3JldA==")),
        nullptr, "", false, "parent bench"});
  }
  ConnectTunnelOptions tunnel;
  tunnel.built_in = TunnelChains(setup, router);
  tunnel.next_hop = router.next_hop;
  tunnel.dial = router.dial;
  tunnel.relay = router.upgraded;
  HttpFilters filters;
  filters.push_back(std::make_unique<EgressPolicyHttpFilter>(PolicyStack({"bench"})));
  filters.push_back(std::make_unique<ConnectTunnelFilter>(std::move(tunnel)));
  filters.push_back(std::make_unique<ForwardRouterFilter>(router));
  FilterChain only;
  only.filters.push_back(std::make_unique<HttpConnectionFilter>(setup.http, std::move(filters)));
  auto listener = std::make_shared<ListenerChains>();
  listener->name = "proxy";
  listener->chains.push_back(std::move(only));
  auto chains = std::make_shared<Chains>();
  chains->listeners["proxy"] = std::move(listener);
  return chains;
}

void ProxyBench::Start(ClientScript script) { scripts_.Start(RunClient(script)); }

Task<void> ProxyBench::RunClient(ClientScript script) {
  const size_t first = clients_.size();
  co_await script(*this);
  for (size_t i = first; i < clients_.size(); ++i) clients_[i]->Close();
}

Peer& ProxyBench::Connect() {
  auto [near, far] = PipeStream::Pair(setup_.client_room);
  clients_.push_back(std::make_unique<Peer>(std::move(far)));
  sessions_.Start(RunSession(std::move(near)));
  return *clients_.back();
}

std::string ProxyBench::Authority(std::string_view name) const {
  return Cat(name, ':', name == "refused.test" ? refused_port_ : origin_port_);
}

// As a worker's thread runs it.
Task<void> ProxyBench::RunSession(std::unique_ptr<Stream> stream) {
  worker_->counters().connections.Add();
  const GaugeHold active(worker_->counters().connections_active);
  auto connection = std::make_unique<Connection>(*worker_, std::move(stream));
  connection->peer = {IpAddress::V4(0xc0000201), 4711};
  connection->listener = worker_->chains().Find("proxy");
  co_await RunWhole(std::move(connection));
}

void ProxyBench::Accepted(int fd, const Endpoint&) {
  origins_.push_back(std::make_unique<Peer>(std::make_unique<SocketStream>(fd)));
  if (setup_.origin == nullptr) return;
  origin_scripts_.Start(RunOrigin(*origins_.back(), static_cast<int>(origins_.size())));
}

Task<void> ProxyBench::RunOrigin(Peer& peer, int nth) {
  co_await setup_.origin(peer, nth);
  peer.Close();
}

bool ProxyBench::Turn() {
  // Loopback delivers before send() returns, except on a busy machine: so a moment more, then the clock.
  return loop_.Turn(0) || loop_.Turn(1) || loop_.SkipToTimer();
}

bool ProxyBench::Finish(int turns) {
  while (!Idle() && turns-- > 0 && Turn()) {
  }
  return Idle();
}

namespace {

Task<void> ListenToTheEnd(Peer& peer) {
  co_await peer.HearEnd();
  peer.Close();
}

}  // namespace

void ProxyBench::BreakAll(std::vector<std::unique_ptr<Peer>>& peers, Nursery& scripts, Break how) {
  scripts.Clear();
  for (const std::unique_ptr<Peer>& peer : peers) {
    if (peer->closed()) continue;
    if (how == Break::kFin) {
      peer->Finish();
      scripts.Start(ListenToTheEnd(*peer));
    } else {
      peer->Close(how == Break::kReset);
    }
  }
}

void ProxyBench::BreakClients(Break how) { BreakAll(clients_, scripts_, how); }
void ProxyBench::BreakOrigins(Break how) { BreakAll(origins_, origin_scripts_, how); }

void ProxyBench::EndRecords() {
  ListNode& live = worker_->live();
  for (ListNode* node = live.first(); node != &live; node = node->after())  // frees nothing yet
    worker_->End(static_cast<ExchangeRecord&>(*node), {Side::kEgret, Fault::kAdminEnded});
}

std::vector<LogLine> ProxyBench::TakeLog() {
  sessions_.Clear();
  worker_.reset();
  log_.Close();
  std::vector<LogLine> lines;
  for (std::string block = log_.Take().text; !block.empty(); block = log_.Take().text) {
    std::string_view rest = block;
    while (!rest.empty()) lines.push_back(ParseLogLine(SplitFirst(rest, '\n')));
  }
  EXPECT_EQ(log_.dropped(), 0u);
  return lines;
}

}  // namespace egret
