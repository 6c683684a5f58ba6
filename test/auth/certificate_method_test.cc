#include "source/auth/certificate_method.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace egret {
namespace {

bool Accepts(std::string prefix, std::vector<std::string> uris, std::string spiffe_id = "") {
  auto identity = std::make_shared<Identity>();
  identity->assurance = Assurance::kCertificate;
  identity->spiffe_id = std::move(spiffe_id);
  identity->claims.push_back({"x509.uri", std::move(uris)});
  const CertificateMethod method({std::move(prefix)});
  AuthQuestion question;
  question.certificate = identity;
  const AuthVerdict verdict = method.AtOnce(question);
  if (verdict.kind != AuthVerdict::Kind::kAccepted) return false;
  EXPECT_EQ(verdict.identity, question.certificate);
  return true;
}

TEST(CertificateMethod, TakesUrisThatBeginSoInWholeSegments) {
  const std::string id = "spiffe://prod/ns/build/sa/ci";
  for (const std::string prefix :
       {"spiffe://prod", "spiffe://prod/", "spiffe://prod/ns/build", "spiffe://prod/ns/build/sa/ci"})
    EXPECT_TRUE(Accepts(prefix, {id}, id)) << prefix;
  for (const std::string prefix :
       {"spiffe://pro", "spiffe://prod/ns/bu", "spiffe://prod/ns/build/sa/ci/", "SPIFFE://prod"})
    EXPECT_FALSE(Accepts(prefix, {id}, id)) << prefix;
  EXPECT_FALSE(Accepts("spiffe://prod", {id, "spiffe://prod/other"}));  // two are none
  EXPECT_TRUE(Accepts("urn:people", {"urn:other", "urn:people/alice"}));
  EXPECT_FALSE(Accepts("urn:people", {"urn:peoples"}));
}

TEST(CertificateMethod, WithoutACertificateItKnowsNobody) {
  const CertificateMethod method({"spiffe://prod"});
  EXPECT_EQ(method.AtOnce({}).kind, AuthVerdict::Kind::kPassed);
  EXPECT_TRUE(method.Challenges("egress").empty());
}

}  // namespace
}  // namespace egret
