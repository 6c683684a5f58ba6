// egretctl ca and env.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <time.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "source/base/strings.h"
#include "source/tls/authority.h"
#include "source/tls/certificates.h"
#include "test/ctl/ctl.h"

namespace egret {
namespace {

std::string Folder(std::string_view name) {
  std::string out = Cat(testing::TempDir(), "/", name, "XXXXXX");
  EXPECT_NE(mkdtemp(out.data()), nullptr);
  return out;
}

std::string Read(const std::string& path) {
  std::string out;
  FILE* const file = fopen(path.c_str(), "r");
  if (file == nullptr) return "none";
  for (int c = 0; (c = fgetc(file)) != EOF;) out += static_cast<char>(c);
  fclose(file);
  return out;
}

unsigned ModeOf(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 0777u : 0;
}

TEST(EgretctlCa, MakesARootThatNobodyElseCanUse) {
  const std::string root = Cat(Folder("root"), "/new");
  const Said said = Ctl({"ca", "init", root});
  ASSERT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(said.out, root + "/ca.crt: what clients have to believe\n" + root + "/ca.key: keep it offline\n");
  EXPECT_EQ(ModeOf(root), 0700u);
  EXPECT_EQ(ModeOf(root + "/ca.key"), 0600u);
  const auto chain = ParseCertificates(Read(root + "/ca.crt"));
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(X509_get_pathlen(chain->front().get()), 1);
  EXPECT_NEAR(static_cast<double>(NotAfter(chain->front().get()) - time(nullptr)), 3650 * 86400.0, 10);
}

TEST(EgretctlCa, OverwritesNothing) {
  const std::string root = Folder("root");
  ASSERT_EQ(Ctl({"ca", "init", root}).status, 0);
  const std::string key = Read(root + "/ca.key"), certificate = Read(root + "/ca.crt");
  const Said said = Ctl({"ca", "init", root});
  EXPECT_EQ(said.status, 1);
  EXPECT_EQ(said.err, "egretctl ca: " + root + "/ca.key: is there already; it stays as it is\n");
  unlink((root + "/ca.key").c_str());
  EXPECT_EQ(Ctl({"ca", "init", root}).status, 1) << "the certificate is there still";
  EXPECT_EQ(Read(root + "/ca.key"), "none") << "both files or neither";
  EXPECT_EQ(Read(root + "/ca.crt"), certificate);
}

TEST(EgretctlCa, MakesAnIntermediateThatAProxyTakes) {
  const std::string root = Folder("root"), proxy = Folder("proxy");
  ASSERT_EQ(Ctl({"ca", "init", root}).status, 0);
  const Said said = Ctl({"ca", "intermediate", proxy, "--root", root, "--permit", "example.com", "--permit",
                         "192.0.2.0/24", "--name", "proxy 1"});
  ASSERT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(ModeOf(proxy + "/tls.key"), 0600u);
  AuthorityOptions options;
  options.certificate_pem = Read(proxy + "/tls.crt");
  options.key_pem = Read(proxy + "/tls.key");
  const auto authority = CertificateAuthority::Make(options, time(nullptr));
  ASSERT_TRUE(authority.ok()) << authority.error().text;
  EXPECT_EQ((*authority)->trust_pem(), Read(root + "/ca.crt"));
  EXPECT_EQ(X509_get_pathlen((*authority)->certificate()), 0);
  EXPECT_NEAR(static_cast<double>((*authority)->not_after() - time(nullptr)), 30 * 86400.0, 10);
  EXPECT_FALSE((*authority)->constraints().empty());
}

TEST(EgretctlCa, SaysWhyNot) {
  const std::string root = Folder("root"), proxy = Folder("proxy");
  EXPECT_EQ(Ctl({"ca"}).status, 2);
  EXPECT_EQ(Ctl({"ca", "intermediate", proxy}).status, 2);
  EXPECT_EQ(Ctl({"ca", "init", root, "--permit", "a.test"}).status, 2);
  EXPECT_EQ(Ctl({"ca", "init", root, "--days", "0"}).status, 2);
  EXPECT_EQ(Ctl({"ca", "intermediate", proxy, "--root", root}).err,
            "egretctl ca: " + root + "/ca.crt: cannot be read: No such file or directory\n");
  ASSERT_EQ(Ctl({"ca", "init", root}).status, 0);
  EXPECT_NE(Ctl({"ca", "intermediate", proxy, "--root", root, "--permit", "*.a.test"}).err.find("*.a.test: neither"),
            std::string::npos);
}

TEST(EgretctlEnv, SaysWhatEachClientNeeds) {
  const auto env = [](const char* client) {
    const Said said =
        Ctl({"env", "--for", client, "--proxy", "http://egress.test:3128/", "--ca", "/etc/egret's/ca bundle.pem"});
    EXPECT_EQ(said.status, 0) << said.err;
    return said.out;
  };
  const auto has = [](const std::string& text, std::string_view line) {
    EXPECT_NE(Cat("\n", text).find(Cat("\n", line, "\n")), std::string::npos) << text;
  };
  const std::string file = "'/etc/egret'\\''s/ca bundle.pem'";
  for (const char* const client : {"chromium", "curl", "git", "go", "grpc", "node", "pip", "python"}) {
    has(env(client), "export http_proxy='http://egress.test:3128'");
    has(env(client), "export HTTPS_PROXY='http://egress.test:3128'");
  }
  has(env("curl"), "export CURL_CA_BUNDLE=" + file);
  has(env("git"), "export GIT_SSL_CAINFO=" + file);
  has(env("go"), "export SSL_CERT_FILE=" + file);
  has(env("node"), "export NODE_EXTRA_CA_CERTS=" + file);
  has(env("pip"), "export PIP_CERT=" + file);
  has(env("python"), "export SSL_CERT_FILE=" + file);
  has(env("python"), "export REQUESTS_CA_BUNDLE=" + file);
  has(env("grpc"), "export GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=" + file);
  for (const char* const client : {"chromium", "java"})
    EXPECT_NE(env(client).find(Cat(" < ", file, "\nfor egret_one in ")), std::string::npos) << env(client);
  EXPECT_NE(env("java").find("-Dhttps.proxyHost=egress.test -Dhttps.proxyPort=3128"), std::string::npos);
}

TEST(EgretctlEnv, WhatItPrintsSaysNothingElseToAShell) {
  const std::string nasty = "http://u$(touch x):`id`'@h.test:1";
  const Said said = Ctl({"env", "--for", "curl", "--proxy", nasty});
  ASSERT_EQ(said.status, 0) << said.err;
  const std::string script = FileOf("env.sh", said.out + "printf %s \"$https_proxy\"\n");
  FILE* const shell = popen(Cat("sh ", script).c_str(), "r");
  std::string out;
  for (int c = 0; (c = fgetc(shell)) != EOF;) out += static_cast<char>(c);
  pclose(shell);
  EXPECT_EQ(out, nasty);
}

TEST(EgretctlEnv, SaysWhatIsWrongWithTheCommandLine) {
  EXPECT_EQ(Ctl({"env"}).err, "egretctl env: for which client? give --for\nTry egretctl env --help\n");
  EXPECT_EQ(Ctl({"env", "--for", "wget"}).status, 2);
  for (const char* const url : {"egress:3128", "http://egress", "ftp://a:1", "http://a:1\nx"})
    EXPECT_EQ(Ctl({"env", "--for", "curl", "--proxy", url}).status, 2) << url;
}

}  // namespace
}  // namespace egret
