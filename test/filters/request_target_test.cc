// Where a request may lead from where it stands: target forms, Host, and the tunnel that it came through.
#include "source/filters/request_target.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "test/chain/chain_test_base.h"

namespace egret {
namespace {

using Mode = HttpConnectionOptions::Target;

class NoSink final : public ExchangeSink {
 public:
  Task<Failure> Inform(const Head&) override { co_return Failure{}; }
  Task<Failure> Respond(const Head&, Body*) override { co_return Failure{}; }
  void CloseAfterThis() override {}
  bool responded() const override { return false; }
  bool request_complete() const override { return true; }
  Gate& GoneGate() override { return Gate::NeverOpen(); }
  Gate& PeerDoneGate() override { return Gate::NeverOpen(); }
};

struct Row {
  TargetForm form;
  std::string_view authority;  // "http://..." names its scheme
  std::vector<std::string_view> hosts;
  std::string_view tunnel;  // the target of the tunnel it came through; empty: none
  std::string_view target;  // what it resolves to; empty: `fault`
  Fault fault = Fault::kNone;
  Mode mode = Mode::kByPlace;
  std::string_view method = "GET";
  std::string_view original = {};  // where a transparent connection wanted to go
  enum class Around : uint8_t { kClear, kClearAndAllowed, kTls, kDecrypted } around = Around::kClear;
};

class RequestTargetTest : public ChainTestBase {
 protected:
  void Check(const Row& row) {
    std::unique_ptr<PipeStream> far;
    const std::unique_ptr<Connection> connection = MakeConnection(far);
    if (!row.tunnel.empty()) {
      auto target = ParseAuthority(row.tunnel, std::nullopt);
      ASSERT_TRUE(target);
      connection->target = std::move(*target);
    }
    if (!row.original.empty()) {
      connection->original_destination = Endpoint::Parse(row.original);
      connection->judge_requests = true;
    }
    Request request;
    Head& head = request.head;
    head.method = row.form == TargetForm::kAuthority ? "CONNECT" : row.method;
    head.form = row.form;
    std::string_view authority = row.authority;
    if (row.form == TargetForm::kAbsolute) {
      head.scheme = authority.substr(0, authority.find("://"));
      authority.remove_prefix(head.scheme.size() + 3);
    }
    head.authority = authority;
    for (const std::string_view host : row.hosts) head.Add(FieldName::kHost, host);
    NoSink sink;
    Exchange exchange(*connection, sink, std::move(request), RecordHolder(*worker_));
    HttpConnectionOptions options;
    options.target = row.mode;
    options.https_in_clear = row.around == Row::Around::kClearAndAllowed;
    if (row.around == Row::Around::kTls) connection->tls = std::make_shared<const TlsFacts>();
    if (row.around == Row::Around::kDecrypted) connection->origin_tls.emplace();
    const Fault fault = ResolveTarget(exchange, options);
    const std::string where = Cat(row.authority, " Host: ", row.hosts.empty() ? "-" : row.hosts[0], " in ", row.tunnel);
    EXPECT_EQ(TextOf(fault).detail, TextOf(row.fault).detail) << where;
    EXPECT_EQ(exchange.target.has_value(), !row.target.empty()) << where;
    if (exchange.target) EXPECT_EQ(exchange.target->ToString(), row.target) << where;
  }
};

constexpr TargetForm kAbsolute = TargetForm::kAbsolute, kOrigin = TargetForm::kOrigin,
                     kConnect = TargetForm::kAuthority, kAsterisk = TargetForm::kAsterisk;

TEST_F(RequestTargetTest, H10_TheAuthorityOfAnAbsoluteTargetWinsWhateverHostSays) {
  for (const Row& row : std::vector<Row>{
           {kAbsolute, "http://a.example", {"a.example"}, "", "a.example:80"},
           {kAbsolute, "http://a.example:8080", {"b.example"}, "", "a.example:8080"},
           {kAbsolute, "HTTP://A.Example.", {}, "", "a.example:80"},
           {kAbsolute, "http://192.0.2.1:81", {"x"}, "", "192.0.2.1:81"},
           {kAbsolute, "http://[2001:DB8::1]", {"x"}, "", "[2001:db8::1]:80"},
           {kAbsolute, "https://a.example", {"a.example"}, "", "", Fault::kHttpsInClear},
           {kAbsolute, "ftp://a.example", {"a.example"}, "", "", Fault::kHttpScheme},
           {kAbsolute, "http://u@a.example", {"a.example"}, "", "", Fault::kHttpTarget},
           {kAbsolute, "http://a.example:0", {"a.example"}, "", "", Fault::kHttpTarget},
           {kAbsolute, "http://0x7f.1", {"a.example"}, "", "", Fault::kHttpTarget},
       })
    Check(row);
}

// What is asked for with https is answered over TLS, and is asked for over TLS unless the operator says otherwise.
TEST_F(RequestTargetTest, HttpsImpliesItsPortAndIsNotMixedWithHttp) {
  using enum Row::Around;
  const auto check = [&](std::string_view authority, std::string_view host, std::string_view tunnel, Row::Around around,
                         std::string_view target, Fault fault = Fault::kNone) {
    Row row{authority.empty() ? kOrigin : kAbsolute, authority, {host}, tunnel, target, fault};
    row.around = around;
    Check(row);
  };
  check("https://a.example", "a.example", "", kTls, "a.example:443");
  check("HTTPS://a.example:80", "a.example", "", kTls, "a.example:80");
  check("https://a.example", "a.example", "", kClearAndAllowed, "a.example:443");
  check("https://a.example", "a.example", "", kClear, "", Fault::kHttpsInClear);
  check("http://a.example", "a.example", "", kTls, "a.example:80");
  check("ftp://a.example", "a.example", "", kTls, "", Fault::kHttpScheme);
  check("", "a.example", "a.example:443", kDecrypted, "a.example:443");
  check("https://a.example", "a.example", "a.example:443", kDecrypted, "a.example:443");
  check("http://a.example:443", "a.example", "a.example:443", kDecrypted, "", Fault::kMisdirected);
  check("", "a.example:80", "a.example:443", kDecrypted, "", Fault::kMisdirected);
  check("", "a.example", "a.example:443", kClear, "", Fault::kMisdirected);
  check("https://a.example", "a.example", "a.example:443", kTls, "", Fault::kMisdirected);
}

TEST_F(RequestTargetTest, T22_BelowATransparentListenerEachRequestNamesItsTargetOnThePortThatWasWanted) {
  const auto check = [&](TargetForm form, std::string_view authority, const std::vector<std::string_view>& hosts,
                         std::string_view target, Fault fault = Fault::kNone) {
    for (const Mode mode : {Mode::kByPlace, Mode::kHost})
      Check({form, authority, hosts, "", target, fault, mode, "GET", "192.0.2.1:8080"});
  };
  check(kOrigin, "", {"a.example"}, "a.example:8080");
  check(kOrigin, "", {"A.Example.:8080"}, "a.example:8080");
  check(kOrigin, "", {"198.51.100.7"}, "198.51.100.7:8080");
  check(kAbsolute, "http://b.example:8080", {"a.example"}, "b.example:8080");
  check(kOrigin, "", {"a.example:80"}, "", Fault::kMisdirected);
  check(kOrigin, "", {}, "", Fault::kHttpHost);
  check(kOrigin, "", {"a b"}, "", Fault::kHttpHost);
  check(kAbsolute, "https://b.example", {"b.example"}, "", Fault::kMisdirected);
  check(kConnect, "a.example:443", {"a.example:443"}, "", Fault::kMisdirected);
  Check({kOrigin, "", {"a.example"}, "", "", Fault::kHttpTargetForm, Mode::kAbsoluteForm, "GET", "192.0.2.1:80"});
}

TEST_F(RequestTargetTest, WhatIsNoProxyRequestIsToldSo) {
  Check({kOrigin, "", {"a.example"}, "", "", Fault::kHttpTargetForm});
  Check({kAsterisk, "", {"a.example"}, "", "", Fault::kHttpTargetForm, Mode::kByPlace, "OPTIONS"});
  Check({kAbsolute, "http://a.example", {"a.example"}, "", "", Fault::kHttpTrace, Mode::kByPlace, "TRACE"});
  Check({kOrigin, "", {"a.example"}, "a.example:80", "", Fault::kHttpTrace, Mode::kByPlace, "TRACE"});
}

TEST_F(RequestTargetTest, T08_ConnectNamesHostAndPortAndHostAgreesWhereItIsSent) {
  for (const Row& row : std::vector<Row>{
           {kConnect, "a.example:443", {"a.example:443"}, "", "a.example:443"},
           {kConnect, "a.example:443", {"A.example"}, "", "a.example:443"},
           {kConnect, "A.Example.:443", {"a.example:443"}, "", "a.example:443"},
           {kConnect, "a.example:443", {}, "", "a.example:443"},  // T09
           {kConnect, "[2001:db8::1]:443", {"[2001:DB8:0::1]:443"}, "", "[2001:db8::1]:443"},
           {kConnect, "a.example:443", {"b.example:443"}, "", "", Fault::kHttpHostMismatch},
           {kConnect, "a.example:443", {"a.example:444"}, "", "", Fault::kHttpHostMismatch},
           {kConnect, "a.example:443", {"a.example:"}, "", "", Fault::kHttpHost},
           {kConnect, "a.example", {"a.example"}, "", "", Fault::kHttpConnectTarget},
           {kConnect, "a.example:0", {}, "", "", Fault::kHttpConnectTarget},
           {kConnect, "a.example:65536", {}, "", "", Fault::kHttpConnectTarget},
           {kConnect, "u@a.example:443", {}, "", "", Fault::kHttpConnectTarget},
       })
    Check(row);
}

TEST_F(RequestTargetTest, P11_InsideATunnelEveryRequestIsForTheTunnelsOwnDestination) {
  for (const Row& row : std::vector<Row>{
           {kOrigin, "", {"a.example"}, "a.example:80", "a.example:80"},
           {kOrigin, "", {"A.Example.:80"}, "a.example:80", "a.example:80"},
           {kOrigin, "", {"a.example:8080"}, "a.example:8080", "a.example:8080"},
           {kAsterisk, "", {"a.example"}, "a.example:80", "a.example:80"},
           {kAbsolute, "http://a.example", {"b.example"}, "a.example:80", "a.example:80"},
           {kOrigin, "", {"b.example"}, "a.example:80", "", Fault::kMisdirected},
           {kOrigin, "", {"a.example"}, "a.example:8080", "", Fault::kMisdirected},
           {kOrigin, "", {"a.example.evil"}, "a.example:80", "", Fault::kMisdirected},
           {kOrigin, "", {"192.0.2.1"}, "192.0.2.2:80", "", Fault::kMisdirected},
           {kAbsolute, "http://b.example", {"a.example"}, "a.example:80", "", Fault::kMisdirected},
           {kAbsolute, "https://a.example:80", {"a.example"}, "a.example:80", "", Fault::kMisdirected},
           {kConnect, "a.example:80", {}, "a.example:80", "", Fault::kMisdirected},
           {kOrigin, "", {}, "a.example:80", "", Fault::kHttpHost},
           {kOrigin, "", {"u@a.example"}, "a.example:80", "", Fault::kHttpHost},
       })
    Check(row);
}

}  // namespace
}  // namespace egret
