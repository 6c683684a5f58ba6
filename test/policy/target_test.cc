// One canonical form of every name: what the wire may say, and what it becomes.
#include "source/policy/target.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "source/base/strings.h"
#include "source/policy/pattern.h"

namespace egret {
namespace {

std::string Canonical(std::string_view wire, std::optional<uint16_t> default_port = std::nullopt) {
  const auto target = ParseAuthority(wire, default_port);
  return target ? target->ToString() : "400";
}

struct Row {
  std::string_view wire;
  std::string_view canonical;
};

TEST(Target, T08_AuthorityIsCanonicalOr400) {
  const std::string label63(63, 'a');
  const std::string longest = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253u);
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"example.com:443", "example.com:443"},
      {"EXAMPLE.Com:443", "example.com:443"},
      {"example.com.:443", "example.com:443"},
      {"example.com..:443", "400"},
      {".example.com:443", "400"},
      {"a..b:443", "400"},
      {".:443", "400"},
      {":443", "400"},
      {"", "400"},
      {"example.com", "400"},
      {"example.com:", "400"},
      {"example.com:0", "400"},
      {"example.com:00", "400"},
      {"example.com:65535", "example.com:65535"},
      {"example.com:65536", "400"},
      {"example.com:99999999999", "400"},
      {"example.com:+443", "400"},
      {"example.com:-1", "400"},
      {"example.com: 443", "400"},
      {"example.com:443 ", "400"},
      {"example.com:0443", "400"},
      {"example.com:443:443", "400"},
      {"example.com::443", "400"},
      {"example.com:0x1bb", "400"},
      {"user@example.com:443", "400"},
      {"user:pass@example.com:443", "400"},
      {"@example.com:443", "400"},
      {"http://example.com:443", "400"},
      {"example.com:443/", "400"},
      {"example.com:443?x", "400"},
      {"example.com:443#x", "400"},
      {"exa mple.com:443", "400"},
      {"exa\tmple.com:443", "400"},
      {std::string("exa\0mple.com:443", 16), "400"},
      {"ex%61mple.com:443", "400"},
      {"b\xc3\xbc"
       "cher.example:443",
       "400"},
      {"xn--bcher-kva.example:443", "xn--bcher-kva.example:443"},
      {"under_score.example:443", "under_score.example:443"},
      {"-dash-.example:443", "-dash-.example:443"},
      {"*.example.com:443", "400"},
      {"ex,ample.com:443", "400"},
      {label63 + ".com:443", label63 + ".com:443"},
      {label63 + "a.com:443", "400"},
      {longest + ":443", longest + ":443"},
      {longest + ".:443", longest + ":443"},
      {longest + "b:443", "400"},
      {"localhost:80", "localhost:80"},
      {"192.0.2.1:80", "192.0.2.1:80"},
      {"192.0.2.1.:80", "192.0.2.1:80"},
      {"192.0.2.256:80", "400"},
      {"192.0.2:80", "400"},
      {"192.0.2.1.5:80", "400"},
      {"example.1:80", "400"},
      {"example.0x1:80", "400"},
      {"example.0xzz:80", "400"},
      {"example.1a:80", "example.1a:80"},
      {"[2001:DB8::1]:443", "[2001:db8::1]:443"},
      {"[2001:db8:0:0:0:0:0:1]:443", "[2001:db8::1]:443"},
      {"[::ffff:192.0.2.1]:443", "192.0.2.1:443"},
      {"[::ffff:c000:0201]:443", "192.0.2.1:443"},
      {"[0:0:0:0:0:ffff:c000:201]:443", "192.0.2.1:443"},
      {"[::1]", "400"},
      {"[::1]:", "400"},
      {"[::1]443", "400"},
      {"[::1]x:443", "400"},
      {"::1:443", "400"},
      {"2001:db8::1", "400"},
      {"[fe80::1%eth0]:443", "400"},
      {"[fe80::1%25eth0]:443", "400"},
      {"[192.0.2.1]:443", "400"},
      {"[example.com]:443", "400"},
      {"[v1.x]:443", "400"},
      {"[]:443", "400"},
      {"[:443", "400"},
      {"]:443", "400"},
      {"[[::1]]:443", "400"},
      {"[::1::]:443", "400"},
      {"[1:2:3:4:5:6:7:8:9]:443", "400"},
      {"[::ffff:192.0.2.01]:443", "400"},
  };
  for (const auto& [wire, canonical] : rows) EXPECT_EQ(Canonical(wire), canonical) << wire;
}

TEST(Target, P01_ADefaultPortIsOnlyTakenWhereThereIsNone) {
  EXPECT_EQ(Canonical("example.com", 80), "example.com:80");
  EXPECT_EQ(Canonical("example.com:8080", 80), "example.com:8080");
  EXPECT_EQ(Canonical("EXAMPLE.com.", 80), Canonical("example.com:80"));
  EXPECT_EQ(Canonical("example.com:", 80), "400");
  EXPECT_EQ(Canonical("[::1]", 80), "[::1]:80");
  EXPECT_EQ(Canonical("example.com", 0), "400");
}

TEST(Target, AuthorityForHostLeavesTheDefaultPortOut) {
  EXPECT_EQ(ParseAuthority("example.com:80", {})->Authority(80), "example.com");
  EXPECT_EQ(ParseAuthority("example.com:8080", {})->Authority(80), "example.com:8080");
  EXPECT_EQ(ParseAuthority("[2001:db8::1]:443", {})->Authority(443), "[2001:db8::1]");
  EXPECT_EQ(Target::Of(*IpAddress::Parse("::1"), 1).ToString(), "[::1]:1");
}

// What inet_aton() or a browser's URL parser would take for an address must be that address in its one spelling, or
// 400.
void ExpectNoSecondSpelling(const std::string& spelling) {
  const auto target = ParseAuthority(spelling + ":80", std::nullopt);
  if (!target) return;
  in_addr meant{};
  if (inet_aton(spelling.c_str(), &meant) == 1) {
    ASSERT_TRUE(target->literal) << spelling << " would be dialled as an address but is a name";
    EXPECT_EQ(target->literal->v4_bits(), ntohl(meant.s_addr)) << spelling;
    EXPECT_EQ(target->host, spelling) << "more than one spelling";
  }
}

std::vector<std::string> SpellingsOfPart(unsigned value) {
  char hex[16], upper[16], octal[16], long_octal[24], long_hex[24];
  std::snprintf(hex, sizeof hex, "0x%x", value);
  std::snprintf(upper, sizeof upper, "0X%02X", value);
  std::snprintf(octal, sizeof octal, "0%o", value);
  std::snprintf(long_octal, sizeof long_octal, "000%o", value);
  std::snprintf(long_hex, sizeof long_hex, "0x0000%x", value);
  return {std::to_string(value), hex, upper, octal, long_octal, long_hex};
}

TEST(Target, D03_NumericSpellingsOfAnAddressAreThatAddressOr400) {
  std::set<std::string> spellings;
  for (const uint32_t address : {0x7f000001u, 0xa9fea9feu, 0x0a000001u, 0u, 0xc0a80001u}) {
    const auto part = [&](unsigned shift, unsigned mask) { return SpellingsOfPart(address >> shift & mask); };
    for (const auto& whole : part(0, 0xffffffffu)) spellings.insert(whole);
    for (const auto& a : part(24, 0xff)) {
      for (const auto& rest : part(0, 0xffffff)) spellings.insert(Cat(a, ".", rest));
      for (const auto& b : part(16, 0xff)) {
        for (const auto& rest : part(0, 0xffff)) spellings.insert(Cat(a, ".", b, ".", rest));
        for (const auto& c : part(8, 0xff))
          for (const auto& d : part(0, 0xff)) spellings.insert(Cat(a, ".", b, ".", c, ".", d));
      }
    }
  }
  ASSERT_GT(spellings.size(), 200u);
  size_t taken = 0;
  for (const auto& spelling : spellings) {
    ExpectNoSecondSpelling(spelling);
    taken += ParseAuthority(spelling + ":80", std::nullopt).ok();
    // One trailing dot goes; more do not.
    EXPECT_EQ(Canonical(spelling + ".:80"), Canonical(spelling + ":80")) << spelling;
    EXPECT_EQ(Canonical(spelling + "..:80"), "400") << spelling;
  }
  EXPECT_EQ(taken, 5u) << "only the strict dotted quad of each";
}

TEST(Target, D03_OtherSpellingsOfLoopback) {
  const std::vector<Row> rows = {
      {"\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:80", "400"},  // full-width digits
      {"127\xe3\x80\x82"
       "0\xe3\x80\x82"
       "0\xe3\x80\x82"
       "1:80",
       "400"},                                                   // ideographic full stops
      {"\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1:80", "400"},  // circled digits
      {"%31%32%37.0.0.1:80", "400"},
      {"127.0.0.1%00.example.com:80", "400"},
      {"127.0.0.1%2eexample.com:80", "400"},
      {"127.0.0.1\\.example.com:80", "400"},
      {"127.0.0.1 :80", "400"},
      {" 127.0.0.1:80", "400"},
      {"127.0.0.1\n:80", "400"},
      {"+127.0.0.1:80", "400"},
      {"127.0.0.-1:80", "127.0.0.-1:80"},  // a name, as the next
      {"127,0,0,1:80", "400"},
      {"127.0.0.1e0:80", "127.0.0.1e0:80"},  // a name: nothing reads this as a number
      {"0x7f.1:80", "400"},
      {"0x7f000001:80", "400"},
      {"0X7F000001:80", "400"},
      {"017700000001:80", "400"},
      {"2130706433:80", "400"},
      {"127.1:80", "400"},
      {"0:80", "400"},
      {"00000000:80", "400"},
      {"127.0.0.0x1:80", "400"},
      {"0177.0.0.1:80", "400"},
      {"127.0.0.1.nip.io:80", "127.0.0.1.nip.io:80"},  // a name; what it resolves to is vetted
      {"[::1]:80", "[::1]:80"},
      {"[0:0:0:0:0:0:0:1]:80", "[::1]:80"},
      {"[0000::0001]:80", "[::1]:80"},
      {"[::0.0.0.1]:80", "[::1]:80"},
      {"[::ffff:7f00:1]:80", "127.0.0.1:80"},
      {"[::FFFF:127.0.0.1]:80", "127.0.0.1:80"},
      {"[0:0:0:0:0:ffff:7f00:0001]:80", "127.0.0.1:80"},
      {"[::ffff:127.1]:80", "400"},
      {"[::ffff:0x7f.0.0.1]:80", "400"},
      {"[::1%lo]:80", "400"},
  };
  for (const Row& row : rows) EXPECT_EQ(Canonical(row.wire), row.canonical) << row.wire;
}

TEST(Target, ANameAloneIsNoAddress) {
  EXPECT_EQ(CanonicalName("Example.COM."), "example.com");
  EXPECT_EQ(CanonicalName("192.0.2.1"), std::nullopt);
  EXPECT_EQ(CanonicalName("example.com:443"), std::nullopt);
  EXPECT_EQ(CanonicalName("[::1]"), std::nullopt);
  EXPECT_EQ(CanonicalName(""), std::nullopt);
}

TEST(Pattern, P06_PatternsMatchByLabels) {
  struct Case {
    std::string_view pattern, name;
    bool matches;
  };
  const std::vector<Case> cases = {
      {"example.com", "example.com", true},
      {"example.com", "www.example.com", false},
      {"example.com", "evil-example.com", false},
      {"example.com", "example.com.evil", false},
      {"example.com", "exampleXcom", false},
      {"example.com", "example.co", false},
      {"*.example.com", "example.com", false},
      {"*.example.com", "www.example.com", true},
      {"*.example.com", "a.b.c.example.com", true},
      {"*.example.com", "evil-example.com", false},
      {"*.example.com", "wwwexample.com", false},
      {"*.example.com", "example.com.evil", false},
      {"*.example.com", "www.example.com.evil.com", false},
      {".example.com", "example.com", true},
      {".example.com", "www.example.com", true},
      {".example.com", "evil-example.com", false},
      {".example.com", "com", false},
      {"*.com", "example.com", true},
      {"*.com", "com", false},
      {"EXAMPLE.com.", "example.com", true},
  };
  for (const Case& c : cases) {
    const auto pattern = ParsePattern(c.pattern);
    ASSERT_TRUE(pattern) << c.pattern;
    EXPECT_EQ(pattern->Matches(c.name), c.matches) << c.pattern << " / " << c.name;
  }
}

TEST(Pattern, D16_ULabelsBecomeALabelsOnce) {
  EXPECT_EQ(ParsePattern("B\xc3\xbc"
                         "cher.example")
                ->name,
            "xn--bcher-kva.example");
  EXPECT_EQ(ParsePattern("*.b\xc3\xbc"
                         "cher.example")
                ->kind,
            DomainPattern::Kind::kBelow);
  // UTS 46, non-transitional: sharp s stays.
  EXPECT_EQ(ParsePattern("fa\xc3\x9f.de")->name, "xn--fa-hia.de");
  // A homograph (Cyrillic a) is another name.
  EXPECT_NE(ParsePattern("\xd0\xb0pple.com")->name, "apple.com");
  EXPECT_EQ(ParsePattern("xn--bcher-kva.example")->name, "xn--bcher-kva.example");
}

TEST(Pattern, MistakesNameTheRemedy) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"https://example.com", "scheme"},
      {"https://example.com/x", "scheme"},
      {"example.com:443", "to.ports: [443]"},
      {"*.example.com:443", "\"*.example.com\" and to.ports: [443]"},
      {"example.com/x", "path_prefixes"},
      {"*", "leave out"},
      {"*example.com", "at the front"},
      {"www.*.com", "at the front"},
      {"**.example.com", "at the front"},
      {"192.0.2.1", "to.cidrs"},
      {"192.0.2.0/24", "to.cidrs"},
      {"[::1]", "to.cidrs"},
      {"::1", "to.cidrs"},
      {"\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1", "to.cidrs"},
      {"127.1", "last is no number"},
      {"user@example.com", "user information"},
      {"", "no name"},
      {"*.", "no name"},
      {".", "no name"},
      {"..", "not a name"},
      {" example.com", "white space"},
      {"exa mple.com", "not a name"},
      {std::string(64, 'a') + ".com", "not a name"},
      {"\xff.com", "UTS 46"},
  };
  for (const auto& [text, remedy] : rows) {
    const auto pattern = ParsePattern(text);
    ASSERT_FALSE(pattern) << text;
    EXPECT_NE(pattern.error().find(remedy), std::string::npos) << text << ": " << pattern.error();
  }
}

}  // namespace
}  // namespace egret
