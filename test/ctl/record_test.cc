// Records of what was reached: made, signed, verified and held against each other.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "test/ctl/ctl.h"

namespace egret {
namespace {

// Made for this test: openssl genpkey -algorithm ed25519.
constexpr std::string_view kKey = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIG569YFa+/V7lIYZr9DgD29zdx7empN0RRBk4pBOiVfK
-----END PRIVATE KEY-----
)";
constexpr std::string_view kPublic = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAM/a326RDjkdSaRxMKAkInokNnlM0rYSTUyIcCsbhcdY=
-----END PUBLIC KEY-----
)";
constexpr std::string_view kAnotherPublic = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA7/b7kKV5+au4n4Ntxssc7mH3w0vahQEZenDCTYzDNMM=
-----END PUBLIC KEY-----
)";

std::string Line(std::string_view target, std::string_view method, std::string_view path) {
  return Cat(
      R"({"event":"end","kind":"request","decision":"allow","policy":"run","rule":"all","upstream":"192.0.2.1:80",)",
      R"("target":")", target, R"(","method":")", method, R"(","path":")", path,
      R"(","received_bytes":14336,"sent_bytes":1})", "\n");
}

std::string Recorded(std::string_view name, std::string_view log) {
  const Said said = Ctl({"record", "make", FileOf(Cat(name, ".log"), log), "--command", "npm"});
  EXPECT_EQ(said.status, 0) << said.err;
  return FileOf(name, said.out);
}

TEST(Record, WhatIsNewIsToldInWords) {
  const std::string a = Recorded("a.json", Line("a.example:80", "GET", "/x"));
  const std::string b = Recorded("b.json", Line("a.example:80", "GET", "/x") + Line("x.workers.dev:80", "POST", "/u"));
  Said said = Ctl({"record", "diff", a, b});
  EXPECT_EQ(said.status, 4);
  EXPECT_EQ(said.out, "new: POST to x.workers.dev:80 by POST /u, 14 KiB out\n");
  said = Ctl({"record", "diff", a, a});
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.out, "");
}

TEST(Record, ASignatureIsOfItsKeyAndOfNothingElse) {
  const std::string record = Recorded("a.json", Line("a.example:80", "GET", "/x"));
  const std::string key = FileOf("key.pem", kKey), known = FileOf("public.pem", kPublic);
  const Said signed_record = Ctl({"record", "sign", record, "--key", key});
  ASSERT_EQ(signed_record.status, 0) << signed_record.err;
  const std::string envelope = FileOf("signed.json", signed_record.out);
  const Said verified = Ctl({"record", "verify", envelope, "--key", known});
  EXPECT_EQ(verified.status, 0) << verified.err;
  EXPECT_NE(verified.out.find("\"host\":\"a.example\""), std::string::npos);
  EXPECT_EQ(Ctl({"record", "diff", record, envelope}).status, 0);
  EXPECT_EQ(Ctl({"record", "verify", envelope, "--key", FileOf("other.pem", kAnotherPublic)}).status, 1);
  std::string changed = signed_record.out;
  changed[changed.find("\"payload\":\"") + 40] ^= 1;
  EXPECT_EQ(Ctl({"record", "verify", FileOf("changed.json", changed), "--key", known}).status, 1);
}

TEST(Record, WhatIsAboutAFileSaysItsHash) {
  const std::string log = FileOf("s.log", Line("a.example:80", "GET", "/x"));
  const Said said = Ctl({"record", "make", log, "--subject", FileOf("wheel.whl", "abc")});
  EXPECT_NE(
      said.out.find(R"("subject":[{"digest":{"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015)"
                    R"(ad"},"name":"wheel.whl"}])"),
      std::string::npos)
      << said.out;
  EXPECT_EQ(Ctl({"record", "make", log, "--subject", "/nowhere/x"}).status, 1);
}

TEST(Record, WhatIsWrongIsSaid) {
  EXPECT_EQ(Ctl({"record"}).status, 2);
  EXPECT_EQ(Ctl({"record", "burn"}).status, 2);
  EXPECT_EQ(Ctl({"record", "diff", "a"}).status, 2);
  EXPECT_EQ(Ctl({"record", "sign", "a"}).status, 2);
  const std::string none = FileOf("none.json", "{}\n");
  EXPECT_EQ(Ctl({"record", "diff", none, none}).status, 1);
  const Said said = Ctl({"record", "sign", none, "--key", FileOf("no.pem", "secret\n")});
  EXPECT_EQ(said.status, 1);
  EXPECT_EQ(said.err.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace egret
