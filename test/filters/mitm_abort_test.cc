// Tunnels whose TLS is ended here, again and again with a fault in every turn, the handshakes with either side among
// them: whatever breaks whenever, all tasks end, nothing leaks, and everything is counted and logged once.
#include <gtest/gtest.h>
#include <time.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/event/combine.h"
#include "source/tls/new_authority.h"
#include "test/filters/origin_scripts.h"
#include "test/support/harm.h"
#include "test/support/proxy_bench.h"
#include "test/support/tls_ends.h"

namespace egret {
namespace {

constexpr const char* kName = "read.test";

template <class T>
T Made(Result<T, Problem> made) {
  CHECK(made.ok());
  return std::move(*made);
}

// All that TLS needs on the three sides: the origin's, the proxy's two, the client's.
struct Parties {
  TestCa origins{"origins"}, strangers{"strangers"};
  NewAuthority ours = Made(MakeAuthority({.common_name = "ours", .lifetime_s = 86400}, nullptr, time(nullptr)));
  ServerContext origin = MakeServer(
      {.certificates = {origins.Issue({.alt_names = {Cat("DNS:", kName)}})}, .settings = {.alpn = {"http/1.1"}}});
  ServerContext stranger = MakeServer({.certificates = {strangers.Issue({.alt_names = {Cat("DNS:", kName)}})}});
  ClientContext client = MakeClient({.trust = {.roots_pem = PemOf(ours.certificate.get())}});
  ClientContext careless = MakeClient({.verify = false});

  MitmTerminatorOptions Options(MitmTerminatorOptions::Origin when) const {
    MitmTerminatorOptions options;
    AuthorityOptions authority;
    authority.certificate_pem = PemOf(ours.certificate.get());
    authority.key_pem = PemOf(ours.key.get());
    options.authority = std::make_shared<const Current<CertificateAuthority>>(
        Made(CertificateAuthority::Make(authority, time(nullptr))));
    options.untrusted = CertificateAuthority::MakeUntrusted(time(nullptr));
    options.server = Made(LeafServerContext::Make({}));
    options.origins = std::make_shared<const OriginContexts>(
        std::vector<OriginContexts::Named>(),
        std::make_shared<const Current<TlsClientContext>>(MakeClient({.trust = origins.trust()})));
    options.origin = when;
    options.handshake_ms = 4000;
    options.spoken = {"h2", "http/1.1"};
    return options;
  }
};

const Parties& All() {
  static const Parties parties;
  return parties;
}

// --- Scripts

Task<void> TlsWeb(Peer& proxy, int nth) {
  if (co_await proxy.AnswerTls(*All().origin)) co_await Web(proxy, nth);
}
Task<void> StrangeWeb(Peer& proxy, int nth) {
  if (co_await proxy.AnswerTls(*All().stranger)) co_await Web(proxy, nth);
}

Task<bool> OpenTunnel(ProxyBench& bench, Peer& proxy) {
  const std::string authority = bench.Authority(kName);
  if (!co_await proxy.Say(Cat("CONNECT ", authority, " HTTP/1.1\r\nHost: ", authority, "\r\n\r\n"))) co_return false;
  co_return co_await proxy.HearAnswer(HttpKind::kConnectResponse) && proxy.http().status() == 200;
}
std::string Get(const ProxyBench& bench, std::string_view path, std::string_view fields = "") {
  return Cat("GET ", path, " HTTP/1.1\r\nHost: ", bench.Authority(kName), "\r\n", fields, "\r\n");
}

// Two requests, then close_notify.
Task<void> AskTwice(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await OpenTunnel(bench, proxy)) co_return;
  if (!co_await proxy.StartTls(*All().client, kName, {"http/1.1"})) co_return;
  for (const std::string_view path : {"/chunks", "/b"}) {
    if (!co_await proxy.Say(Get(bench, path))) co_return;
    if (!co_await proxy.HearAnswer()) co_return;
  }
  proxy.Finish();
  co_await proxy.HearEnd();
}
// Through two tunnels, one after the other: the second finds the first one's connection.
Task<void> AskThroughTwo(ProxyBench& bench) {
  co_await AskTwice(bench);
  co_await AskTwice(bench);
}
// The origin may choose, so whoever comes at the same time waits for what it does.
Task<bool> AskOnce(ProxyBench& bench, bool really = true) {
  Peer& proxy = bench.Connect();
  if (!co_await OpenTunnel(bench, proxy)) co_return true;
  if (!co_await proxy.StartTls(*All().client, kName, {"h2", "http/1.1"})) co_return true;
  if (!really) {
    proxy.Finish();
  } else if (!co_await proxy.Say(Get(bench, "/b", "Connection: close\r\n")) || !co_await proxy.HearAnswer()) {
    co_return true;
  }
  co_return co_await proxy.HearEnd();
}
Task<void> AskTwoAtOnce(ProxyBench& bench) { co_await Both(AskOnce(bench), AskOnce(bench)); }
// One goes without having asked anything.
Task<void> AskOneOfTwo(ProxyBench& bench) { co_await Both(AskOnce(bench), AskOnce(bench, false)); }
Task<void> AskWhateverIsShown(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await OpenTunnel(bench, proxy)) co_return;
  if (!co_await proxy.StartTls(*All().careless, kName, {"http/1.1"})) co_return;
  if (co_await proxy.Say(Get(bench, "/a", "Connection: close\r\n")) && co_await proxy.HearAnswer())
    co_await proxy.HearEnd();
}

struct Case {
  const char* name;
  MitmTerminatorOptions options;
  BenchSetup setup;
  ProxyBench::ClientScript client;
  std::string inspected, tunnel_detail, status;  // of each tunnel, and of each request inside
};

std::vector<Case> Cases() {
  using Options = MitmTerminatorOptions;
  // Each its own, or a session that began with a good origin would go on with a bad one: here they share ticket keys.
  const auto eager = [] { return All().Options(Options::Origin::kEager); };
  const auto lazy = [] { return All().Options(Options::Origin::kLazy); };
  Options page = eager(), untrusted = eager();
  page.on_failure = Options::OnFailure::kErrorPage;
  untrusted.on_failure = Options::OnFailure::kUntrustedLeaf;
  const BenchSetup web{.origin = TlsWeb}, strange{.origin = StrangeWeb};
  const std::string wrong = "tls_certificate_error";
  return {
      {"Eager", eager(), web, AskTwice, "eager", "", "200"},
      {"Lazy", lazy(), web, AskTwice, "lazy", "", "200"},
      {"Live", eager(), web, AskThroughTwo, "live", "", "200"},
      {"Burst", eager(), web, AskTwoAtOnce, "eager", "", "200"},
      {"Unasked", eager(), web, AskOneOfTwo, "eager", "", "200"},
      {"Close", eager(), strange, AskTwice, "", wrong, ""},
      {"Page", page, strange, AskWhateverIsShown, "refused", wrong, "502"},
      {"UntrustedLeaf", untrusted, strange, AskWhateverIsShown, "untrusted", wrong, "502"},
      {"LazyPage", lazy(), strange, AskWhateverIsShown, "lazy", "", "502"},
  };
}

TEST(MitmAbortTest, UndisturbedItIsAsItShouldBe) {
  for (const Case& one : Cases()) {
    SCOPED_TRACE(one.name);
    BenchSetup setup = one.setup;
    setup.decrypt = &one.options;
    Loop loop;
    ProxyBench bench(loop, setup);
    bench.Start(one.client);
    ASSERT_TRUE(bench.Finish());
    CheckCounts(bench);
    const std::vector<LogLine> lines = bench.TakeLog();
    CheckEndsOnce(lines);
    std::string inspected, detail;
    int requests = 0;
    for (const LogLine& line : lines) {
      if (Member(line, "event") != "end") continue;
      if (Member(line, "kind") == "tunnel") {
        inspected = Member(line, "inspected");
        detail = Member(line, "detail");
      } else {
        ++requests;
        EXPECT_EQ(Member(line, "status"), one.status);
      }
    }
    EXPECT_EQ(inspected, one.inspected);
    EXPECT_EQ(detail, one.tunnel_detail);
    EXPECT_EQ(requests > 0, !one.status.empty());
  }
}

TEST(MitmAbortTest, AFaultInAnyTurnLeavesNothingBehind) {
  const std::vector<Case> cases = Cases();
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    BenchSetup setup = one.setup;
    setup.decrypt = &one.options;
    InflictInEachTurn(setup, one.client, 8);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace egret
