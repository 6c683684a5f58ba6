// What a stapled OCSP response is worth, and what handshakes make of it. Row M16 of the test catalogue.
#include "source/tls/ocsp_staple.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "source/tls/ssl_context.h"
#include "test/support/tls_ends.h"

namespace egret {
namespace {

class OcspStapleTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0u) << "something lies on the library's error queue"; }

  const StapleVerdict& Judge(const std::string& response, const TlsKeyPair& pair, const TestCa& issuer) {
    const auto leaf = ParseCertificates(pair.certificate_pem);
    const auto by = ParseCertificates(issuer.pem());
    STACK_OF(X509)* const chain = sk_X509_new_null();
    sk_X509_push(chain, leaf->front().get());
    sk_X509_push(chain, by->front().get());
    const auto store = MakeStore(ca_.trust());
    const StapleVerdict& verdict = JudgeStaple(response, chain, store->get());
    sk_X509_free(chain);
    return verdict;
  }
  const StapleVerdict& Judge(const std::string& response) { return Judge(response, pair_, ca_); }
  TestAnswer On(TestAnswer answer) {
    answer.certificate_pem = pair_.certificate_pem;
    return answer;
  }

  Loop loop_;
  TestCa ca_, others_{"another CA"};
  TlsKeyPair pair_ = ca_.Issue({.alt_names = {"DNS:a.test"}});
  TlsKeyPair demanding_ = ca_.Issue({.alt_names = {"DNS:a.test"}, .must_staple = true});
};

TEST_F(OcspStapleTest, M16_WhatIsGoodAndWhatIsRevoked) {
  EXPECT_EQ(Judge(ca_.Answer(On({}))).staple, OcspStaple::kGood);
  EXPECT_EQ(Judge(ca_.Answer(On({.sha256 = true}))).staple, OcspStaple::kGood);
  EXPECT_EQ(Judge(ca_.Answer(On({.status = TestAnswer::kRevoked}))).staple, OcspStaple::kRevoked);
  EXPECT_EQ(Judge(ca_.Answer(On({.status = TestAnswer::kRevoked, .since = -7200, .until = -3600}))).staple,
            OcspStaple::kRevoked)
      << "a revocation is for good";
}

TEST_F(OcspStapleTest, M16_ClocksMayDifferALittle) {
  EXPECT_EQ(Judge(ca_.Answer(On({.since = kStapleSkewSeconds - 60}))).staple, OcspStaple::kGood);
  EXPECT_EQ(Judge(ca_.Answer(On({.since = -7200, .until = -kStapleSkewSeconds + 60}))).staple, OcspStaple::kGood);
}

TEST_F(OcspStapleTest, M16_TheIssuerOrWhomItNamedMaySign) {
  const TestCa intermediate("intermediate", &ca_);
  const TlsKeyPair below = intermediate.Issue({.alt_names = {"DNS:a.test"}});
  const TlsKeyPair responder = intermediate.Issue({.common_name = "responder", .signs_ocsp = true});
  const TestAnswer answer{.certificate_pem = below.certificate_pem};
  EXPECT_EQ(Judge(intermediate.Answer(answer), below, intermediate).staple, OcspStaple::kGood);
  EXPECT_EQ(Judge(intermediate.Answer(answer, &responder), below, intermediate).staple, OcspStaple::kGood);
  const std::string not_signed = "the stapled OCSP response is not signed by whom it has to be";
  for (const TlsKeyPair& no_responder :
       {below, ca_.Issue({.common_name = "the root's", .signs_ocsp = true}),
        intermediate.Issue({.common_name = "over", .not_after = -60, .signs_ocsp = true}),
        others_.Issue({.common_name = "unknown", .signs_ocsp = true})})
    EXPECT_EQ(Judge(intermediate.Answer(answer, &no_responder), below, intermediate).why, not_signed)
        << no_responder.name;
}

TEST_F(OcspStapleTest, M16_WhatIsOfNoUse) {
  const std::string good = ca_.Answer(On({}));
  std::string changed = good;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  const TlsKeyPair other = ca_.Issue({.alt_names = {"DNS:a.test"}});
  const std::string refusal("\x30\x03\x0a\x01\x03", 5);  // tryLater
  struct Case {
    std::string response, why;
  };
  const std::vector<Case> cases = {
      {"", "malformed"},
      {"no DER", "malformed"},
      {good.substr(0, good.size() - 1), "malformed"},
      {good + "x", "malformed"},
      {std::string(kMostStaple + 1, 'x'), "too large"},
      {refusal, "an error of the responder's"},
      {changed, "not signed by whom it has to be"},
      {ca_.Answer({.certificate_pem = other.certificate_pem}), "for another certificate"},
      {others_.Answer(On({})), "for another certificate"},
      {ca_.Answer(On({.since = -7200, .until = -kStapleSkewSeconds - 60})), "out of date"},
      {ca_.Answer(On({.since = kStapleSkewSeconds + 60, .until = 7200})), "out of date"},
      {ca_.Answer(On({.until = 0})), "out of date"},
  };
  for (const Case& c : cases) {
    const StapleVerdict& verdict = Judge(c.response);
    EXPECT_EQ(verdict.staple, OcspStaple::kUnusable) << c.why;
    EXPECT_EQ(verdict.why, "the stapled OCSP response is " + c.why);
  }
  EXPECT_EQ(Judge(ca_.Answer(On({.status = TestAnswer::kUnknown}))).why, "the stapled OCSP response does not know it");
}

TEST_F(OcspStapleTest, M16_TheCertificateSaysWhetherItDemandsOne) {
  const auto plain = ParseCertificates(pair_.certificate_pem);
  const auto demanding = ParseCertificates(demanding_.certificate_pem);
  EXPECT_FALSE(DemandsStaple(plain->front().get()));
  EXPECT_TRUE(DemandsStaple(demanding->front().get()));
}

// A server that staples `*response`; ours never do.
int Staple(SSL* ssl, void* response) {
  const std::string& der = *static_cast<const std::string*>(response);
  if (der.empty()) return SSL_TLSEXT_ERR_NOACK;
  void* const copy = OPENSSL_malloc(der.size());
  std::memcpy(copy, der.data(), der.size());
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(der.size()));
  return SSL_TLSEXT_ERR_OK;
}

class StaplingServer {
 public:
  StaplingServer(const TlsKeyPair& pair, std::string response, int version) : response_(std::move(response)) {
    SSL_CTX_use_certificate(context_.get(), ParseCertificates(pair.certificate_pem)->front().get());
    SSL_CTX_use_PrivateKey(context_.get(), ParseKey(pair.key_pem)->get());
    SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_tlsext_status_cb(context_.get(), Staple);
    SSL_CTX_set_tlsext_status_arg(context_.get(), &response_);
  }
  TlsEnds Ends(const ClientContext& client) const {
    TlsEnds ends;
    auto [near, far] = PipeStream::Pair(65536);
    ends.client = client->Connect(std::move(near), "a.test");
    ends.server =
        std::make_unique<TlsStream>(std::move(far), SSL_new(context_.get()), TlsStream::Role::kServer, nullptr);
    return ends;
  }

 private:
  SslContextPtr context_{SSL_CTX_new(TLS_server_method())};
  std::string response_;
};

TEST_F(OcspStapleTest, M16_HandshakesAreSoftUnlessTheCertificateOrTheConfigurationIsNot) {
  const std::string revoked = "the stapled OCSP response says that it is revoked", none = "no OCSP response is stapled";
  const std::string malformed = "the stapled OCSP response is malformed";
  struct Case {
    bool require, demanding;
    std::string response;
    OcspStaple staple;
    std::string refused;  // empty: it went well
  };
  const auto on = [&](bool demanding, TestAnswer::Status status) {
    return ca_.Answer({.certificate_pem = (demanding ? demanding_ : pair_).certificate_pem, .status = status});
  };
  const std::vector<Case> cases = {
      {false, false, on(false, TestAnswer::kGood), OcspStaple::kGood, ""},
      {false, false, "", OcspStaple::kNone, ""},
      {false, false, "x", OcspStaple::kUnusable, ""},
      {false, false, on(false, TestAnswer::kRevoked), OcspStaple::kRevoked, revoked},
      {true, false, on(false, TestAnswer::kGood), OcspStaple::kGood, ""},
      {true, false, "", OcspStaple::kNone, none},
      {true, false, "x", OcspStaple::kUnusable, malformed},
      {false, true, on(true, TestAnswer::kGood), OcspStaple::kGood, ""},
      {false, true, "", OcspStaple::kNone, none},
      {false, true, "x", OcspStaple::kUnusable, malformed},
      {false, true, on(true, TestAnswer::kRevoked), OcspStaple::kRevoked, revoked},
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
    for (const Case& c : cases) {
      const ClientContext client = MakeClient({.trust = ca_.trust(), .require_staple = c.require});
      const StaplingServer server(c.demanding ? demanding_ : pair_, c.response, version);
      TlsEnds ends = server.Ends(client);
      const Failure failure = ends.Shake(loop_).first;
      EXPECT_EQ(ends.client->staple().staple, c.staple);
      EXPECT_EQ(failure.fault, c.refused.empty() ? Fault::kNone : Fault::kTlsCertificate) << c.refused;
      EXPECT_EQ(ends.client->detail(), c.refused.empty() ? "" : "certificate refused: " + c.refused);
      if (c.staple == OcspStaple::kRevoked) EXPECT_EQ(ends.client->alert(), TlsAlert::kCertificateRevoked);
      if (c.staple == OcspStaple::kNone && failure) EXPECT_EQ(ends.client->alert(), TlsAlert::kBadCertificate);
    }
}

TEST_F(OcspStapleTest, M16_ASessionGoesOnFromAHandshakeThatProvedIt) {
  const ClientContext client = MakeClient({.trust = ca_.trust(), .require_staple = true});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const StaplingServer server(pair_, ca_.Answer(On({})), version);
    for (const bool again : {false, true}) {
      TlsEnds ends = server.Ends(client);
      EXPECT_FALSE(ends.Shake(loop_).first) << ends.client->detail();
      EXPECT_EQ(ends.client->resumed(), again);
      EXPECT_EQ(ends.client->staple().staple, again ? OcspStaple::kNotAsked : OcspStaple::kGood);
      EXPECT_TRUE(RunTask(loop_, SayAll(*ends.server, "x")));
      RunTask(loop_, HearAll(*ends.client));
    }
  }
}

TEST_F(OcspStapleTest, NothingIsAskedOfWhomNobodyVerifies) {
  const StaplingServer server(demanding_, ca_.Answer(On({.status = TestAnswer::kRevoked})), TLS1_3_VERSION);
  TlsEnds ends = server.Ends(MakeClient({.verify = false}));
  EXPECT_FALSE(ends.Shake(loop_).first);
  EXPECT_EQ(ends.client->staple().staple, OcspStaple::kNotAsked);
}

}  // namespace
}  // namespace egret
