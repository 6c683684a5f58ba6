// Handshakes with minted leaves: what the client sees, ALPN, with whom a session goes on. Rows M08 and M09 of the test
// catalogue, as far as this side of them.
#include "source/tls/leaf_server.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <time.h>

#include <string>
#include <utility>
#include <vector>

#include "source/tls/new_authority.h"
#include "source/tls/peer_certificate.h"
#include "test/support/tls_ends.h"

namespace egret {
namespace {

using AuthorityPtr = std::shared_ptr<const CertificateAuthority>;

class LeafServerTest : public testing::Test {
 protected:
  LeafServerTest() : made_(Fresh()), authority_(AuthorityOf(made_)) {
    auto server = LeafServerContext::Make({});
    EXPECT_TRUE(server.ok());
    server_ = *server;
  }
  static NewAuthority Fresh() {
    return std::move(*MakeAuthority({.common_name = "CA", .lifetime_s = 86400}, nullptr, time(nullptr)));
  }
  static AuthorityPtr AuthorityOf(const NewAuthority& made) {
    AuthorityOptions options;
    options.certificate_pem = PemOf(made.certificate.get());
    options.key_pem = PemOf(made.key.get());
    return *CertificateAuthority::Make(options, time(nullptr));
  }
  ClientContext Client(TlsSettings::Version least = TlsSettings::Version::k13) {
    TlsClientOptions options;
    options.trust.roots_pem = PemOf(made_.certificate.get());
    options.settings.least = least;
    return MakeClient(options);
  }
  LeafPtr Mint(const AuthorityPtr& authority, const std::string& name) {
    return *RunTask(loop_, MintLeaf(authority, {NamesForLeaf(name, nullptr), 0}, time(nullptr)));
  }
  struct Shaken {
    std::unique_ptr<TlsStream> client, server;
    Failure client_failure, server_failure;
  };
  Shaken Shake(const ClientContext& client, const Leaf& leaf, std::vector<std::string> ours = {},
               const std::vector<std::string>& theirs = {}, std::string_view partition = "") {
    Shaken out;
    auto [near, far] = PipeStream::Pair(65536);
    out.client = client->Connect(std::move(near), "a.test", theirs);
    out.server = server_->Accept(std::move(far), leaf, std::move(ours), partition);
    std::tie(out.client_failure, out.server_failure) = RunBoth(loop_, out.client->Handshake(), out.server->Handshake());
    return out;
  }
  // ... and lets a ticket arrive.
  bool Resumes(const ClientContext& client, const Leaf& leaf, std::string_view partition) {
    Shaken shaken = Shake(client, leaf, {}, {}, partition);
    EXPECT_FALSE(shaken.client_failure) << shaken.client->detail();
    EXPECT_TRUE(RunTask(loop_, SayAll(*shaken.server, "x")));
    RunTask(loop_, HearAll(*shaken.client));
    return shaken.server->resumed();
  }
  void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0u) << "something lies on the library's error queue"; }

  Loop loop_;
  NewAuthority made_;
  AuthorityPtr authority_;
  std::shared_ptr<const LeafServerContext> server_;
};

TEST_F(LeafServerTest, AClientThatBelievesTheCaIsServed) {
  const LeafPtr leaf = Mint(authority_, "a.test");
  for (const auto version : {TlsSettings::Version::k12, TlsSettings::Version::k13}) {
    const Shaken shaken = Shake(Client(version), *leaf);
    EXPECT_FALSE(shaken.client_failure) << shaken.client->detail();
    EXPECT_FALSE(shaken.server_failure) << shaken.server->detail();
    EXPECT_EQ(FactsOfCertificate(shaken.client->peer_certificate()).subject, "CN=a.test");
    EXPECT_EQ(shaken.server->sni(), "a.test");
  }
}

TEST_F(LeafServerTest, ALeafForAnotherNameOrOfTheUntrustedCaFailsTheClientsCheck) {
  Shaken shaken = Shake(Client(), *Mint(authority_, "b.test"));
  EXPECT_EQ(shaken.client_failure.fault, Fault::kTlsName);
  const AuthorityPtr untrusted = CertificateAuthority::MakeUntrusted(time(nullptr));
  shaken = Shake(Client(), *Mint(untrusted, "a.test"));
  EXPECT_EQ(shaken.client_failure.fault, Fault::kTlsCertificate);
}

TEST_F(LeafServerTest, RowM08WhatIsAgreedOnIsWhatItWasGiven) {
  const LeafPtr leaf = Mint(authority_, "a.test");
  const auto agreed = [&](std::vector<std::string> ours, const std::vector<std::string>& theirs) {
    const Shaken shaken = Shake(Client(), *leaf, std::move(ours), theirs);
    return shaken.client_failure ? std::string("failed") : std::string(shaken.client->alpn());
  };
  EXPECT_EQ(agreed({"h2"}, {"http/1.1", "h2"}), "h2");
  EXPECT_EQ(agreed({"http/1.1"}, {"h2", "http/1.1"}), "http/1.1");
  EXPECT_EQ(agreed({"h2", "http/1.1"}, {"http/1.1", "h2"}), "h2");
  EXPECT_EQ(agreed({}, {"h2"}), "");
  EXPECT_EQ(agreed({"h2"}, {}), "");
  EXPECT_EQ(agreed({"h2"}, {"http/1.1"}), "failed");
}

TEST_F(LeafServerTest, RowM09ASessionGoesOnOnlyWithTheSameCaNameAndPartition) {
  for (const auto version : {TlsSettings::Version::k12, TlsSettings::Version::k13}) {
    const LeafPtr leaf = Mint(authority_, "a.test");
    const ClientContext client = Client(version);
    EXPECT_FALSE(Resumes(client, *leaf, "p"));
    EXPECT_TRUE(Resumes(client, *leaf, "p"));
    EXPECT_TRUE(Resumes(client, *Mint(authority_, "a.test"), "p")) << "another leaf of the same name";
    EXPECT_FALSE(Resumes(client, *leaf, "q")) << "another policy, say";
    EXPECT_TRUE(Resumes(client, *leaf, "q"));
    EXPECT_TRUE(Resumes(client, *Mint(AuthorityOf(made_), "a.test"), "q")) << "the same CA, read again";
  }
}

TEST_F(LeafServerTest, RowM09ASessionOfAnotherCaOrNameIsNotGoneOnWith) {
  TlsClientOptions options;
  options.verify = false;
  options.settings.least = TlsSettings::Version::k13;
  const ClientContext client = MakeClient(options);
  EXPECT_FALSE(Resumes(client, *Mint(authority_, "a.test"), "p"));
  EXPECT_FALSE(Resumes(client, *Mint(AuthorityOf(Fresh()), "a.test"), "p"));
  EXPECT_FALSE(Resumes(client, *Mint(authority_, "b.test"), "p"));
  EXPECT_TRUE(Resumes(client, *Mint(authority_, "b.test"), "p"));
  EXPECT_FALSE(Resumes(client, *Mint(authority_, "b.testp"), "")) << "name and partition do not run into each other";
}

}  // namespace
}  // namespace egret
