#include "source/auth/jwt.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <random>
#include <string>

#include "source/auth/jwt_method.h"
#include "source/base/base64.h"
#include "source/base/strings.h"
#include "test/auth/jwt_issuer.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

constexpr int64_t kNow = 1'800'000'000;
using Kind = AuthVerdict::Kind;

JwtOptions Options() {
  JwtOptions options;
  options.issuer = "https://issuer.test";
  options.audiences = {"egret", "other"};
  return options;
}

std::string Claims(std::string_view more = "", int64_t exp = kNow + 600, std::string_view aud = "\"egret\"") {
  return Cat("{\"iss\":\"https://issuer.test\",\"sub\":\"alice\",\"aud\":", aud, ",\"exp\":", exp, more, '}');
}

std::shared_ptr<const KeySet> KeysOf(std::string_view jwks, const KeySet* before = nullptr) {
  auto keys = KeySet::Parse(jwks, before);
  EXPECT_TRUE(keys) << keys.error().text;
  return keys ? *keys : nullptr;
}

std::shared_ptr<const Identity> Check(std::string_view token, const KeySet& keys, const JwtOptions& options = Options(),
                                      int64_t now = kNow) {
  const auto parts = ParseJwt(token);
  return parts ? CheckJwt(*parts, keys, options, Assurance::kToken, now) : nullptr;
}

TEST(Jwt, EveryAlgorithmIsCheckedByItsKeyAndBrokenOnesAreRefused) {
  using enum JwtAlgorithm;
  for (const JwtAlgorithm algorithm : {kRs256, kRs384, kRs512, kPs256, kEs256, kEs384, kEdDsa}) {
    SCOPED_TRACE(NameOf(algorithm));
    const JwtIssuer issuer(algorithm), stranger(algorithm);
    const auto keys = KeysOf(issuer.Jwks());
    const std::string token = issuer.Sign(Claims());
    const auto identity = Check(token, *keys);
    ASSERT_NE(identity, nullptr);
    EXPECT_EQ(identity->user, "alice");
    EXPECT_EQ(identity->assurance, Assurance::kToken);
    EXPECT_EQ(identity->ends, kNow + 600 + kJwtLeewaySeconds);
    EXPECT_EQ(Check(stranger.Sign(Claims()), *keys), nullptr);
    // Any byte of it that is another one spoils it.
    for (const size_t at : {token.find('.') + 3, token.rfind('.') + 3, size_t{3}}) {
      std::string spoilt = token;
      spoilt[at] = spoilt[at] == 'A' ? 'B' : 'A';
      EXPECT_EQ(Check(spoilt, *keys), nullptr) << at;
    }
    EXPECT_EQ(Check(token.substr(0, token.rfind('.') + 1), *keys), nullptr);
    EXPECT_EQ(Check(token.substr(0, token.size() - 4), *keys), nullptr);
  }
}

// TLS on the same thread takes whatever stands in that queue for an error of its own.
TEST(Jwt, WhatIsRefusedLeavesTheErrorQueueClean) {
  using enum JwtAlgorithm;
  for (const JwtAlgorithm algorithm : {kRs256, kPs256, kEs256, kEdDsa}) {
    SCOPED_TRACE(NameOf(algorithm));
    const JwtIssuer issuer(algorithm), stranger(algorithm);
    const auto keys = KeysOf(issuer.Jwks());
    ERR_clear_error();  // the issuers are the test's own
    EXPECT_NE(Check(issuer.Sign(Claims()), *keys), nullptr);
    EXPECT_EQ(ERR_peek_error(), 0u);
    const std::string strange = stranger.Sign(Claims());
    ERR_clear_error();
    EXPECT_EQ(Check(strange, *keys), nullptr);
    EXPECT_EQ(ERR_peek_error(), 0u);
    EXPECT_EQ(Check(Cat(strange.substr(0, strange.rfind('.')), ".AAAA"), *keys), nullptr);
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
  const std::string off_curve(43, 'B');
  EXPECT_FALSE(KeySet::Parse(Cat(R"({"keys":[{"kty":"EC","crv":"P-256","x":")", off_curve.substr(0, 42), R"(A","y":")",
                                 off_curve.substr(0, 42), R"(A"}]})"),
                             nullptr));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

// RFC 8725 2.1, 3.1.
TEST(Jwt, TheKeySaysTheAlgorithmAndNotTheToken) {
  const JwtIssuer issuer(JwtAlgorithm::kRs256);
  const auto keys = KeysOf(issuer.Jwks());
  for (const std::string_view algorithm : {"none", "None", "", "HS256", "RS384", "PS256", "ES256", "rs256"}) {
    const std::string header = Cat("{\"alg\":\"", algorithm, "\",\"kid\":\"k1\"}");
    EXPECT_EQ(Check(issuer.SignAs(header, Claims()), *keys), nullptr) << algorithm;
    const std::string unsigned_text = Cat(Base64Url(header), '.', Base64Url(Claims()), '.');
    EXPECT_EQ(Check(unsigned_text, *keys), nullptr) << algorithm;
  }
  for (const std::string_view header :
       {"{}", "[]", "\"x\"", "{\"kid\":\"k1\"}", "{\"alg\":1}", "{\"alg\":\"RS256\",\"kid\":1}",
        "{\"alg\":\"RS256\",\"kid\":\"k2\"}", "{\"alg\":\"RS256\",\"alg\":\"RS256\"}",
        "{\"alg\":\"RS256\",\"kid\":\"k1\",\"crit\":[\"exp\"]}", "{\"alg\":\"RS256\",\"kid\":\"k1\",\"crit\":[]}"})
    EXPECT_EQ(Check(issuer.SignAs(header, Claims()), *keys), nullptr) << header;
  EXPECT_NE(Check(issuer.SignAs("{\"alg\":\"RS256\",\"typ\":\"JWT\"}", Claims()), *keys), nullptr);  // the only key
  const JwtIssuer other(JwtAlgorithm::kRs256, "k2");
  const auto both = KeysOf(Cat("{\"keys\":[", issuer.Jwk(), ",", other.Jwk(), "]}"));
  EXPECT_EQ(Check(issuer.SignAs("{\"alg\":\"RS256\"}", Claims()), *both), nullptr);
  EXPECT_NE(Check(other.Sign(Claims()), *both), nullptr);
  EXPECT_EQ(Check(other.SignAs(issuer.HeaderOf(), Claims()), *both), nullptr);
}

TEST(Jwt, IssuerAudienceAndTimesAreLookedAt) {
  const JwtIssuer issuer(JwtAlgorithm::kEs256);
  const auto keys = KeysOf(issuer.Jwks());
  const auto check = [&](const std::string& claims) { return Check(issuer.Sign(claims), *keys) != nullptr; };
  EXPECT_TRUE(check(Claims("", kNow + 600, "[\"x\",\"other\"]")));
  EXPECT_TRUE(check(Claims("", kNow - kJwtLeewaySeconds + 1)));
  EXPECT_FALSE(check(Claims("", kNow - kJwtLeewaySeconds)));
  EXPECT_TRUE(check(Claims(Cat(",\"nbf\":", kNow + kJwtLeewaySeconds))));
  EXPECT_FALSE(check(Claims(Cat(",\"nbf\":", kNow + kJwtLeewaySeconds + 1))));
  EXPECT_TRUE(check(Claims(Cat(",\"nbf\":", kNow, ".5,\"iat\":\"whenever\""))));
  EXPECT_FALSE(check(Claims(",\"nbf\":\"1\"")));
  for (const std::string_view aud : {"\"egre\"", "[]", "[1]", "\"\"", "null", "{}", "[\"x\"]", "[\"egret\",1]"})
    EXPECT_FALSE(check(Claims("", kNow + 600, aud))) << aud;
  for (const std::string_view claims :
       {"{}", "[]", "x", "", "{\"iss\":\"https://issuer.test\",\"aud\":\"egret\",\"exp\":1900000000}",
        "{\"iss\":\"https://issuer.test\",\"sub\":\"\",\"aud\":\"egret\",\"exp\":1900000000}",
        "{\"iss\":\"https://issuer.test\",\"sub\":7,\"aud\":\"egret\",\"exp\":1900000000}",
        "{\"iss\":\"https://issuer.test/\",\"sub\":\"a\",\"aud\":\"egret\",\"exp\":1900000000}",
        "{\"sub\":\"a\",\"aud\":\"egret\",\"exp\":1900000000}",
        "{\"iss\":\"https://issuer.test\",\"sub\":\"a\",\"exp\":1900000000}",
        "{\"iss\":\"https://issuer.test\",\"sub\":\"a\",\"aud\":\"egret\"}",
        "{\"iss\":\"https://issuer.test\",\"sub\":\"a\",\"aud\":\"egret\",\"exp\":\"1900000000\"}",
        "{\"iss\":\"https://issuer.test\",\"sub\":\"a\",\"aud\":\"egret\",\"exp\":1e300}",
        "{\"iss\":\"https://issuer.test\",\"sub\":\"a\",\"aud\":\"egret\",\"exp\":-1900000000}"})
    EXPECT_FALSE(check(std::string(claims))) << claims;
}

TEST(Jwt, ClaimsBecomeUserGroupsAndClaims) {
  const JwtIssuer issuer(JwtAlgorithm::kEdDsa);
  const auto keys = KeysOf(issuer.Jwks());
  JwtOptions options = Options();
  options.user_claim = "email";
  options.groups_claim = "roles";
  const auto identity = Check(
      issuer.Sign(
          Claims(",\"email\":\"a@b\",\"roles\":[\"ci\",\"dev\"],\"n\":7,\"yes\":true,\"deep\":{\"a\":1},\"mix\":[1]")),
      *keys, options);
  ASSERT_NE(identity, nullptr);
  EXPECT_EQ(identity->user, "a@b");
  EXPECT_EQ(identity->groups, (std::vector<std::string>{"ci", "dev"}));
  EXPECT_EQ(identity->namespace_, "");
  std::string all;
  for (const Identity::Claim& claim : identity->claims) {
    Append(all, claim.name, '=');
    for (const std::string& value : claim.values) Append(all, value, ',');
    all += ' ';
  }
  EXPECT_NE(all.find("roles=ci,dev, "), std::string::npos) << all;
  EXPECT_NE(all.find("n=7, yes=true, "), std::string::npos) << all;
  EXPECT_EQ(all.find("deep"), std::string::npos) << all;
  EXPECT_EQ(all.find("mix"), std::string::npos) << all;
  EXPECT_EQ(Check(issuer.Sign(Claims(",\"roles\":\"ci\",\"email\":\"x\"")), *keys, options)->groups,
            std::vector<std::string>{"ci"});
}

TEST(Jwt, AServiceAccountIsBelievedWhereTheSubjectIsTheSame) {
  const JwtIssuer issuer(JwtAlgorithm::kRs256);
  const auto keys = KeysOf(issuer.Jwks());
  const auto check = [&](std::string_view sub) {
    return Check(
        issuer.Sign(Cat("{\"iss\":\"https://issuer.test\",\"aud\":[\"egret\"],\"exp\":", kNow + 9, ",\"sub\":\"", sub,
                        "\",\"kubernetes.io\":{\"namespace\":\"build\",\"pod\":{\"name\":\"p\"},"
                        "\"serviceaccount\":{\"name\":\"ci\",\"uid\":\"1\"}}}")),
        *keys);
  };
  const auto account = check("system:serviceaccount:build:ci");
  ASSERT_NE(account, nullptr);
  EXPECT_EQ(account->namespace_, "build");
  EXPECT_EQ(account->service_account, "build/ci");
  const auto other = check("mallory");
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(other->namespace_, "");
  EXPECT_EQ(other->service_account, "");
}

TEST(Jwt, P10_AnyBytesAreRefused) {
  const JwtIssuer issuer(JwtAlgorithm::kEs256);
  const auto keys = KeysOf(issuer.Jwks());
  const std::string token = issuer.Sign(Claims());
  for (const std::string_view text : {"", ".", "..", "...", "a.b.c", "a.b", "....", "e30.e30.", "e30.e30.e30"})
    EXPECT_EQ(Check(text, *keys), nullptr) << text;
  EXPECT_EQ(ParseJwt(Cat(std::string(3000, 'A'), ".e30.e30")), std::nullopt);
  EXPECT_EQ(ParseJwt(Cat(token, ".")), std::nullopt);
  std::mt19937 random(5);
  for (int i = 0; i < 3000; ++i) {
    std::string spoilt = token;
    for (int changes = 1 + static_cast<int>(random() % 3); changes > 0; --changes)
      spoilt[random() % spoilt.size()] = static_cast<char>(random());
    if (spoilt != token) {
      EXPECT_EQ(Check(spoilt, *keys), nullptr);
    }
  }
}

TEST(KeySet, LeavesOutWhatItDoesNotUnderstandAndRefusesWhatIsUnsafe) {
  const JwtIssuer issuer(JwtAlgorithm::kEs256), weak(JwtAlgorithm::kRs256, "weak", 1024);
  const auto why = [](const std::string& jwks) {
    const auto keys = KeySet::Parse(jwks, nullptr);
    return keys ? std::string() : keys.error().text;
  };
  const auto with = [&](std::string_view key) { return Cat("{\"keys\":[", key, ",", issuer.Jwk(), "]}"); };
  for (const std::string_view key :
       {"{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"alg\":\"HS256\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"\",\"y\":\"\"}", "{\"kty\":\"RSA\",\"alg\":\"RSA-OAEP\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}", "{}"})
    EXPECT_EQ(why(with(key)), "") << key;
  EXPECT_EQ(why(Cat("{\"keys\":[", issuer.Jwk(",\"use\":\"enc\""), "]}")).substr(0, 6), "no key");
  EXPECT_EQ(why(with(weak.Jwk())), "keys[0]: no sound key for RS256; of RSA 2048 to 8192 bits are taken");
  EXPECT_EQ(why(Cat("{\"keys\":[", issuer.Jwk(), ",", issuer.Jwk(), "]}")),
            "keys[1]: another key before it has this kid");
  EXPECT_TRUE(why(with(issuer.Jwk(",\"d\":\"AAAA\""))).starts_with("keys[0]: it holds a private key"));
  std::string off_curve = issuer.Jwk();
  const size_t at = off_curve.find("\"y\":\"") + 8;
  off_curve[at] = off_curve[at] == 'A' ? 'B' : 'A';
  EXPECT_TRUE(why(with(off_curve)).starts_with("keys[0]: no sound key for ES256"));
  for (const std::string_view jwks : {"", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[1]}", "{\"keys\":[]}"})
    EXPECT_NE(why(std::string(jwks)), "") << jwks;
}

TEST(KeySet, WhoWasKnownByAKeyThatIsGoneIsNotKnownAnyMore) {
  const JwtIssuer stays(JwtAlgorithm::kEs256, "stays"), goes(JwtAlgorithm::kEs256, "goes");
  const auto first = KeysOf(Cat("{\"keys\":[", stays.Jwk(), ",", goes.Jwk(), "]}"));
  const auto kept = Check(stays.Sign(Claims()), *first), lost = Check(goes.Sign(Claims()), *first);
  const uint64_t before = Vouch::Withdrawals();
  const auto second = KeysOf(stays.Jwks(), first.get());
  EXPECT_TRUE(lost->HoldsAt(kNow));  // nothing of it shows until it is in force
  first->WithdrawAllBut(*second);
  EXPECT_TRUE(kept->HoldsAt(kNow));
  EXPECT_FALSE(lost->HoldsAt(kNow));
  EXPECT_EQ(Vouch::Withdrawals(), before + 1);
  EXPECT_FALSE(kept->HoldsAt(kept->ends));
}

class JwtMethodTest : public ::testing::Test {
 protected:
  JwtMethodTest() : keys_(std::make_shared<Current<KeySet>>(KeysOf(issuer_.Jwks()))) {}
  AuthVerdict Ask(const JwtMethod& method, std::string_view field, bool check = true, bool in_tls = true) {
    const Credentials credentials = Credentials::Parse(field);
    AuthQuestion question;
    question.credentials = &credentials;
    question.in_tls = in_tls;
    question.now = now_;
    AuthVerdict verdict = method.AtOnce(question);
    if (verdict.kind == Kind::kCosts && check) verdict = RunTask(loop_, method.Check(question));
    return verdict;
  }

  Loop loop_;
  int64_t now_ = kNow;
  JwtIssuer issuer_{JwtAlgorithm::kEs256};
  std::shared_ptr<Current<KeySet>> keys_;
};

TEST_F(JwtMethodTest, ATokenIsCheckedOnceAndKnownUntilItEndsOrItsKeyGoes) {
  const JwtMethod method(Options(), false, keys_);
  const std::string field = Cat("Bearer ", issuer_.Sign(Claims()));
  EXPECT_EQ(Ask(method, field, false).kind, Kind::kCosts);
  EXPECT_EQ(Ask(method, field).kind, Kind::kAccepted);
  EXPECT_EQ(Ask(method, field, false).kind, Kind::kAccepted);
  EXPECT_EQ(Ask(method, field, false).identity->assurance, Assurance::kToken);
  EXPECT_EQ(Ask(method, field, false, false).kind, Kind::kCosts);  // in clear it is worth less
  EXPECT_EQ(Ask(method, field, true, false).identity->assurance, Assurance::kSourceAddress);
  now_ = kNow + 600 + kJwtLeewaySeconds;
  EXPECT_EQ(Ask(method, field).kind, Kind::kWrong);
  now_ = kNow;
  keys_->Set(KeysOf(JwtIssuer(JwtAlgorithm::kEs256).Jwks()));
  EXPECT_EQ(Ask(method, field).kind, Kind::kWrong);
}

TEST_F(JwtMethodTest, AsAPasswordItIsTakenOnlyWhereThatIsAllowed) {
  const JwtMethod strict(Options(), false, keys_), lenient(Options(), true, keys_);
  const std::string field = Cat("Basic ", Base64(Cat("jwt:", issuer_.Sign(Claims()))));
  EXPECT_EQ(Ask(strict, field).kind, Kind::kWrong);
  EXPECT_EQ(Ask(lenient, field).kind, Kind::kAccepted);
  EXPECT_EQ(Ask(lenient, Cat("Basic ", Base64("alice:secret")), false).kind, Kind::kWrong);  // at no cost
  EXPECT_EQ(strict.Challenges("r"), std::vector<std::string>{"Bearer realm=\"r\""});
  EXPECT_EQ(lenient.Challenges("r"),
            (std::vector<std::string>{"Bearer realm=\"r\"", "Basic realm=\"r\", charset=\"UTF-8\""}));
}

// Has the keys that it is asked for only when it is asked for them.
class LateFeed final : public KeyFeed {
 public:
  LateFeed(std::shared_ptr<Current<KeySet>> keys, std::shared_ptr<const KeySet> later)
      : keys_(std::move(keys)), later_(std::move(later)) {}
  std::shared_ptr<const Current<KeySet>> keys() const override { return keys_; }
  void Begin() override {}
  void Look(const Pending<Looked>& answer) const override {
    ++looked;
    keys_->Set(later_);
    Pending<Looked>::Fulfil(*answer.state(), {});
  }

  mutable int looked = 0;

 private:
  const std::shared_ptr<Current<KeySet>> keys_;
  const std::shared_ptr<const KeySet> later_;
};

TEST_F(JwtMethodTest, AKeyThatIsMissedIsLookedForWhereTheTokenIsOfItsIssuer) {
  const JwtIssuer next(JwtAlgorithm::kEdDsa, "k2");
  const auto feed = std::make_shared<LateFeed>(keys_, KeysOf(next.Jwks()));
  const JwtMethod method(Options(), false, keys_, feed);
  EXPECT_EQ(Ask(method, Cat("Bearer ", issuer_.Sign(Claims()))).kind, Kind::kAccepted);
  EXPECT_EQ(Ask(method, Cat("Bearer ", issuer_.Sign(Claims("", kNow - 60)))).kind, Kind::kWrong);
  EXPECT_EQ(Ask(method, Cat("Bearer ", next.Sign("{\"iss\":\"https://else.test\"}"))).kind, Kind::kWrong);
  EXPECT_EQ(feed->looked, 0);
  EXPECT_EQ(Ask(method, Cat("Bearer ", next.Sign(Claims()))).kind, Kind::kAccepted);
  EXPECT_EQ(feed->looked, 1);
  EXPECT_EQ(Ask(method, Cat("Bearer ", next.Sign(Claims()))).kind, Kind::kAccepted);
  EXPECT_EQ(feed->looked, 1);
  EXPECT_EQ(Ask(method, Cat("Bearer ", issuer_.Sign(Claims("", kNow + 601)))).kind, Kind::kWrong);
}

}  // namespace
}  // namespace egret
