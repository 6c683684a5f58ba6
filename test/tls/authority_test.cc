// What makes a CA fit to mint leaves, what a leaf says, and which names may stand in one. The rows of the test
// catalogue are named.
#include "source/tls/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <time.h>

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "source/event/loop.h"
#include "source/tls/certificate_parts.h"
#include "source/tls/leaf.h"
#include "source/tls/new_authority.h"
#include "source/tls/peer_certificate.h"
#include "test/support/run_task.h"
#include "test/support/test_ca.h"

namespace egret {
namespace {

using AuthorityPtr = std::shared_ptr<const CertificateAuthority>;

constexpr int64_t kDay = 86400;

// A CA by hand, with whatever is wrong with it.
struct CaDraft {
  KeyPtr key{EVP_EC_gen("P-256")};
  std::vector<std::pair<int, const char*>> extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                                                         {NID_key_usage, "critical,keyCertSign"}};
  int64_t begin = -kDay, end = kDay;  // from now
  std::string name = "a CA";
};

AuthorityOptions OptionsOf(const CaDraft& draft, const EVP_MD* digest = EVP_sha256(),
                           NAME_CONSTRAINTS* constraints = nullptr) {
  const X509Ptr ca(X509_new());
  X509_set_version(ca.get(), X509_VERSION_3);
  SetSerial(ca.get());
  SetLife(ca.get(), time(nullptr) + draft.begin, time(nullptr) + draft.end);
  SetCommonName(ca.get(), draft.name);
  X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
  X509_set_pubkey(ca.get(), draft.key.get());
  for (const auto& [kind, value] : draft.extensions) X509_add_ext(ca.get(), ConfiguredExtension(kind, value).get(), -1);
  if (constraints != nullptr) X509_add1_ext_i2d(ca.get(), NID_name_constraints, constraints, 1, 0);
  X509_sign(ca.get(), draft.key.get(), digest);
  AuthorityOptions options;
  options.name = "ca";
  options.certificate_pem = PemOf(ca.get());
  options.key_pem = PemOf(draft.key.get());
  return options;
}

AuthorityOptions OptionsOf(const NewAuthority& made, const NewAuthority* issuer = nullptr) {
  AuthorityOptions options;
  options.name = "ca";
  options.certificate_pem = PemOf(made.certificate.get());
  if (issuer != nullptr) options.certificate_pem += PemOf(issuer->certificate.get());
  options.key_pem = PemOf(made.key.get());
  return options;
}

NewAuthority MadeCa(NewAuthorityOptions options, const NewAuthority* issuer = nullptr) {
  if (options.common_name.empty()) options.common_name = "made CA";
  if (options.lifetime_s == 0) options.lifetime_s = 30 * kDay;
  Result<NewAuthority, Problem> made = MakeAuthority(options, issuer, time(nullptr));
  EXPECT_TRUE(made.ok()) << made.error().text;
  return std::move(*made);
}

AuthorityPtr Made(const AuthorityOptions& options) {
  auto made = CertificateAuthority::Make(options, time(nullptr));
  EXPECT_TRUE(made.ok()) << made.error().text;
  return made.ok() ? *made : nullptr;
}

std::string WhyNot(const AuthorityOptions& options) {
  const auto made = CertificateAuthority::Make(options, time(nullptr));
  return made.ok() ? "made" : made.error().text;
}

class AuthorityTest : public testing::Test {
 protected:
  Result<LeafPtr, Problem> Mint(const AuthorityPtr& authority, LeafRequest request, int64_t now = time(nullptr)) {
    return RunTask(loop_, MintLeaf(authority, std::move(request), now));
  }
  Result<LeafPtr, Problem> Mint(const AuthorityPtr& authority, const std::string& target) {
    return Mint(authority, {NamesForLeaf(target, nullptr), 0});
  }
  LeafPtr Minted(const AuthorityPtr& authority, LeafRequest request) {
    auto leaf = Mint(authority, std::move(request));
    EXPECT_TRUE(leaf.ok()) << leaf.error().text;
    return leaf.ok() ? *leaf : nullptr;
  }
  void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0u) << "something lies on the library's error queue"; }

  Loop loop_;
};

// The library's own verdict, of a server's certificate for `host`.
int Verdict(const Leaf& leaf, X509* root, const std::string& host) {
  const StorePtr store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), root);
  const std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf.certificate.get(), leaf.base->chain.get());
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_auth_level(param, 2);
  if (X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) != 1)
    X509_VERIFY_PARAM_set1_host(param, host.data(), host.size());
  X509_verify_cert(context.get());
  ERR_clear_error();
  return X509_STORE_CTX_get_error(context.get());
}

TEST_F(AuthorityTest, RefusesWhatCannotBeACaAndSaysWhy) {
  const auto why = [](const std::function<void(CaDraft&)>& spoil) {
    CaDraft draft;
    spoil(draft);
    return WhyNot(OptionsOf(draft));
  };
  EXPECT_EQ(why([](CaDraft&) {}), "made");
  EXPECT_THAT(why([](CaDraft& ca) { ca.extensions = {{NID_basic_constraints, "CA:FALSE"}}; }),
              testing::HasSubstr("certificate: CN=a CA: it is no CA"));
  EXPECT_THAT(why([](CaDraft& ca) { ca.extensions = {}; }), testing::HasSubstr("it is no CA"));
  EXPECT_THAT(why([](CaDraft& ca) { ca.extensions[1].second = "digitalSignature"; }),
              testing::HasSubstr("keyUsage lacks keyCertSign"));
  EXPECT_EQ(why([](CaDraft& ca) { ca.extensions.pop_back(); }), "made") << "where no keyUsage is, all is allowed";
  EXPECT_THAT(why([](CaDraft& ca) { ca.extensions.emplace_back(NID_ext_key_usage, "clientAuth"); }),
              testing::HasSubstr("lacks serverAuth"));
  EXPECT_EQ(why([](CaDraft& ca) { ca.extensions.emplace_back(NID_ext_key_usage, "serverAuth"); }), "made");
  EXPECT_THAT(why([](CaDraft& ca) { ca.end = -1; }), testing::HasSubstr("it has expired"));
  EXPECT_THAT(why([](CaDraft& ca) { ca.begin = 60; }), testing::HasSubstr("it is not valid yet"));
}

TEST_F(AuthorityTest, TakesKeysThatEveryClientKnows) {
  const auto why = [](EVP_PKEY* key, const EVP_MD* digest = EVP_sha256()) {
    CaDraft draft;
    draft.key.reset(key);
    return WhyNot(OptionsOf(draft, digest));
  };
  EXPECT_EQ(why(EVP_RSA_gen(2048)), "made");
  EXPECT_EQ(why(EVP_EC_gen("P-384")), "made");
  EXPECT_EQ(why(EVP_EC_gen("P-521")), "made");
  EXPECT_THAT(why(EVP_RSA_gen(1024)), testing::HasSubstr("make it RSA with 2048 bits or more"));
  EXPECT_THAT(why(EVP_EC_gen("secp256k1")), testing::HasSubstr("or EC on P-256"));
  EXPECT_THAT(why(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), nullptr), testing::HasSubstr("make it RSA"));
}

TEST_F(AuthorityTest, RowM14AKeyThatIsMissingOrAnothersIsRefused) {
  AuthorityOptions options = OptionsOf(CaDraft());
  options.key_pem = OptionsOf(CaDraft()).key_pem;
  EXPECT_THAT(WhyNot(options), testing::StartsWith("key: it is not the key of this certificate"));
  options.key_pem = "";
  EXPECT_THAT(WhyNot(options), testing::StartsWith("key: no private key in it"));
  options = OptionsOf(CaDraft());
  options.certificate_pem = "";
  EXPECT_THAT(WhyNot(options), testing::StartsWith("certificate: no certificate in it"));
  options = OptionsOf(CaDraft());
  options.also_trust_pem = "nonsense";
  EXPECT_THAT(WhyNot(options), testing::StartsWith("also_trust: "));
}

TEST_F(AuthorityTest, AChainHasToHangTogether) {
  const NewAuthority root = MadeCa({.common_name = "root", .path_length = 1});
  const NewAuthority flat = MadeCa({.common_name = "flat root", .path_length = 0});
  const NewAuthority between = MadeCa({.common_name = "between"}, &root);
  const NewAuthority too_deep = MadeCa({.common_name = "too deep"}, &flat);
  EXPECT_EQ(WhyNot(OptionsOf(between, &root)), "made");
  EXPECT_THAT(WhyNot(OptionsOf(between, &flat)), testing::HasSubstr("the certificate after it is not its issuer"));
  EXPECT_THAT(WhyNot(OptionsOf(too_deep, &flat)), testing::HasSubstr("path length"));
}

TEST_F(AuthorityTest, RowM03ALeafIsAsClientsWantIt) {
  const NewAuthority root = MadeCa({.common_name = "root", .lifetime_s = 3650 * kDay, .path_length = 1});
  const NewAuthority between = MadeCa({.common_name = "between"}, &root);
  const AuthorityPtr authority = Made(OptionsOf(between, &root));
  const LeafPtr leaf = Minted(authority, {NamesForLeaf("www.example.com", nullptr), 0});
  X509* const certificate = leaf->certificate.get();
  const int64_t now = time(nullptr);

  EXPECT_EQ(Verdict(*leaf, root.certificate.get(), "www.example.com"), X509_V_OK);
  EXPECT_EQ(Verdict(*leaf, root.certificate.get(), "example.com"), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(sk_X509_num(leaf->base->chain.get()), 1) << "the intermediate, and not the root";
  EXPECT_EQ(X509_get_version(certificate), X509_VERSION_3);
  EXPECT_EQ(FactsOfCertificate(certificate).subject, "CN=www.example.com");
  EXPECT_EQ(FactsOfCertificate(certificate).dns_names, std::vector<std::string>{"www.example.com"});
  EXPECT_EQ(X509_get_signature_nid(certificate), NID_ecdsa_with_SHA256);
  EXPECT_EQ(X509_get_key_usage(certificate), uint32_t{KU_DIGITAL_SIGNATURE});
  EXPECT_EQ(X509_get_extended_key_usage(certificate), uint32_t{XKU_SSL_SERVER});
  EXPECT_EQ(X509_check_ca(certificate), 0);
  EXPECT_NE(X509_get0_subject_key_id(certificate), nullptr);
  EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(certificate),
                                  X509_get0_subject_key_id(between.certificate.get())),
            0);
  EXPECT_NEAR(static_cast<double>(NotBefore(certificate)), static_cast<double>(now - 3600), 5);
  EXPECT_NEAR(static_cast<double>(NotAfter(certificate)), static_cast<double>(now + 7 * kDay), 5);
  for (const int absent : {NID_info_access, NID_tlsfeature, NID_ct_precert_scts, NID_crl_distribution_points})
    EXPECT_EQ(X509_get_ext_by_NID(certificate, absent, -1), -1);
}

TEST_F(AuthorityTest, RowM03SerialNumbersAreRandomPositiveAndLong) {
  const AuthorityPtr authority = Made(OptionsOf(CaDraft()));
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const LeafPtr leaf = Minted(authority, {NamesForLeaf("a.test", nullptr), 0});
    const ASN1_INTEGER* const serial = X509_get0_serialNumber(leaf->certificate.get());
    EXPECT_EQ(ASN1_STRING_length(serial), 16);
    EXPECT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER) << "not a negative one";
    seen.insert(std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)), 16));
  }
  EXPECT_EQ(seen.size(), 200u);
}

TEST_F(AuthorityTest, RowM03ALeafLivesNoLongerThanWhatIsBehindIt) {
  const int64_t now = time(nullptr);
  const auto end = [&](const AuthorityOptions& options, int64_t origin_end = 0) {
    return NotAfter(Minted(Made(options), {NamesForLeaf("a.test", nullptr), origin_end})->certificate.get()) - now;
  };
  CaDraft old;
  old.end = 100 * 365 * kDay;
  AuthorityOptions options = OptionsOf(old);
  options.leaf_lifetime_s = 365 * kDay;
  EXPECT_NEAR(static_cast<double>(end(options)), 90 * kDay - 3600, 5) << "90 days in all";
  EXPECT_NEAR(static_cast<double>(end(options, now + 5000)), 5000, 5) << "the origin's end";
  options.leaf_lifetime_s = 7200;
  EXPECT_NEAR(static_cast<double>(end(options)), 7200, 5);
  EXPECT_NEAR(static_cast<double>(end(options, now - 10)), 7200, 5) << "an expired origin's end counts for nothing";
  CaDraft brief;
  brief.begin = -60;
  brief.end = 1000;
  const LeafPtr leaf = Minted(Made(OptionsOf(brief)), {NamesForLeaf("a.test", nullptr), 0});
  EXPECT_NEAR(static_cast<double>(NotAfter(leaf->certificate.get())), static_cast<double>(now + 1000), 5);
  EXPECT_NEAR(static_cast<double>(NotBefore(leaf->certificate.get())), static_cast<double>(now - 60), 5);
  const auto late = Mint(Made(OptionsOf(brief)), {NamesForLeaf("a.test", nullptr), 0}, now + 1001);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().text, "the CA has expired");
}

TEST_F(AuthorityTest, RowM03TheCommonNameIsLeftOutWhereItWouldNotFit) {
  const NewAuthority root = MadeCa({.common_name = "root"});
  const AuthorityPtr authority = Made(OptionsOf(root));
  const std::string longest = std::string(59, 'a') + ".test", longer = std::string(60, 'a') + ".test";
  EXPECT_EQ(FactsOfCertificate(Minted(authority, {NamesForLeaf(longest, nullptr), 0})->certificate.get()).subject,
            "CN=" + longest);
  for (const std::string& name : {longer, std::string("192.0.2.1"), std::string("2001:db8::1")}) {
    const LeafPtr leaf = Minted(authority, {NamesForLeaf(name, nullptr), 0});
    EXPECT_EQ(FactsOfCertificate(leaf->certificate.get()).subject, "");
    const int at = X509_get_ext_by_NID(leaf->certificate.get(), NID_subject_alt_name, -1);
    EXPECT_EQ(X509_EXTENSION_get_critical(X509_get_ext(leaf->certificate.get(), at)), 1);
    EXPECT_EQ(Verdict(*leaf, root.certificate.get(), name), X509_V_OK) << name;
  }
}

TEST_F(AuthorityTest, TheIssuerIsNamedByTheIdentifierItBears) {
  CaDraft draft;
  draft.extensions.emplace_back(NID_subject_key_identifier, "DEADBEEF");
  const LeafPtr leaf = Minted(Made(OptionsOf(draft)), {NamesForLeaf("a.test", nullptr), 0});
  const ASN1_OCTET_STRING* const id = X509_get0_authority_key_id(leaf->certificate.get());
  ASSERT_NE(id, nullptr);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(id)),
                        static_cast<size_t>(ASN1_STRING_length(id))),
            "\xde\xad\xbe\xef");
}

TEST_F(AuthorityTest, NameConstraintsAreKept) {
  const NewAuthority root = MadeCa({.common_name = "root", .path_length = 1});
  const NewAuthority limited = MadeCa({.common_name = "limited", .permit = {"example.com", "192.0.2.0/24"}}, &root);
  const AuthorityPtr authority = Made(OptionsOf(limited, &root));
  for (const std::string name : {"example.com", "www.example.com", "192.0.2.7"}) {
    const LeafPtr leaf = Minted(authority, {NamesForLeaf(name, nullptr), 0});
    EXPECT_EQ(Verdict(*leaf, root.certificate.get(), name), X509_V_OK) << name;
  }
  for (const std::string name : {"example.org", "badexample.com", "198.51.100.1", "2001:db8::1"}) {
    const auto refused = Mint(authority, name);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().text, name + " is outside of the CA's name constraints: permitted subtree violation");
  }
  const TestCa origin;
  const auto theirs = ParseCertificates(
      origin.Issue({.alt_names = {"DNS:www.example.com", "DNS:evil.test", "IP:192.0.2.9"}}).certificate_pem);
  const LeafPtr mimic = Minted(authority, {NamesForLeaf("www.example.com", theirs->front().get()), 0});
  EXPECT_EQ(FactsOfCertificate(mimic->certificate.get()).dns_names, std::vector<std::string>{"www.example.com"});
  EXPECT_EQ(Verdict(*mimic, root.certificate.get(), "192.0.2.9"), X509_V_OK);
}

TEST_F(AuthorityTest, OfAKindOfNameThatIsNotPermittedNoneIs) {
  const NewAuthority root = MadeCa({.common_name = "root", .path_length = 1});
  const NewAuthority names = MadeCa({.common_name = "names", .permit = {"example.com"}}, &root);
  EXPECT_FALSE(Mint(Made(OptionsOf(names, &root)), "192.0.2.7").ok());
  EXPECT_FALSE(Mint(Made(OptionsOf(names, &root)), "2001:db8::1").ok());
  const NewAuthority ranges = MadeCa({.common_name = "ranges", .permit = {"192.0.2.0/25"}}, &root);
  EXPECT_FALSE(Mint(Made(OptionsOf(ranges, &root)), "example.com").ok());
  EXPECT_FALSE(Mint(Made(OptionsOf(ranges, &root)), "192.0.2.128").ok());
  EXPECT_TRUE(Mint(Made(OptionsOf(ranges, &root)), "192.0.2.127").ok());
}

TEST_F(AuthorityTest, WhatCannotBePermittedIsRefused) {
  for (const std::string bad : {"*.example.com", "", "a b", "192.0.2.1/24", "exam\nple.com"})
    EXPECT_FALSE(MakeAuthority({.common_name = "x", .lifetime_s = 1, .permit = {bad}}, nullptr, time(nullptr)).ok())
        << bad;
}

TEST_F(AuthorityTest, ConstraintsOnSubjectsAreMetByAnEmptyOne) {
  CaDraft draft;
  const std::unique_ptr<NAME_CONSTRAINTS, FreeWith<NAME_CONSTRAINTS_free>> constraints(NAME_CONSTRAINTS_new());
  GENERAL_SUBTREE* const subtree = GENERAL_SUBTREE_new();
  X509_NAME* const organisation = X509_NAME_new();
  X509_NAME_add_entry_by_txt(organisation, "O", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("Example"), -1, -1,
                             0);
  GENERAL_NAME_set0_value(subtree->base, GEN_DIRNAME, organisation);
  constraints->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
  sk_GENERAL_SUBTREE_push(constraints->permittedSubtrees, subtree);
  const LeafPtr leaf =
      Minted(Made(OptionsOf(draft, EVP_sha256(), constraints.get())), {NamesForLeaf("a.test", nullptr), 0});
  EXPECT_EQ(FactsOfCertificate(leaf->certificate.get()).subject, "");
}

TEST_F(AuthorityTest, AnIntermediateDoesNotOutliveItsIssuer) {
  const NewAuthority root = MadeCa({.common_name = "root", .lifetime_s = 5 * kDay, .path_length = 1});
  const NewAuthority between = MadeCa({.common_name = "between", .lifetime_s = 30 * kDay}, &root);
  EXPECT_EQ(NotAfter(between.certificate.get()), NotAfter(root.certificate.get()));
}

TEST_F(AuthorityTest, WhoIsNotTrustedIsNotBelieved) {
  const AuthorityPtr untrusted = CertificateAuthority::MakeUntrusted(time(nullptr));
  const NewAuthority root = MadeCa({.common_name = "root"});
  const LeafPtr leaf = Minted(untrusted, {NamesForLeaf("a.test", nullptr), 0});
  EXPECT_EQ(Verdict(*leaf, root.certificate.get(), "a.test"), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  EXPECT_NE(CertificateAuthority::MakeUntrusted(time(nullptr))->fingerprint(), untrusted->fingerprint());
}

TEST_F(AuthorityTest, TellsWhatClientsHaveToBelieve) {
  const NewAuthority root = MadeCa({.common_name = "root", .path_length = 1});
  const NewAuthority between = MadeCa({.common_name = "between"}, &root);
  const NewAuthority next = MadeCa({.common_name = "next"});
  AuthorityOptions options = OptionsOf(between, &root);
  options.also_trust_pem = PemOf(next.certificate.get());
  const AuthorityPtr authority = Made(options);
  EXPECT_EQ(authority->trust_pem(), PemOf(root.certificate.get()) + PemOf(next.certificate.get()));
  EXPECT_EQ(authority->fingerprint(), FactsOfCertificate(between.certificate.get()).sha256);
  EXPECT_EQ(authority->not_after(), NotAfter(between.certificate.get()));
}

}  // namespace
}  // namespace egret
