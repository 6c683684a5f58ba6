#include "test/filters/scenarios.h"

#include <vector>

#include "source/base/strings.h"
#include "source/event/wait.h"
#include "test/filters/origin_scripts.h"
#include "test/support/tls_hello.h"

namespace egret {
namespace {

std::string Request(const ProxyBench& bench, std::string_view method, std::string_view path,
                    std::string_view fields = "", std::string_view name = "origin.test",
                    std::string_view version = "HTTP/1.1") {
  const std::string authority = bench.Authority(name);
  return Cat(method, " http://", authority, path, ' ', version, "\r\nHost: ", authority, "\r\n", fields, "\r\n");
}
std::string Get(const ProxyBench& bench, std::string_view path, std::string_view name = "origin.test") {
  return Request(bench, "GET", path, "", name);
}
std::string Inner(const ProxyBench& bench, std::string_view path, std::string_view name = "origin.test") {
  return Cat("GET ", path, " HTTP/1.1\r\nHost: ", bench.Authority(name), "\r\n\r\n");
}

// Asks for several paths, one behind the other's answer.
Task<bool> Ask(ProxyBench& bench, Peer& proxy, std::vector<std::string_view> paths,
               std::string_view name = "origin.test") {
  for (const std::string_view path : paths) {
    if (!co_await proxy.Say(Get(bench, path, name))) co_return false;
    if (!co_await proxy.HearAnswer()) co_return false;
  }
  co_return true;
}

Task<void> GetTwice(ProxyBench& bench) { co_await Ask(bench, bench.Connect(), {"/a", "/b"}); }
Task<void> GetOnTwoConnections(ProxyBench& bench) {
  if (co_await Ask(bench, bench.Connect(), {"/a"})) co_await Ask(bench, bench.Connect(), {"/b"});
}
Task<void> GetAtOnce(ProxyBench& bench) {
  Peer& a = bench.Connect();
  Peer& b = bench.Connect();
  if (!co_await a.Say(Get(bench, "/chunks")) || !co_await b.Say(Get(bench, "/close"))) co_return;
  if (co_await a.HearAnswer()) co_await b.HearAnswer();
}
Task<void> Pipeline(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say(Cat(Get(bench, "/a"), Get(bench, "/x", "denied.test"), Get(bench, "/b")))) co_return;
  for (int i = 0; i < 3; ++i)
    if (!co_await proxy.HearAnswer()) co_return;
}
Task<void> GetOdd(ProxyBench& bench) {
  co_await Ask(bench, bench.Connect(), {"/empty", "/unchanged", "/hints", "/chunks", "/a"});
}
Task<void> GetUntilClose(ProxyBench& bench) { co_await Ask(bench, bench.Connect(), {"/close", "/a"}); }
Task<void> GetBroken(ProxyBench& bench) { co_await Ask(bench, bench.Connect(), {"/broken", "/asks", "/a"}); }
Task<void> GetBrokenContent(ProxyBench& bench) { co_await Ask(bench, bench.Connect(), {"/content", "/a"}); }
Task<void> GetDenied(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (co_await Ask(bench, proxy, {"/x"}, "denied.test")) co_await Ask(bench, proxy, {"/a"});
}
Task<void> GetPrivate(ProxyBench& bench) { co_await Ask(bench, bench.Connect(), {"/x"}, "private.test"); }
Task<void> GetNowhere(ProxyBench& bench) { co_await Ask(bench, bench.Connect(), {"/x"}, "nowhere.test"); }
Task<void> GetRefused(ProxyBench& bench) { co_await Ask(bench, bench.Connect(), {"/x"}, "refused.test"); }
Task<void> GetOnce(ProxyBench& bench) { co_await Ask(bench, bench.Connect(), {"/a"}); }
Task<void> GetHttp10(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say(Request(bench, "GET", "/chunks", "", "origin.test", "HTTP/1.0"))) co_return;
  co_await proxy.HearAnswer();
}
Task<void> AskHead(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  for (int i = 0; i < 2; ++i) {
    if (!co_await proxy.Say(Request(bench, "HEAD", "/a"))) co_return;
    if (!co_await proxy.HearAnswer(HttpKind::kHeadResponse)) co_return;
  }
}
Task<void> ReadSlowly(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  proxy.set_pace(3000);
  co_await Ask(bench, proxy, {"/big", "/a"});
}
// Ends its side after the request, as `nc -N` does, and still gets the answer.
Task<void> GetThenFin(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say(Get(bench, "/chunks"))) co_return;
  proxy.Finish();
  if (co_await proxy.HearAnswer()) co_await proxy.HearEnd();
}
Task<void> SayNonsense(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say("GET / HTTP/1.1\r\n folded: yes\r\n\r\n")) co_return;
  if (co_await proxy.HearAnswer()) co_await proxy.HearEnd();
}

Task<void> Post(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say(Cat(Request(bench, "POST", "/p", "Content-Length: 10\r\n"), "first"))) co_return;
  co_await Yield();
  if (!co_await proxy.Say("after") || !co_await proxy.HearAnswer()) co_return;
  co_await Ask(bench, proxy, {"/a"});
}
Task<void> PostChunked(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say(Request(bench, "POST", "/p", "Transfer-Encoding: chunked\r\n"))) co_return;
  if (!co_await proxy.Say("5\r\nfirst\r\n")) co_return;
  co_await Yield();
  if (!co_await proxy.Say("5\r\nafter\r\n")) co_return;
  co_await Yield();
  if (!co_await proxy.Say("0\r\nX-Sum: 42\r\n\r\n") || !co_await proxy.HearAnswer()) co_return;
  co_await Ask(bench, proxy, {"/a"});
}
Task<void> PostAnsweredEarly(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say(Cat(Request(bench, "POST", "/p", "Content-Length: 10\r\n"), "first"))) co_return;
  if (!co_await proxy.HearAnswer() || !co_await proxy.Say("after")) co_return;
  co_await Ask(bench, proxy, {"/a"});
}
Task<void> PostExpecting(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say(Request(bench, "POST", "/p", "Expect: 100-continue\r\nContent-Length: 5\r\n"))) co_return;
  if (!co_await proxy.HearHttp(HttpKind::kResponse)) co_return;
  if (proxy.http().status() == 100 && (!co_await proxy.Say("taken") || !co_await proxy.HearAnswer())) co_return;
  if (proxy.http().Field("Connection") == "close") co_await proxy.HearEnd();
}

// Its content comes late, so that the request can still go out once more on another connection.
Task<void> GetThenPutLate(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await Ask(bench, proxy, {"/a"})) co_return;
  if (!co_await proxy.Say(Request(bench, "PUT", "/p", "Content-Length: 5\r\n"))) co_return;
  for (int i = 0; i < 8; ++i) co_await Yield();
  if (co_await proxy.Say("taken")) co_await proxy.HearAnswer();
}
Task<void> GetThenPutExpecting(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await Ask(bench, proxy, {"/a"})) co_return;
  if (!co_await proxy.Say(Request(bench, "PUT", "/p", "Expect: 100-continue\r\nContent-Length: 5\r\n"))) co_return;
  if (!co_await proxy.HearHttp(HttpKind::kResponse) || proxy.http().status() != 100) co_return;
  if (co_await proxy.Say("taken")) co_await proxy.HearAnswer();
}
Task<void> PostExpectingSlowly(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say(Request(bench, "POST", "/p", "Expect: 100-continue\r\nContent-Length: 5\r\n"))) co_return;
  co_await Sleep(1500);
  if (co_await proxy.HearAnswer()) co_await proxy.HearEnd();
}

Task<bool> OpenTunnel(ProxyBench& bench, Peer& proxy, std::string_view name, std::string_view early = "") {
  const std::string authority = bench.Authority(name);
  if (!co_await proxy.Say(Cat("CONNECT ", authority, " HTTP/1.1\r\nHost: ", authority, "\r\n\r\n", early)))
    co_return false;
  co_return co_await proxy.HearAnswer(HttpKind::kConnectResponse) && proxy.http().status() == 200;
}
Task<void> TunnelRaw(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await OpenTunnel(bench, proxy, "raw.test", "\x01\x02\x03\x04")) co_return;
  if (!co_await proxy.Hear(4) || !co_await proxy.Say("ping") || !co_await proxy.Hear(4)) co_return;
  proxy.Finish();
  co_await proxy.HearEnd();
}
Task<void> TunnelServerFirst(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await OpenTunnel(bench, proxy, "raw.test")) co_return;
  co_await proxy.HearEnd();
  co_await proxy.Say("still here");
}
Task<void> TunnelTls(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await OpenTunnel(bench, proxy, "origin.test")) co_return;
  const std::string hello = TlsHello("origin.test", "h2");
  if (!co_await proxy.Say(hello.substr(0, 20))) co_return;
  co_await Yield();
  if (!co_await proxy.Say(hello.substr(20)) || !co_await proxy.Hear(hello.size())) co_return;
  proxy.Finish();
  co_await proxy.HearEnd();
}
Task<void> TunnelForeignTls(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await OpenTunnel(bench, proxy, "origin.test")) co_return;
  if (co_await proxy.Say(TlsHello("evil.test"))) co_await proxy.HearEnd();
}
Task<void> TunnelUnwantedProtocol(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await OpenTunnel(bench, proxy, "origin.test")) co_return;
  if (co_await proxy.Say("SSH-2.0-x\r\n")) co_await proxy.HearEnd();
}
Task<void> TunnelHttp(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await OpenTunnel(bench, proxy, "origin.test")) co_return;
  for (const std::string_view path : {"/a", "/b"}) {
    if (!co_await proxy.Say(Inner(bench, path))) co_return;
    if (!co_await proxy.HearAnswer()) co_return;
  }
}
Task<void> TunnelMisdirectedHttp(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await OpenTunnel(bench, proxy, "origin.test")) co_return;
  for (const std::string_view name : {"raw.test", "origin.test"}) {
    if (!co_await proxy.Say(Inner(bench, "/a", name))) co_return;
    if (!co_await proxy.HearAnswer()) co_return;
  }
}
Task<void> TunnelDenied(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  co_await OpenTunnel(bench, proxy, "denied.test", Get(bench, "/smuggled"));
  co_await proxy.HearEnd();
}
Task<void> TunnelRefused(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  co_await OpenTunnel(bench, proxy, "refused.test");
  if (proxy.http().status() == 502) co_await Ask(bench, proxy, {"/a"});
}
Task<void> TunnelSilent(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (co_await OpenTunnel(bench, proxy, "origin.test")) co_await proxy.HearEnd();
}
Task<void> Upgrade(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say(Request(bench, "GET", "/chat",
                                  "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")))
    co_return;
  if (!co_await proxy.HearAnswer() || proxy.http().status() != 101) co_return;
  if (!co_await proxy.Say("ping") || !co_await proxy.Hear(4)) co_return;
  proxy.Finish();
  co_await proxy.HearEnd();
}
// RFC 9110 7.8: first the whole request, then the other protocol.
Task<void> UpgradeInsideAnUpload(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  const std::string request =
      Request(bench, "POST", "/chat", "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 10\r\n");
  if (!co_await proxy.Say(Cat(request, "first"))) co_return;
  if (co_await proxy.HearAnswer()) co_await proxy.HearEnd();
}

Task<void> DrainedWhileIdle(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await Ask(bench, proxy, {"/a"})) co_return;
  bench.Drain();
  co_await proxy.HearEnd();
}
Task<void> DrainedWhileBusy(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (!co_await proxy.Say(Get(bench, "/chunks"))) co_return;
  co_await Yield();
  co_await Yield();
  bench.Drain();
  if (co_await proxy.HearAnswer()) co_await proxy.HearEnd();
}
// RFC 9112 9.6: half of a head is a request that will be served.
Task<void> DrainedInsideAHead(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  const std::string request = Get(bench, "/a");
  if (!co_await proxy.Say(request.substr(0, 20))) co_return;
  co_await Yield();
  co_await Yield();
  bench.Drain();
  co_await Yield();
  co_await Yield();
  if (!co_await proxy.Say(request.substr(20))) co_return;
  if (co_await proxy.HearAnswer()) co_await proxy.HearEnd();
}

BenchSetup From(decltype(BenchSetup::origin) origin) { return {.origin = origin}; }
BenchSetup Via(NextHop::Resolve resolve, decltype(BenchSetup::origin) parent) {
  return {.origin = parent, .parent = resolve};
}
BenchSetup Narrow(decltype(BenchSetup::origin) origin, size_t room) { return {.origin = origin, .client_room = room}; }

// As a parent is asked that resolves names.
std::string ToParent(std::string_view path) {
  return Cat("GET http://origin.test:?", path, " HTTP/1.1\r\nHost: origin.test:?\r\nVia: 1.1 egret\r\n",
             "Proxy-Authorization: Basic cGFyZW50OnNlY3JldA==\r\n\r\n");
}

std::vector<Scenario> MakeScenarios() {
  constexpr NextHop::Resolve kLocal = NextHop::Resolve::kLocal, kRemote = NextHop::Resolve::kRemote;
  const std::string hello = TlsHello("origin.test", "h2");
  const std::string alert("\x15\x03\x03\x00\x02\x02\x31", 7);
  const std::string opened = "200 \n";
  const std::string a = "200 hello /a\n", b = "200 hello /b\n";
  const std::string ok = "request 200\n";
  const std::string inner = "GET /a HTTP/1.1\nGET /b HTTP/1.1\n";
  return {
      {"GetTwice", From(Web), GetTwice, a + b, ok + "request 200 reused\n"},
      {"GetOnTwoConnections", From(Web), GetOnTwoConnections, a + b, ok + "request 200 reused\n"},
      {"GetAtOnce",
       From(Web),
       GetAtOnce,
       "200 chunks, 2x\n200 until the end\n",
       ok + ok,
       {.origin_connections = 2, .end_is_all = true}},
      {"Pipeline", From(Web), Pipeline, a + "403 policy_denied\n" + b,
       ok + "request 403 policy_denied\nrequest 200 reused\n"},
      {"NoContent", From(Web), GetOdd, "204 \n304 \n103 \n200 hello /hints\n200 chunks, 2x\n" + a,
       "request 204\nrequest 304 reused\nrequest 200 reused\nrequest 200 reused\nrequest 200 reused\n"},
      {"Head", From(Web), AskHead, "200 \n200 \n", ok + "request 200 reused\n", {.head = true}},
      {"UntilClose",
       From(Web),
       GetUntilClose,
       "200 until the end\n" + a,
       ok + ok,
       {.origin_connections = 2, .end_is_all = true}},
      {"Http10", From(Web), GetHttp10, "200 chunks, 2x\n", ok},
      {"BrokenOrigin",
       From(Web),
       GetBroken,
       "502 upstream_malformed\n502 upstream_unasked_407\n" + a,
       "request 502 upstream_malformed\nrequest 502 upstream_unasked_407\n" + ok,
       {.origin_connections = 3}},
      {"BrokenContent",
       From(Web),
       GetBrokenContent,
       "502 upstream_malformed\n" + a,
       "request 502 upstream_malformed\n" + ok,
       {.origin_connections = 2}},
      {"SlowReader", Narrow(Web, 8000), ReadSlowly, "200 <100000 bytes>\n" + a, ok + "request 200 reused\n"},
      {"NarrowPipe", Narrow(Web, 31), GetOdd, "204 \n304 \n103 \n200 hello /hints\n200 chunks, 2x\n" + a,
       "request 204\nrequest 304 reused\nrequest 200 reused\nrequest 200 reused\nrequest 200 reused\n"},
      {"ClientFinAfterRequest", From(Web), GetThenFin, "200 chunks, 2x\n", ok},
      {"OriginThatForgets", From(Forgetful), GetTwice, a + b, ok + ok, {.origin_connections = 2}},
      {"OriginThatNeverAnswers", From(Silent), GetOnce, "504 upstream_header_timeout\n",
       "request 504 upstream_header_timeout\n"},
      {"Nonsense",
       From(Web),
       SayNonsense,
       "400 http1.folded_field\n",
       "request 400 http1.folded_field\n",
       {.origin_connections = 0}},

      {"Post", From(Web), Post, "200 hello /p, got firstafter\n" + a, ok + "request 200 reused\n"},
      {"PostChunked", From(Web), PostChunked, "200 hello /p, got firstafter, X-Sum: 42\n" + a,
       ok + "request 200 reused\n"},
      {"PostAnsweredEarly",
       From(AnswersEarly),
       PostAnsweredEarly,
       "200 early\n200 after\n",
       ok + ok,
       {.origin_connections = 2}},
      {"ExpectAnswered", From(SaysContinue), PostExpecting, "100 \n200 took it\n", ok},
      {"ExpectRefused", From(RefusesExpectation), PostExpecting, "417 too much\n", "request 417\n"},
      {"ExpectUnanswered", From(Web), PostExpecting, "100 \n200 hello /p, got taken\n", ok},
      {"ExpectAnsweredTwice", Narrow(RefusesLate, 16), PostExpectingSlowly, "100 \n417 too much\n", "request 417\n"},
      {"RetriedBeforeItsUpload",
       From(ForgetsAtTheHead),
       GetThenPutLate,
       a + "200 hello /p, got taken\n",
       ok + ok,
       {.origin_connections = 2}},
      {"RetriedWhileExpecting",
       From(ForgetsAtTheHead),
       GetThenPutExpecting,
       a + "100 \n200 hello /p, got taken\n",
       ok + ok,
       {.origin_connections = 2}},

      {"DeniedName", From(Web), GetDenied, "403 policy_denied\n" + a, "request 403 policy_denied\n" + ok},
      {"DeniedAddress",
       From(Web),
       GetPrivate,
       "403 address_prohibited\n",
       "request 403 address_prohibited\n",
       {.origin_connections = 0}},
      {"NoSuchName",
       From(Web),
       GetNowhere,
       "502 dns_not_found\n",
       "request 502 dns_not_found\n",
       {.origin_connections = 0}},
      {"Refused",
       From(Web),
       GetRefused,
       "502 connection_refused\n",
       "request 502 connection_refused\n",
       {.origin_connections = 0}},

      {"TunnelRaw", From(Echo), TunnelRaw, opened + "> \x01\x02\x03\x04pingbye\n", "tunnel 200 client_fin other\n"},
      {"TunnelServerFirst", From(SpeaksFirstThenEnds), TunnelServerFirst, opened + "> 220 ready\r\n\n",
       "tunnel 200 upstream_fin other\n"},
      {"TunnelTls", From(Echo), TunnelTls, opened + "> " + hello + "bye\n", "tunnel 200 client_fin tls\n"},
      {"TunnelForeignTls", From(Echo), TunnelForeignTls, opened + "> " + alert + "\n",
       "tunnel 200 sni_mismatch sni_mismatch tls\n"},
      {"TunnelUnwantedProtocol", From(Echo), TunnelUnwantedProtocol, opened,
       "tunnel 200 policy_denied policy_denied other\n"},
      {"TunnelHttp", From(Web), TunnelHttp, opened + a + b, ok + "request 200 reused\ntunnel 200 http\n"},
      {"TunnelMisdirectedHttp", From(Web), TunnelMisdirectedHttp, opened + "421 misdirected\n" + a,
       "request 421 misdirected\n" + ok + "tunnel 200 http\n"},
      {"TunnelDenied",
       From(Web),
       TunnelDenied,
       "403 policy_denied\n",
       "request 403 policy_denied\n",
       {.origin_connections = 0}},
      {"TunnelRefused", From(Web), TunnelRefused, "502 connection_refused\n" + a,
       "request 502 connection_refused\n" + ok},
      {"TunnelSilent", From(Silent), TunnelSilent, opened, "tunnel 200 idle_timeout idle_timeout\n"},
      {"Upgrade", From(SwitchesProtocols), Upgrade, "101 \n> pong\n", "tunnel 101 client_fin websocket\n"},

      {"UpgradeInsideAnUpload", From(SwitchesProtocols), UpgradeInsideAnUpload, "502 upstream_bad_upgrade\n",
       "request 502 upstream_bad_upgrade\n"},

      {"DrainedWhileIdle", From(Web), DrainedWhileIdle, a, ok},
      {"DrainedWhileBusy", From(Web), DrainedWhileBusy, "200 chunks, 2x\n", ok},
      {"DrainedInsideAHead", From(Web), DrainedInsideAHead, a, ok},

      {"ParentResolves",
       Via(kRemote, Web),
       GetTwice,
       a + b,
       ok + "request 200 reused\n",
       {.asked =
            "GET http://origin.test:?/a HTTP/1.1, credentials\nGET http://origin.test:?/b HTTP/1.1, credentials\n"}},
      {"ParentResolvesTunnel",
       Via(kRemote, Web),
       TunnelHttp,
       opened + a + b,
       ok + "request 200 reused\ntunnel 200 http\n",
       {.asked = "CONNECT origin.test:? HTTP/1.1, credentials\n" + inner, .or_asked = ToParent("/a") + ToParent("/b")}},
      {"ParentIsGivenAddresses",
       Via(kLocal, Web),
       GetTwice,
       a + b,
       ok + "request 200 reused\n",
       {.asked = "CONNECT 127.0.0.1:? HTTP/1.1, credentials\n" + inner}},
      {"ParentIsGivenAddressesTunnel",
       Via(kLocal, Web),
       TunnelHttp,
       opened + a + b,
       ok + "request 200 reused\ntunnel 200 http\n",
       {.asked = "CONNECT 127.0.0.1:? HTTP/1.1, credentials\n" + inner}},
      {"ParentAsksWho", Via(kLocal, AsksWho), TunnelTls, "502 parent_auth\n", "request 502 parent_auth\n"},
      {"ParentAsksWhoInPlain", Via(kRemote, AsksWho), GetOnce, "502 parent_auth\n", "request 502 parent_auth\n"},
      {"ParentFails", Via(kRemote, Fails), TunnelTls, "502 parent_refused\n", "request 502 parent_refused\n"},
      {"ParentTalksGarbage", Via(kLocal, TalksGarbage), TunnelTls, "502 parent_malformed\n",
       "request 502 parent_malformed\n"},
      {"ParentFramesItsTunnel", Via(kLocal, FramesItsTunnel), TunnelSilent, opened,
       "tunnel 200 idle_timeout idle_timeout\n"},
  };
}

}  // namespace

std::span<const Scenario> Scenarios() {
  static const std::vector<Scenario> scenarios = MakeScenarios();
  return scenarios;
}

}  // namespace egret
