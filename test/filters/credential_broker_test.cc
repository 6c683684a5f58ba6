// credential_broker before a chain that answers by itself with the fields that it was given.
#include "source/filters/credential_broker.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/base64.h"
#include "source/chain/exchange.h"
#include "test/chain/chain_test_base.h"
#include "test/support/run_task.h"
#include "test/support/test_ca.h"

namespace egret {
namespace {

using Others = CredentialBinding::Others;
using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kMisplaced = "credential_misplaced", kForeign = "credential_foreign";

std::string Text(const Head& head) {
  std::string out;
  for (const Field& field : head.fields()) Append(out, field.name, ": ", field.value, '\n');
  return out;
}

// The end of the chain: keeps what it is sent, and says what it is told to.
class Origin final : public HttpFilter {
 public:
  Origin(const Fields& says, std::string& got) : says_(says), got_(got) {}
  Task<Response> Handle(Exchange& exchange, HttpNext /*next*/) const override {
    got_ = Text(exchange.request.head);
    Response response;
    response.head.status = 200;
    for (const auto& [name, value] : says_) response.head.Add(std::string_view(name), value);
    co_return response;
  }

 private:
  const Fields& says_;
  std::string& got_;
};

Task<std::string> Answer(Exchange& exchange, const HttpFilters& filters) {
  const Response response = co_await HttpNext(filters)(exchange);
  co_return Text(response.head);
}

CredentialBinding Bound(std::string_view authority = "api.test:443", std::string header = "authorization",
                        std::string placeholder = "egret-token", std::string secret = "s3cret") {
  CredentialBinding binding;
  binding.secret = std::make_shared<Current<SecretText>>(std::make_shared<const SecretText>(std::move(secret)));
  binding.target = *ParseAuthority(authority, std::nullopt);
  binding.places = {{std::move(header), {}}};
  binding.placeholder = std::move(placeholder);
  return binding;
}

CredentialBinding Bound(Others others) {
  CredentialBinding binding = Bound();
  binding.others = others;
  return binding;
}

std::shared_ptr<const Identity> Known(std::string user, std::vector<std::string> groups = {}) {
  auto identity = std::make_shared<Identity>();
  identity->user = std::move(user);
  identity->groups = std::move(groups);
  return identity;
}

class CredentialBrokerTest : public ChainTestBase {
 protected:
  // What the origin was sent, or why it was refused.
  std::string Ask(const Fields& fields) {
    std::string got;
    HttpFilters filters;
    filters.push_back(std::make_unique<CredentialBrokerFilter>(CredentialBrokerOptions{bindings_, known_}));
    filters.push_back(std::make_unique<Origin>(says_, got));
    std::unique_ptr<PipeStream> far;
    const std::unique_ptr<Connection> connection = MakeConnection(far);
    connection->origin_tls = origin_tls_;
    Request request;
    request.head.method = request.head.Keep(method_);
    request.head.path = request.head.Keep(path_);
    for (const auto& [name, value] : fields) request.head.Add(std::string_view(name), value);
    FakeSink sink;
    Exchange exchange(*connection, sink, std::move(request), RecordHolder(*worker_));
    exchange.target = *ParseAuthority(target_, std::nullopt);
    exchange.secure = secure_;
    exchange.identity = identity_;
    heard_ = RunTask(loop_, Answer(exchange, filters));
    sent_to_ = exchange.request.head.path;
    const DecisionRecord& decision = exchange.record().decision;
    return decision.rule == "credential_broker" ? std::string(decision.reason) : got;
  }

  std::string AskBearer() { return Ask({{"Authorization", "Bearer egret-token"}}); }

  void ExpectFilled() { EXPECT_EQ(AskBearer(), "Authorization: Bearer s3cret\n"); }
  void ExpectMisplaced() { EXPECT_EQ(AskBearer(), kMisplaced); }

  std::vector<CredentialBinding> bindings_ = {Bound()};
  KnownCredentials known_;
  std::string method_ = "GET", path_ = "/v1/things?a=b", target_ = "api.test:443";
  Fields says_;                  // the origin
  std::string heard_, sent_to_;  // what the client heard last, and the path that was asked
  bool secure_ = true;
  std::optional<OriginTls> origin_tls_;
  std::shared_ptr<const Identity> identity_;
};

TEST_F(CredentialBrokerTest, FillsThePlaceholderWhereItIsBound) {
  ExpectFilled();
  EXPECT_EQ(Ask({{"AUTHORIZATION", "egret-token"}, {"Accept", "*/*"}}), "AUTHORIZATION: s3cret\nAccept: */*\n");
  EXPECT_EQ(Ask({{"Authorization", "Basic " + Base64("git:egret-token")}}),
            Cat("Authorization: Basic ", Base64("git:s3cret"), '\n'));
  EXPECT_EQ(Ask({{"Accept", "*/*"}}), "Accept: */*\n");
}

TEST_F(CredentialBrokerTest, RefusesThePlaceholderInAnotherPlace) {
  for (const auto& [name, value] : Fields{{"X-Api-Key", "egret-token"},
                                          {"Cookie", "a=b; t=egret-token"},
                                          {"X-Any", "before egret-token after"},
                                          {"Authorization", "Bearer egret-token, Bearer x"},
                                          {"Authorization", "Basic " + Base64("egret-token:x")},
                                          {"X-Any", "Basic " + Base64("me:egret-token")},
                                          {"Authorization", "Basic bWU6ZWdyZXQtdG9rZW4"}})
    EXPECT_EQ(Ask({{name, value}}), kMisplaced) << name << ": " << value;
  for (const char* path : {"/v1?t=egret-token", "/egret-token", "/v1?t=%65gret-token", "/v1?t=egret%2Dtoken"}) {
    path_ = path;
    EXPECT_EQ(Ask({}), kMisplaced) << path;
  }
}

TEST_F(CredentialBrokerTest, RefusesThePlaceholderAtAnotherHostOrPort) {
  for (const char* target : {"api.test:8443", "www.api.test:443", "test:443", "127.0.0.1:443"}) {
    target_ = target;
    ExpectMisplaced();
  }
}

TEST_F(CredentialBrokerTest, SendsNothingInClearOrOverTlsThatIsNotVerified) {
  TestCa ca;
  for (const bool verified : {true, false}) {
    origin_tls_ = OriginTls{*TlsClientContext::Make({.verify = verified, .trust = ca.trust()}), {}};
    verified ? ExpectFilled() : ExpectMisplaced();
  }
  origin_tls_.reset();
  secure_ = false;
  ExpectMisplaced();
}

TEST_F(CredentialBrokerTest, TakesOnlyTheMethodsAndPathsThatAreBound) {
  bindings_[0].methods = {"GET", "HEAD"};
  bindings_[0].path_prefixes = {"/v1/", "/v2"};
  for (const char* path : {"/v1", "/v1/", "/v1/a?b", "/v2", "/v2?a", "/v2/a"}) {
    path_ = path;
    ExpectFilled();
  }
  for (const char* path :
       {"/", "/v", "/v22", "/v3/v1", "/v1/../v3", "/v1/%2e%2e/v3", "/v1//a", "/v1/a%2fb", "*", "/V1"}) {
    path_ = path;
    ExpectMisplaced();
  }
  path_ = "/v1/";
  method_ = "POST";
  ExpectMisplaced();
}

TEST_F(CredentialBrokerTest, TakesOnlyTheUsersAndGroupsThatAreBound) {
  bindings_[0].who.users = {"alice", "bob"};
  ExpectMisplaced();
  identity_ = Known("eve");
  ExpectMisplaced();
  identity_ = Known("bob");
  ExpectFilled();
  bindings_[0].who.groups = {"ci", "ops"};
  ExpectMisplaced();
  identity_ = Known("bob", {"dev", "ops"});
  ExpectFilled();
  auto ended = std::make_shared<Identity>(*identity_);
  ended->ends = 0;
  identity_ = ended;
  ExpectMisplaced();
}

TEST_F(CredentialBrokerTest, RefusesWhatTheClientBroughtItself) {
  for (const char* name :
       {"Authorization", "authorization", "Cookie", "X-Api-Key", "Private-Token", "X-Amz-Security-Token"}) {
    EXPECT_EQ(Ask({{name, "mine"}}), kForeign) << name;
    EXPECT_EQ(Ask({{"Authorization", "egret-token"}, {name, "mine"}}), kForeign) << name;
  }
  target_ = "other.test:443";  // nothing is bound there
  EXPECT_EQ(Ask({{"Cookie", "mine"}}), "Cookie: mine\n");
}

TEST_F(CredentialBrokerTest, StripsOrPassesWhatTheClientBroughtItself) {
  const Fields fields = {
      {"Authorization", "mine"}, {"Accept", "a"}, {"authorization", "Bearer egret-token"}, {"Cookie", "b"}};
  bindings_ = {Bound(Others::kStrip)};
  EXPECT_EQ(Ask(fields), "Accept: a\nauthorization: Bearer s3cret\n");
  EXPECT_EQ(Ask({{"Cookie", "b"}}), "");
  bindings_ = {Bound(Others::kPass)};
  EXPECT_EQ(Ask(fields), "Authorization: mine\nAccept: a\nauthorization: Bearer s3cret\nCookie: b\n");
  EXPECT_EQ(Ask({{"X-Any", "egret-token"}}), kMisplaced);
}

TEST_F(CredentialBrokerTest, KnowsCredentialsInTheQueryAndThoseThatAreNamed) {
  known_ = KnownCredentials({"X-Our-Token"}, {"our_key"});
  EXPECT_EQ(Ask({{"x-our-token", "mine"}}), kForeign);
  for (const char* path : {"/v1?access_token=mine", "/v1?a=b&OUR_KEY=mine", "/v1?X-Amz-Credential=mine"}) {
    path_ = path;
    EXPECT_EQ(Ask({}), kForeign) << path;
  }
  path_ = "/v1?a=b&our_key=mine&c=d";
  bindings_ = {Bound(Others::kStrip)};
  EXPECT_EQ(Ask({{"x-our-token", "mine"}, {"Authorization", "egret-token"}}), "Authorization: s3cret\n");
  EXPECT_EQ(sent_to_, "/v1?a=b&c=d");
  bindings_ = {Bound(Others::kPass)};
  EXPECT_EQ(Ask({{"x-our-token", "mine"}}), "x-our-token: mine\n");
  EXPECT_EQ(sent_to_, path_);
}

TEST_F(CredentialBrokerTest, FillsInEachPlaceOfABinding) {
  bindings_[0].places = {{"x-api-key", {.token = false, .basic = false}}, {"authorization", {.alone = false}}};
  EXPECT_EQ(Ask({{"X-Api-Key", "egret-token"}}), "X-Api-Key: s3cret\n");
  EXPECT_EQ(AskBearer(), "Authorization: Bearer s3cret\n");
  EXPECT_EQ(Ask({{"Authorization", "egret-token"}}), kMisplaced);
  EXPECT_EQ(Ask({{"X-Api-Key", "Bearer egret-token"}}), kMisplaced);
}

TEST_F(CredentialBrokerTest, SignsAnewWhatWasSignedWithThePlaceholder) {
  const auto signed_by = [](std::string_view id) {
    return Cat("AWS4-HMAC-SHA256 Credential=", id,
               "/20261129/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=", std::string(64, 'a'));
  };
  bindings_ = {Bound("api.test:443", "", "EGRETPLACEHOLDER", "AKIDREAL:s3cret")};
  bindings_[0].places.clear();
  bindings_[0].signs = SigningScope{"us-east-2", "s3"};
  const std::string sent = Ask({{"Authorization", signed_by("EGRETPLACEHOLDER")}, {"X-Amz-Date", "20200101T000000Z"}});
  EXPECT_NE(sent.find("Authorization: AWS4-HMAC-SHA256 Credential=AKIDREAL/"), std::string::npos) << sent;
  EXPECT_NE(sent.find("/us-east-2/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date,"),
            std::string::npos)
      << sent;
  EXPECT_EQ(sent.find("20200101"), std::string::npos);
  EXPECT_EQ(sent.find("s3cret"), std::string::npos);
  EXPECT_EQ(Ask({{"Authorization", signed_by("AKIDOTHER")}}), kForeign);
  EXPECT_EQ(Ask({{"Authorization", "Bearer EGRETPLACEHOLDER"}}), kMisplaced);
  EXPECT_EQ(Ask({{"Authorization", signed_by("EGRETPLACEHOLDER")},
                 {"X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}}),
            "credential_unsigned");
  path_ = "/v1?X-Amz-Credential=EGRETPLACEHOLDER%2f20261129";
  EXPECT_EQ(Ask({}), kMisplaced);
}

TEST_F(CredentialBrokerTest, GivesNoCredentialBackToTheClient) {
  bindings_[0] = Bound("api.test:443", "authorization", "egret-token", "s3cret-of-the-origin");
  const auto echoed = [this](const std::string& sent, const std::string& said) {
    says_ = {{"X-Echo", said}, {"X-Other", "as it is"}};
    EXPECT_NE(Ask({{"Authorization", sent}}), kMisplaced);
    return heard_;
  };
  EXPECT_EQ(echoed("Bearer egret-token", "got <s3cret-of-the-origin>, s3cret-of-the-origin"),
            "X-Echo: got <egret-token>, egret-token\nX-Other: as it is\n");
  EXPECT_EQ(echoed("Basic " + Base64("me:egret-token"), Base64("me:s3cret-of-the-origin") + " me:s3cret-of-the-origin"),
            "X-Echo: egret-token me:egret-token\nX-Other: as it is\n");
  EXPECT_EQ(echoed("Bearer egret-token", "s3cret"), "X-Echo: s3cret\nX-Other: as it is\n");
}

TEST_F(CredentialBrokerTest, TheStrictestOfAHostsBindingsCounts) {
  bindings_ = {Bound(Others::kPass), Bound("api.test:443", "x-api-key", "egret-key", "k3y")};
  EXPECT_EQ(Ask({{"Cookie", "mine"}}), kForeign);
  EXPECT_EQ(Ask({{"Authorization", "egret-token"}, {"X-Api-Key", "egret-key"}}),
            "Authorization: s3cret\nX-Api-Key: k3y\n");
  EXPECT_EQ(Ask({{"Authorization", "egret-key"}}), kMisplaced);
  EXPECT_EQ(Ask({{"X-Api-Key", "egret-token"}}), kMisplaced);
}

}  // namespace
}  // namespace egret
