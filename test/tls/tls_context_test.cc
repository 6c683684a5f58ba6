// What contexts say to the other side: which certificate for which name, who is believed, which protocol is chosen,
// what is resumed. The rows of the test catalogue are named.
#include "source/tls/tls_context.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>
#include <utility>
#include <vector>

#include "source/tls/peer_certificate.h"
#include "source/tls/ticket_keys.h"
#include "test/support/tls_ends.h"

namespace egret {
namespace {

using Mode = TlsServerOptions::ClientCertificates;

class TlsContextTest : public testing::Test {
 protected:
  TlsServerOptions ServerOptions() {
    TlsServerOptions options;
    options.certificates.push_back(pair_);
    return options;
  }
  TlsServerOptions Asking(Mode mode, TlsTrust trust) {
    TlsServerOptions options = ServerOptions();
    options.client_certificates = mode;
    options.trust = std::move(trust);
    return options;
  }
  TlsClientOptions Showing(TlsKeyPair pair) {
    TlsClientOptions options;
    options.trust = ca_.trust();
    options.certificate = std::move(pair);
    return options;
  }
  struct Seen {
    Failure client, server;
    TlsEnds ends;
  };
  Seen Shake(const ClientContext& client, const ServerContext& server, const std::string& host = "a.test") {
    Seen seen;
    seen.ends = TlsEnds::Over(client, server, host);
    std::tie(seen.client, seen.server) = seen.ends.Shake(loop_);
    return seen;
  }
  // ... and lets a session ticket arrive.
  bool Resumes(const ClientContext& client, const ServerContext& server) {
    const Seen seen = Shake(client, server);
    EXPECT_FALSE(seen.client) << seen.ends.client->detail();
    EXPECT_FALSE(seen.server) << seen.ends.server->detail();
    EXPECT_TRUE(RunTask(loop_, SayAll(*seen.ends.server, "x")));
    RunTask(loop_, HearAll(*seen.ends.client));
    return seen.ends.server->resumed();
  }
  std::string NameSeen(const Seen& seen) { return FactsOfCertificate(seen.ends.client->peer_certificate()).subject; }
  void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0u) << "something lies on the library's error queue"; }

  Loop loop_;
  TestCa ca_, clients_{"clients' CA"};
  TlsKeyPair pair_ = ca_.Issue({.common_name = "first", .alt_names = {"DNS:a.test", "IP:127.0.0.1", "IP:::1"}});
  ClientContext client_ = MakeClient({.trust = ca_.trust()});
};

TEST_F(TlsContextTest, TheCertificateIsChosenByName) {
  TlsServerOptions options = ServerOptions();
  options.certificates.push_back(ca_.Issue({.common_name = "wild", .alt_names = {"DNS:*.b.test", "DNS:B.Test"}}));
  options.certificates.push_back(ca_.Issue({.common_name = "exact", .alt_names = {"DNS:www.b.test"}}));
  const ServerContext server = MakeServer(options);
  const ClientContext any = MakeClient({.verify = false});
  EXPECT_EQ(NameSeen(Shake(any, server, "a.test")), "CN=first");
  EXPECT_EQ(NameSeen(Shake(any, server, "b.test")), "CN=wild");
  EXPECT_EQ(NameSeen(Shake(any, server, "x.B.TEST")), "CN=wild");
  EXPECT_EQ(NameSeen(Shake(any, server, "WWW.b.test")), "CN=exact");
  EXPECT_EQ(NameSeen(Shake(any, server, "x.www.b.test")), "CN=first") << "a wildcard stands for one label";
  EXPECT_EQ(NameSeen(Shake(any, server, "unknown.test")), "CN=first");
  EXPECT_EQ(NameSeen(Shake(any, server, "127.0.0.1")), "CN=first");
}

TEST_F(TlsContextTest, NamesAreSentAndLiteralsAreNot) {
  const ServerContext server = MakeServer(ServerOptions());
  EXPECT_EQ(Shake(client_, server, "a.test").ends.server->sni(), "a.test");
  for (const char* literal : {"127.0.0.1", "::1"}) {
    const Seen seen = Shake(client_, server, literal);
    EXPECT_FALSE(seen.client) << literal << ": " << seen.ends.client->detail();
    EXPECT_EQ(seen.ends.server->sni(), "");
  }
}

TEST_F(TlsContextTest, AServerIsBelievedForItsNamesOnly) {
  const TestCa intermediate("intermediate", &ca_);
  struct Case {
    TlsKeyPair pair;
    std::string host;
    std::string why;  // empty: believed
  };
  const std::vector<Case> cases = {
      {ca_.Issue({.alt_names = {"DNS:*.c.test"}}), "x.c.test", ""},
      {ca_.Issue({.alt_names = {"DNS:*.c.test"}}), "x.y.c.test", "hostname mismatch"},
      {ca_.Issue({.alt_names = {"DNS:*.c.test"}}), "c.test", "hostname mismatch"},
      {ca_.Issue({.alt_names = {"DNS:f*.c.test"}}), "foo.c.test", "hostname mismatch"},
      {ca_.Issue({.common_name = "c.test", .alt_names = {"DNS:other.test"}}), "c.test", "hostname mismatch"},
      {ca_.Issue({.common_name = "c.test"}), "c.test", "hostname mismatch"},
      {ca_.Issue({.alt_names = {"DNS:127.0.0.1"}}), "127.0.0.1", "IP address mismatch"},
      {ca_.Issue({.alt_names = {"IP:127.0.0.2"}}), "127.0.0.1", "IP address mismatch"},
      {ca_.Issue({.alt_names = {"DNS:a.test"}, .not_after = -60}), "a.test", "certificate has expired"},
      {ca_.Issue({.alt_names = {"DNS:a.test"}, .not_before = 3600}), "a.test", "certificate is not yet valid"},
      {clients_.Issue({.alt_names = {"DNS:a.test"}}), "a.test", "unable to get local issuer certificate"},
      {intermediate.Issue({.alt_names = {"DNS:a.test"}}), "a.test", ""},
  };
  for (const Case& c : cases) {
    TlsServerOptions options;
    options.certificates.push_back(c.pair);
    const Seen seen = Shake(client_, MakeServer(options), c.host);
    if (c.why.empty()) {
      EXPECT_FALSE(seen.client) << c.host << ": " << seen.ends.client->detail();
    } else {
      const bool other_name = c.why.ends_with("mismatch");
      EXPECT_EQ(seen.client, (Failure{Side::kUpstream, other_name ? Fault::kTlsName : Fault::kTlsCertificate}))
          << c.host;
      EXPECT_EQ(seen.ends.client->detail(), "certificate refused: " + c.why) << c.host;
    }
  }
}

TEST_F(TlsContextTest, AnIntermediateMayBeWhatIsBelieved) {
  const TestCa intermediate("intermediate", &ca_);
  TlsServerOptions options;
  options.certificates.push_back(intermediate.Issue({.alt_names = {"DNS:a.test"}}));
  EXPECT_FALSE(Shake(MakeClient({.trust = intermediate.trust()}), MakeServer(options)).client);
}

TEST_F(TlsContextTest, M08_TheServersPreferenceChoosesTheProtocol) {
  struct Case {
    std::vector<std::string> server, client;
    std::string agreed;
    bool refused = false;
  };
  const std::vector<Case> cases = {
      {{"h2", "http/1.1"}, {"http/1.1", "h2"}, "h2"},
      {{"h2", "http/1.1"}, {"http/1.1"}, "http/1.1"},
      {{"h2", "http/1.1"}, {}, ""},
      {{"http/1.1"}, {"h2", "http/1.1"}, "http/1.1"},
      {{"http/1.1"}, {"h2"}, "", true},
      {{"http/1.1"}, {"http/1.0", "spdy/3", "http/1.1x"}, "", true},
      {{}, {"h2"}, ""},
      {{"h2"}, {"h2"}, "h2"},
      {{"h2"}, {}, ""},
  };
  for (const Case& c : cases) {
    TlsServerOptions server = ServerOptions();
    server.settings.alpn = c.server;
    TlsClientOptions client = {.trust = ca_.trust()};
    client.settings.alpn = c.client;
    const Seen seen = Shake(MakeClient(client), MakeServer(server));
    if (c.refused) {
      EXPECT_EQ(seen.server, (Failure{Side::kClient, Fault::kTlsProtocol}));
      EXPECT_EQ(seen.ends.client->detail(), "alert received: no application protocol");
      continue;
    }
    EXPECT_FALSE(seen.client);
    EXPECT_EQ(seen.ends.server->alpn(), c.agreed);
    EXPECT_EQ(seen.ends.client->alpn(), c.agreed);
  }
}

TEST_F(TlsContextTest, M18_ClientCertificates) {
  const TlsKeyPair good = clients_.Issue({.common_name = "ci", .alt_names = {"URI:spiffe://test/ns/ci"}});
  const TlsKeyPair expired = clients_.Issue({.common_name = "old", .not_after = -60});
  const TlsKeyPair foreign = ca_.Issue({.common_name = "foreign"});
  const TlsKeyPair revoked = clients_.Issue({.common_name = "revoked"});
  TlsTrust trust = clients_.trust();
  trust.crl_pem = clients_.Revoke({revoked.certificate_pem});
  struct Case {
    Mode mode;
    TlsKeyPair pair;
    Fault fault;
    std::string detail;
  };
  const std::vector<Case> cases = {
      {Mode::kNone, good, Fault::kNone, ""},
      {Mode::kRequest, {}, Fault::kNone, ""},
      {Mode::kRequest, good, Fault::kNone, ""},
      {Mode::kRequest, foreign, Fault::kTlsCertificate, "certificate refused: unable to get local issuer certificate"},
      {Mode::kRequest, expired, Fault::kTlsCertificate, "certificate refused: certificate has expired"},
      {Mode::kRequire, {}, Fault::kTlsCertificate, "peer did not return a certificate"},
      {Mode::kRequire, good, Fault::kNone, ""},
      {Mode::kRequire, foreign, Fault::kTlsCertificate, "certificate refused: unable to get local issuer certificate"},
      {Mode::kRequire, expired, Fault::kTlsCertificate, "certificate refused: certificate has expired"},
      {Mode::kRequire, revoked, Fault::kTlsCertificate, "certificate refused: certificate revoked"},
  };
  for (const Case& c : cases) {
    const ServerContext server = MakeServer(Asking(c.mode, trust));
    const Seen seen = Shake(MakeClient(Showing(c.pair)), server);
    EXPECT_EQ(seen.server.fault, c.fault) << c.pair.name;
    EXPECT_EQ(seen.ends.server->detail(), c.detail) << c.pair.name;
    const bool shown = c.fault == Fault::kNone && c.mode != Mode::kNone && !c.pair.name.empty();
    if (shown) {
      ASSERT_NE(seen.ends.server->peer_certificate(), nullptr);
      EXPECT_EQ(FactsOfCertificate(seen.ends.server->peer_certificate()).spiffe_id, "spiffe://test/ns/ci");
    }
  }
}

TEST_F(TlsContextTest, M09_SessionsAreResumedByTicket) {
  const ServerContext server = MakeServer(ServerOptions());
  EXPECT_FALSE(Resumes(client_, server));
  EXPECT_EQ(client_->sessions(), 1u);
  EXPECT_TRUE(Resumes(client_, server));
  EXPECT_TRUE(Resumes(client_, server));
  EXPECT_TRUE(Resumes(client_, MakeServer(ServerOptions()))) << "the keys are the process'";
}

TEST_F(TlsContextTest, M09_NoSessionOutlivesItsTrust) {
  const TlsKeyPair pair = clients_.Issue({.common_name = "ci"});
  const ClientContext client = MakeClient(Showing(pair));
  const ServerContext server = MakeServer(Asking(Mode::kRequire, clients_.trust()));
  EXPECT_FALSE(Resumes(client, server));
  EXPECT_TRUE(Resumes(client, server));
  TlsTrust narrower = clients_.trust();
  narrower.crl_pem = clients_.Revoke({pair.certificate_pem});
  const Seen seen = Shake(client, MakeServer(Asking(Mode::kRequire, narrower)));
  EXPECT_EQ(seen.ends.server->detail(), "certificate refused: certificate revoked");
}

TEST_F(TlsContextTest, M09_AResumedSessionKeepsItsCertificate) {
  const ClientContext client = MakeClient(Showing(clients_.Issue({.common_name = "ci"})));
  const ServerContext server = MakeServer(Asking(Mode::kRequest, clients_.trust()));
  EXPECT_FALSE(Resumes(client, server));
  const Seen seen = Shake(client, server);
  EXPECT_TRUE(seen.ends.server->resumed());
  ASSERT_NE(seen.ends.server->peer_certificate(), nullptr);
  EXPECT_EQ(FactsOfCertificate(seen.ends.server->peer_certificate()).subject, "CN=ci");
}

TEST_F(TlsContextTest, SessionsAreRememberedByNameAndBounded) {
  TlsServerOptions options;
  options.certificates.push_back(ca_.Issue({.alt_names = {"DNS:*.d.test"}}));
  const ServerContext server = MakeServer(options);
  for (size_t i = 0; i < 3; ++i) {
    const Seen seen = Shake(client_, server, std::to_string(i) + ".d.test");
    EXPECT_FALSE(seen.ends.server->resumed());
    EXPECT_TRUE(RunTask(loop_, SayAll(*seen.ends.server, "x")));
    RunTask(loop_, HearAll(*seen.ends.client));
  }
  EXPECT_EQ(client_->sessions(), 3u);
  const Seen seen = Shake(client_, server, "1.d.test");
  EXPECT_TRUE(seen.ends.server->resumed());
  EXPECT_EQ(client_->sessions(), 2u) << "a ticket is used once";
}

TEST_F(TlsContextTest, WhatCannotBeUsedIsToldWithItsPart) {
  const auto problem = [](const TlsServerOptions& options) {
    const auto made = TlsServerContext::Make(options);
    return made.ok() ? std::string("it was taken") : made.error().text;
  };
  const auto with = [&](std::string certificate, std::string key) {
    TlsServerOptions options;
    options.certificates.push_back({"proxy", std::move(certificate), std::move(key)});
    return problem(options);
  };
  const TlsKeyPair other = ca_.Issue({});
  EXPECT_EQ(with("", pair_.key_pem),
            "proxy.certificate: no certificate in it; give PEM, beginning with -----BEGIN CERTIFICATE-----");
  EXPECT_EQ(with("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", pair_.key_pem)
                .find("proxy.certificate: a certificate cannot be read: "),
            0u);
  EXPECT_EQ(with(pair_.certificate_pem, "nothing"),
            "proxy.key: no private key in it; give PEM, beginning with -----BEGIN PRIVATE KEY-----");
  EXPECT_EQ(
      with(pair_.certificate_pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
      "proxy.key: the key is encrypted; give one without a password, readable by the proxy alone");
  EXPECT_EQ(with(pair_.certificate_pem, other.key_pem),
            "proxy.key: it is not the key of this certificate; the leaf has to come first");
  EXPECT_EQ(problem(Asking(Mode::kRequire, {.roots_pem = "nothing"})),
            "roots: no certificate in it; give PEM, beginning with -----BEGIN CERTIFICATE-----");
  EXPECT_EQ(problem(Asking(Mode::kRequire, {.roots_pem = ca_.pem(), .crl_pem = "nothing"})),
            "crl: no list in it; give PEM, beginning with -----BEGIN X509 CRL-----");
}

TEST_F(TlsContextTest, M07_VersionAndCipherSuitesAreConfigured) {
  TlsServerOptions options = ServerOptions();
  options.settings.least = TlsSettings::Version::k13;
  EXPECT_EQ(Shake(client_, MakeServer(options)).ends.server->version(), "TLSv1.3");
  EXPECT_TRUE(IsCipherSuite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
  EXPECT_TRUE(IsCipherSuite("ECDHE-RSA-CHACHA20-POLY1305"));
  for (const char* weak : {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-SHA", "ECDHE-RSA-AES128-SHA256", "ALL", "",
                           "DEFAULT:@SECLEVEL=0", "TLS_AES_128_GCM_SHA256"})
    EXPECT_FALSE(IsCipherSuite(weak)) << weak;
}

TEST(SpiffeId, OnlyWhatCanBeReadInOneWay) {
  for (const char* good : {"spiffe://prod/ns/build/sa/ci", "spiffe://a.b-c_d.1/X/y.z", "spiffe://t/..."})
    EXPECT_TRUE(IsSpiffeId(good)) << good;
  for (const char* bad :
       {"", "spiffe://", "spiffe://prod", "spiffe://prod/", "spiffe:///x", "spiffe://Prod/x", "spiffe://prod/x/",
        "spiffe://prod//x", "spiffe://prod/./x", "spiffe://prod/../x", "spiffe://prod/x?y", "spiffe://prod/x#y",
        "spiffe://prod:1/x", "spiffe://u@prod/x", "spiffe://prod/%41", "https://prod/x", "SPIFFE://prod/x"})
    EXPECT_FALSE(IsSpiffeId(bad)) << bad;
  EXPECT_FALSE(IsSpiffeId("spiffe://prod/" + std::string(2048, 'a')));
}

TEST(CertificateFactsTest, ArePrintableWhateverTheCertificateHolds) {
  const TestCa ca;
  const auto facts = [&](const TestLeaf& leaf) {
    const auto parsed = ParseCertificates(ca.Issue(leaf).certificate_pem);
    return FactsOfCertificate(parsed->front().get());
  };
  const CertificateFacts plain = facts(
      {.common_name = "a\r\nb,c\"\xc3\xa4", .alt_names = {"DNS:x.test", "URI:spiffe://t/a", "DNS:with space.test"}});
  EXPECT_EQ(plain.subject, "CN=a\\0D\\0Ab\\,c\\\"\\C3\\A4");
  EXPECT_EQ(plain.dns_names, (std::vector<std::string>{"x.test"}));
  EXPECT_EQ(plain.spiffe_id, "spiffe://t/a");
  EXPECT_EQ(plain.sha256.size(), 64u);
  const CertificateFacts two = facts({.alt_names = {"URI:spiffe://t/a", "URI:spiffe://t/b"}});
  EXPECT_EQ(two.uris.size(), 2u);
  EXPECT_EQ(two.spiffe_id, "") << "nobody could say which";
}

TEST(TicketKeysTest, AreRenewedEveryHourAndForgottenInTime) {
  TicketKeys keys;
  const TicketKeys::Key first = keys.Current(1000);
  EXPECT_EQ(keys.Current(1000 + 3599).name, first.name);
  const TicketKeys::Key second = keys.Current(1000 + 3600);
  EXPECT_NE(second.name, first.name);
  EXPECT_TRUE(keys.Find(second.name.data(), 5000)->current);
  EXPECT_FALSE(keys.Find(first.name.data(), 5000)->current);
  EXPECT_EQ(keys.Find(first.name.data(), 5000)->key.aes, first.aes);
  EXPECT_TRUE(keys.Find(first.name.data(), 1000 + 3600 + 7199).has_value());
  EXPECT_FALSE(keys.Find(first.name.data(), 1000 + 3600 + 7200).has_value());
  for (int64_t now = 20000; now < 200000; now += 600) keys.Current(now);
  EXPECT_LE(keys.size(), 4u);
}

}  // namespace
}  // namespace egret
