// proxy_auth around a chain that answers by itself, with methods that say what they are told to.
#include "source/filters/proxy_auth.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/base/base64.h"
#include "source/base/strings.h"
#include "source/chain/exchange.h"
#include "test/chain/chain_test_base.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

using Kind = AuthVerdict::Kind;
using Judge = std::function<AuthVerdict(const AuthQuestion&)>;

std::shared_ptr<const Identity> Named(std::string name) {
  auto identity = std::make_shared<Identity>();
  identity->user = std::move(name);
  return identity;
}

class Scripted final : public AuthMethod {
 public:
  Scripted(AuthBy by, std::vector<std::string> challenges, Judge at_once, Judge check = {})
      : by_(by), challenges_(std::move(challenges)), at_once_(std::move(at_once)), check_(std::move(check)) {}
  AuthBy by() const override { return by_; }
  std::vector<std::string> Challenges(std::string_view realm) const override {
    std::vector<std::string> out;
    for (const std::string& scheme : challenges_) out.push_back(Cat(scheme, " realm=", realm));
    return out;
  }
  AuthVerdict AtOnce(const AuthQuestion& question) const override { return at_once_(question); }
  Task<AuthVerdict> Check(const AuthQuestion& question) const override { co_return check_(question); }

 private:
  AuthBy by_;
  std::vector<std::string> challenges_;
  Judge at_once_, check_;
};

// Knows whose password is his name.
std::unique_ptr<const AuthMethod> Costly(AuthBy by = AuthBy::kBasic, std::string scheme = "Basic") {
  const auto at_once = [](const AuthQuestion& question) {
    if (question.credentials == nullptr) return AuthVerdict{};
    const bool basic = question.credentials->scheme() == Credentials::Scheme::kBasic;
    return AuthVerdict{basic ? Kind::kCosts : Kind::kWrong};
  };
  const auto check = [](const AuthQuestion& question) {
    const Credentials& asked = *question.credentials;
    if (asked.password() == "busy") return AuthVerdict{Kind::kBusy};
    if (asked.password() != asked.user()) return AuthVerdict{Kind::kWrong};
    return AuthVerdict{Kind::kAccepted, Named(std::string(asked.user()))};
  };
  return std::make_unique<const Scripted>(by, std::vector{std::move(scheme)}, at_once, check);
}

std::unique_ptr<const AuthMethod> Always(AuthBy by, AuthVerdict verdict) {
  return std::make_unique<const Scripted>(by, std::vector<std::string>(), [verdict](const auto&) { return verdict; });
}

class Answer final : public HttpFilter {
 public:
  Task<Response> Handle(Exchange& exchange, HttpNext) const override {
    Response response;
    response.head.status = 200;
    const Fact<const Identity*> who = exchange.facts().identity;
    response.head.Add("Who", who.known() ? who.value()->Name() : who.unknown() ? "unknown" : "absent");
    co_return response;
  }
};

struct Told {
  int status = 0;
  std::string who, retry_after, challenges, logged;
};

Task<Told> RunChain(Exchange& exchange, const HttpFilters& filters) {
  const Response response = co_await HttpNext(filters)(exchange);
  Told told;
  told.status = response.head.status;
  for (const Field& field : response.head.fields()) {
    if (field.name == "Who") told.who = field.value;
    if (field.name == "Retry-After") told.retry_after = field.value;
    if (field.name == "Proxy-Authenticate") Append(told.challenges, field.value, ';');
  }
  told.logged = exchange.record().identity;
  co_return told;
}

class ProxyAuthTest : public ChainTestBase {
 protected:
  template <class... Methods>
  void Use(bool optional, Methods... methods) {
    ProxyAuthOptions options;
    options.optional = optional;
    (options.methods.push_back(std::move(methods)), ...);
    filters_.push_back(std::make_unique<ProxyAuthFilter>(std::move(options)));
    filters_.push_back(std::make_unique<Answer>());
  }
  Told Ask(std::optional<std::string> credentials, bool repeated = false,
           std::shared_ptr<const Identity> certificate = nullptr) {
    std::unique_ptr<PipeStream> far;
    const std::unique_ptr<Connection> connection = MakeConnection(far);
    connection->peer = {IpAddress::V4(source_), 4711};
    connection->identity = std::move(certificate);
    Request request;
    request.head.method = "GET";
    FakeSink sink;
    RecordHolder holder(*worker_);
    if (connection->identity) holder->identity = connection->identity->Name();
    Exchange exchange(*connection, sink, std::move(request), std::move(holder));
    if (credentials) exchange.proxy_authorization = *credentials;
    exchange.credentials_repeated = repeated;
    return RunTask(loop_, RunChain(exchange, filters_));
  }
  Told AskAs(std::string_view user, std::string_view password) {
    return Ask(Cat("Basic ", Base64(Cat(user, ':', password))));
  }
  uint64_t Refused(AuthRefusal why) const { return worker_->counters().auth.refused[static_cast<size_t>(why)].Read(); }
  uint64_t Accepted(AuthBy by) const { return worker_->counters().auth.accepted[static_cast<size_t>(by)].Read(); }

  HttpFilters filters_;
  uint32_t source_ = 1;
};

TEST_F(ProxyAuthTest, WhoIsKnownGoesOnAndIsLoggedAndNobodyElseDoes) {
  Use(false, Costly());
  const Told asked = Ask(std::nullopt);
  EXPECT_EQ(asked.status, 407);
  EXPECT_EQ(asked.challenges, "Basic realm=egress;");
  const Told wrong = AskAs("alice", "bob");
  EXPECT_EQ(wrong.status, 407);
  EXPECT_EQ(wrong.challenges, "Basic realm=egress;");
  EXPECT_EQ(wrong.logged, "");
  const Told right = AskAs("alice", "alice");
  EXPECT_EQ(right.status, 200);
  EXPECT_EQ(right.who, "alice");
  EXPECT_EQ(right.logged, "alice");
  EXPECT_EQ(Ask("Basic !").status, 407);
  EXPECT_EQ(Refused(AuthRefusal::kMissing), 1u);
  EXPECT_EQ(Refused(AuthRefusal::kWrong), 1u);
  EXPECT_EQ(Refused(AuthRefusal::kMalformed), 1u);
  EXPECT_EQ(Accepted(AuthBy::kBasic), 1u);
}

TEST_F(ProxyAuthTest, EachSchemeIsAskedForOnceInOrder) {
  Use(false, Costly(AuthBy::kJwt, "Bearer"), Costly(), Costly());
  EXPECT_EQ(Ask(std::nullopt).challenges, "Bearer realm=egress;Basic realm=egress;");
}

TEST_F(ProxyAuthTest, WhereItIsOptionalNobodyGoesOnAsUnknownAndAWrongOneDoesNot) {
  Use(true, Costly());
  EXPECT_EQ(Ask(std::nullopt).who, "unknown");
  EXPECT_EQ(AskAs("alice", "bob").status, 407);
  EXPECT_EQ(Accepted(AuthBy::kNobody), 1u);
}

TEST_F(ProxyAuthTest, WhereNothingCanBeAskedForNobodyIsAbsentOrRefused) {
  Use(true, Always(AuthBy::kClientCertificate, {}));
  EXPECT_EQ(Ask("Basic !").who, "absent");  // a credential means nothing here
  filters_.clear();
  Use(false, Always(AuthBy::kClientCertificate, {}));
  const Told refused = Ask(std::nullopt);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.challenges, "");
}

TEST_F(ProxyAuthTest, TheConnectionsIdentityCountsOnlyAsFarAsAMethodTakesIt) {
  Use(true, Costly());
  const Told told = Ask(std::nullopt, false, Named("by certificate"));
  EXPECT_EQ(told.who, "unknown");
  EXPECT_EQ(told.logged, "");
}

TEST_F(ProxyAuthTest, TheFirstThatKnowsSaysWhoAndAWrongCredentialIsNotMadeGood) {
  Use(false, Costly(), Always(AuthBy::kSourceAddress, {Kind::kAccepted, Named("pod")}));
  EXPECT_EQ(Ask(std::nullopt).who, "pod");
  EXPECT_EQ(AskAs("alice", "alice").who, "alice");
  EXPECT_EQ(AskAs("alice", "bob").status, 407);
  EXPECT_EQ(Accepted(AuthBy::kSourceAddress), 1u);
}

TEST_F(ProxyAuthTest, P10_RepeatedCredentialsAreNoneOfAnybodys) {
  Use(true, Costly());
  EXPECT_EQ(Ask(Cat("Basic ", Base64("alice:alice")), true).status, 400);
}

TEST_F(ProxyAuthTest, P10_WrongOnesAreBoundedForEachSourceAndRightOnesDoNotCount) {
  Use(false, Costly());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(AskAs("alice", "alice").status, 200);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(AskAs("alice", Cat("guess", i)).status, 407) << i;
  const Told slowed = AskAs("alice", "guess");
  EXPECT_EQ(slowed.status, 429);
  EXPECT_EQ(slowed.retry_after, "1");
  EXPECT_EQ(slowed.challenges, "");
  EXPECT_EQ(Ask("Basic !").status, 407);  // costs nothing
  source_ = 2;
  EXPECT_EQ(AskAs("alice", "guess").status, 407);
  EXPECT_EQ(Refused(AuthRefusal::kThrottled), 1u);
}

TEST_F(ProxyAuthTest, WhatCannotBeCheckedNowIsAskedForAgainAndDoesNotCount) {
  Use(false, Costly());
  for (int i = 0; i < 50; ++i) {
    const Told busy = AskAs("alice", "busy");
    EXPECT_EQ(busy.status, 503);
    EXPECT_EQ(busy.retry_after, "1");
  }
  EXPECT_EQ(AskAs("alice", "alice").status, 200);
}

}  // namespace
}  // namespace egret
