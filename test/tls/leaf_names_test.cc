// Which of an origin's names are taken over. Rows M02 and M03 of the test catalogue.
#include "source/tls/leaf_names.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <string>
#include <vector>

#include "source/base/strings.h"
#include "source/tls/certificates.h"

namespace egret {
namespace {

X509Ptr Bearer(const std::vector<LeafName>& names) {
  X509Ptr out(X509_new());
  PutAltNames(out.get(), names, false);
  return out;
}

std::vector<std::string> Texts(std::string_view target, const X509* origin) {
  std::vector<std::string> out;
  for (const LeafName& name : NamesForLeaf(target, origin)) out.push_back(TextOf(name));
  return out;
}

using Names = std::vector<std::string>;

TEST(LeafNamesTest, TheTargetComesFirstWhateverTheOriginSays) {
  EXPECT_EQ(Texts("a.test", nullptr), Names{"a.test"});
  EXPECT_EQ(Texts("192.0.2.1", nullptr), Names{"192.0.2.1"});
  EXPECT_EQ(Texts("2001:db8::1", nullptr), Names{"2001:db8::1"});
  EXPECT_EQ(Texts("a.test", Bearer({}).get()), Names{"a.test"});
  const X509Ptr origin = Bearer({LeafName("b.test"), LeafName("A.test"), LeafName("*.a.test"),
                                 LeafName(*IpAddress::Parse("192.0.2.1")), LeafName(*IpAddress::Parse("2001:db8::1"))});
  EXPECT_EQ(Texts("a.test", origin.get()), (Names{"a.test", "b.test", "*.a.test", "192.0.2.1", "2001:db8::1"}));
}

TEST(LeafNamesTest, RowM02OnlyWellFormedNamesAreTakenOver) {
  const std::string nul("evil.test\0.good.test", 20);
  const std::string label(64, 'a');
  std::string too_long = "a";
  while (too_long.size() < 254) too_long += ".a";
  for (const std::string& bad : {nul,
                                 std::string("a\nb.test"),
                                 std::string("a b.test"),
                                 std::string(),
                                 std::string("."),
                                 std::string("a..test"),
                                 std::string(".test"),
                                 std::string("a.test."),
                                 std::string("-a.test"),
                                 std::string("a-.test"),
                                 label + ".test",
                                 too_long,
                                 std::string("\xc3\xa4.test"),
                                 std::string("a*.test"),
                                 std::string("*a.example.com"),
                                 std::string("*"),
                                 std::string("*."),
                                 std::string("*.*.example.com"),
                                 std::string("a.*.example.com"),
                                 std::string("192.0.2.1"),
                                 std::string("0x7f.1"),
                                 std::string("127.0x1"),
                                 std::string("127.1"),
                                 std::string("http://a.test"),
                                 std::string("a.test:443")}) {
    EXPECT_FALSE(IsLeafDnsName(bad)) << bad;
    EXPECT_EQ(Texts("t.test", Bearer({LeafName(bad)}).get()), Names{"t.test"}) << bad;
  }
  for (const char* const good :
       {"a", "a.test", "xn--bcher-kva.example", "_dmarc.example.com", "1.example.com", "A.TEST"})
    EXPECT_TRUE(IsLeafDnsName(good)) << good;
}

TEST(LeafNamesTest, RowM02AWildcardNeverStandsForMoreThanOneOrganisation) {
  for (const char* const bad : {"*.com", "*.co.uk", "*.github.io", "*.test", "*.s3.amazonaws.com", "*.COM"})
    EXPECT_FALSE(IsLeafDnsName(bad)) << bad;
  for (const char* const good : {"*.example.com", "*.example.co.uk", "*.a.github.io", "*.internal.test"})
    EXPECT_TRUE(IsLeafDnsName(good)) << good;
}

TEST(LeafNamesTest, RowM02ThereIsAnEndToThem) {
  std::vector<LeafName> many;
  many.reserve(10000);
  for (int i = 0; i < 10000; ++i) many.emplace_back("n" + std::to_string(i) + ".test");
  EXPECT_EQ(NamesForLeaf("a.test", Bearer(many).get()).size(), kMostLeafNames);
  many.clear();
  const std::string label(60, 'a');
  for (int i = 100; i < 200; ++i) many.emplace_back(Cat(label, ".", label, ".", label, ".", i, ".test"));
  size_t bytes = 0;
  for (const LeafName& name : NamesForLeaf("a.test", Bearer(many).get())) bytes += TextOf(name).size();
  EXPECT_LE(bytes, kMostLeafNameBytes);
  EXPECT_GT(bytes, kMostLeafNameBytes - 250);
}

TEST(LeafNamesTest, OtherKindsOfNamesAndAddressesOfOddSizesAreLeftOut) {
  const X509Ptr origin(X509_new());
  GENERAL_NAMES* const names = GENERAL_NAMES_new();
  const auto add = [&](int kind, ASN1_STRING* value, const char* bytes, int size) {
    ASN1_STRING_set(value, bytes, size);
    GENERAL_NAME* const name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, kind, value);
    sk_GENERAL_NAME_push(names, name);
  };
  add(GEN_IPADD, ASN1_OCTET_STRING_new(), "abc", 3);
  add(GEN_IPADD, ASN1_OCTET_STRING_new(), "", 0);
  add(GEN_IPADD, ASN1_OCTET_STRING_new(), "abcdefgh", 8);
  add(GEN_URI, ASN1_IA5STRING_new(), "spiffe://a/b", 12);
  add(GEN_EMAIL, ASN1_IA5STRING_new(), "a@b.test", 8);
  X509_add1_ext_i2d(origin.get(), NID_subject_alt_name, names, 0, 0);
  GENERAL_NAMES_free(names);
  EXPECT_EQ(Texts("a.test", origin.get()), Names{"a.test"});
}

}  // namespace
}  // namespace egret
