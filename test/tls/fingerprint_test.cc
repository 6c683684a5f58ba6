// Fingerprints held against the vectors that their specifications give.
#include "source/tls/fingerprint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace egret {
namespace {

// The example of JA4's technical details.
ClientHello Example() {
  ClientHello hello;
  hello.sni = "example.com";
  hello.alpn = {"h2", "http/1.1"};
  hello.legacy_version = 0x0303;
  hello.versions = {0x0304, 0x0303};
  hello.cipher_suites = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9,
                         0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
  hello.extensions = {0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d,
                      0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015};
  hello.signature_algorithms = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601};
  return hello;
}

std::string Ja4Head(const ClientHello& hello) { return Ja4(hello).substr(0, 10); }

TEST(Ja4Test, IsThatOfTheSpecificationsExample) {
  ClientHello hello = Example();
  EXPECT_EQ(Ja4(hello), "t13d1516h2_8daaf6152771_e5627efa2ab1");
  hello.signature_algorithms.clear();
  EXPECT_EQ(Ja4(hello), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

TEST(Ja4Test, IsTheSameInAnyOrderAndForAnyNameAndProtocol) {
  ClientHello hello = Example();
  std::reverse(hello.extensions.begin(), hello.extensions.end());
  std::reverse(hello.cipher_suites.begin(), hello.cipher_suites.end());
  EXPECT_EQ(Ja4(hello), "t13d1516h2_8daaf6152771_e5627efa2ab1");
  std::erase(hello.extensions, 0x0000);
  std::erase(hello.extensions, 0x0010);
  hello.alpn.clear();
  EXPECT_EQ(Ja4(hello), "t13i151400_8daaf6152771_e5627efa2ab1");
  std::reverse(hello.signature_algorithms.begin(), hello.signature_algorithms.end());
  EXPECT_NE(Ja4(hello).substr(24), "e5627efa2ab1");  // their order does count
}

TEST(Ja4Test, TellsTheVersionOffered) {
  ClientHello hello = Example();
  const auto with = [&](std::vector<uint16_t> versions) {
    hello.versions = std::move(versions);
    return Ja4Head(hello).substr(1, 2);
  };
  EXPECT_EQ(with({0x0303, 0x0304}), "13");
  EXPECT_EQ(with({0x0302}), "11");
  EXPECT_EQ(with({0x7f1c, 0x0304}), "00");  // a draft's number is the highest
  EXPECT_EQ(with({}), "00");                // an extension of nothing but GREASE
  std::erase(hello.extensions, 0x002b);
  EXPECT_EQ(with({}), "12");
  hello.legacy_version = 0x0300;
  EXPECT_EQ(with({}), "s3");
  hello.legacy_version = 0x0301;
  EXPECT_EQ(with({}), "10");
}

TEST(Ja4Test, TellsTheEndsOfTheFirstProtocol) {
  ClientHello hello = Example();
  const auto with = [&](std::string first) {
    hello.alpn = {std::move(first), "h2"};
    return Ja4Head(hello).substr(8);
  };
  EXPECT_EQ(with("http/1.1"), "h1");
  EXPECT_EQ(with("a"), "aa");
  EXPECT_EQ(with("H3-29"), "H9");
  EXPECT_EQ(with("\xab"), "ab");
  EXPECT_EQ(with("\xab\xcd"), "ad");
  EXPECT_EQ(with("\x30\xab"), "3b");
  EXPECT_EQ(with("\x30\x31\xab\xcd"), "3d");
  EXPECT_EQ(with("\x30\xab\xcd\x31"), "01");
  EXPECT_EQ(with("_x"), "58");
}

TEST(Ja4Test, CapsItsCountsAndHashesNothingAsZeros) {
  ClientHello hello;
  hello.legacy_version = 0x0303;
  EXPECT_EQ(Ja4(hello), "t12i000000_000000000000_000000000000");
  hello.cipher_suites.assign(100, 0x1301);
  hello.extensions.assign(250, 0x0017);
  EXPECT_EQ(Ja4Head(hello), "t12i999900");
  hello.extensions = {0x0000, 0x0010};
  EXPECT_EQ(Ja4(hello).substr(24), "000000000000");
}

TEST(Ja3Test, IsThatOfTheSpecificationsExamples) {
  ClientHello hello;
  hello.legacy_version = 769;
  hello.cipher_suites = {47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4};
  hello.extensions = {0, 10, 11};
  hello.groups = {23, 24, 25};
  hello.ec_point_formats = {0};
  EXPECT_EQ(Ja3Text(hello), "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
  EXPECT_EQ(Ja3(hello), "ada70206e40642a3e4461f35503241d5");
  hello.cipher_suites = {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99};
  hello.extensions.clear();
  hello.groups.clear();
  hello.ec_point_formats.clear();
  EXPECT_EQ(Ja3Text(hello), "769,4-5-10-9-100-98-3-6-19-18-99,,,");
  EXPECT_EQ(Ja3(hello), "de350869b8c85de67a350c8d186f11e6");
}

TEST(HelloFactsTest, TellsWhatWasOfferedWithinBounds) {
  ClientHello hello = Example();
  hello.versions = {0x0304, 0x0303, 0x0302, 0x0301, 0x7f1c};
  const HelloFacts facts = HelloFactsOf(hello);
  EXPECT_EQ(facts.versions, "TLSv1.3,TLSv1.2,TLSv1.1,TLSv1,7f1c");
  EXPECT_EQ(facts.alpn, "h2,http/1.1");
  EXPECT_EQ(facts.ja4, Ja4(hello));
  EXPECT_EQ(facts.ja3, Ja3(hello));
  hello.alpn.assign(200, "http/1.1");
  hello.versions.clear();
  EXPECT_EQ(HelloFactsOf(hello).alpn.size(), 256u);
  EXPECT_EQ(HelloFactsOf(hello).versions, "TLSv1.2");
}

}  // namespace
}  // namespace egret
