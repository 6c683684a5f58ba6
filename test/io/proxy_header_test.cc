#include "source/io/proxy_header.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "test/support/proxy_header.h"

namespace egret {
namespace {

// "source > destination", "own", "more" or "malformed".
std::string Read(std::string_view bytes, size_t* length = nullptr) {
  ProxyHeader header;
  switch (ParseProxyHeader(bytes, header)) {
    case ProxyHeaderState::kNeedMore:
      return "more";
    case ProxyHeaderState::kMalformed:
      return "malformed";
    case ProxyHeaderState::kHeader:
      break;
  }
  if (length != nullptr) *length = header.length;
  if (!header.addresses) return "own";
  return Cat(header.addresses->source.ToString(), " > ", header.addresses->destination.ToString());
}

// Reads it byte by byte too: all that is shorter wants more, and what follows changes nothing.
std::string ReadWhole(std::string_view bytes) {
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_EQ(Read(bytes.substr(0, n)), "more") << n;
  size_t length = 0;
  const std::string read = Read(bytes, &length);
  EXPECT_EQ(length, bytes.size());
  EXPECT_EQ(Read(Cat(bytes, "GET / HTTP/1.1\r\n")), read);
  return read;
}

TEST(ProxyHeader, VersionOneTellsAddressesOfBothFamilies) {
  EXPECT_EQ(ReadWhole("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"), "192.0.2.1:56324 > 198.51.100.2:443");
  EXPECT_EQ(ReadWhole("PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n"), "[2001:db8::1]:0 > [2001:db8::2]:65535");
}

TEST(ProxyHeader, VersionOneMayNotKnow) {
  EXPECT_EQ(ReadWhole("PROXY UNKNOWN\r\n"), "own");
  EXPECT_EQ(ReadWhole("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), "own");
}

TEST(ProxyHeader, VersionOneEndsWithinItsLongestLine) {
  const std::string start = "PROXY UNKNOWN ";
  EXPECT_EQ(ReadWhole(Cat(start, std::string(kLongestProxyHeaderV1 - start.size() - 2, 'x'), "\r\n")), "own");
  EXPECT_EQ(Read(Cat(start, std::string(kLongestProxyHeaderV1 - start.size() - 1, 'x'), "\r\n")), "malformed");
  EXPECT_EQ(Read(Cat(start, std::string(kLongestProxyHeaderV1, 'x'))), "malformed");
}

TEST(ProxyHeader, VersionOneIsReadStrictly) {
  for (const std::string_view line : {"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
                                      "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 1\r\n",
                                      "PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n",
                                      "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
                                      "PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n",
                                      "PROXY TCP4 192.0.2.01 198.51.100.2 1 443\r\n",
                                      "PROXY TCP4 2001:db8::1 2001:db8::2 1 443\r\n",
                                      "PROXY TCP6 192.0.2.1 198.51.100.2 1 443\r\n",
                                      "PROXY  TCP4 192.0.2.1 198.51.100.2 1 443\r\n",
                                      "PROXY TCP4  192.0.2.1 198.51.100.2 1 443\r\n",
                                      "PROXY tcp4 192.0.2.1 198.51.100.2 1 443\r\n",
                                      "PROXY UDP4 192.0.2.1 198.51.100.2 1 443\r\n",
                                      "PROXY TCP4 192.0.2.1 198.51.100.2 1 443\n",
                                      "PROXY UNKNOWN\n\r\n",
                                      "PROXY UNKNOWN\r\r\n",
                                      "PROXY \r\n",
                                      "proxy TCP4 192.0.2.1 198.51.100.2 1 443\r\n",
                                      "GET / HTTP/1.1\r\n",
                                      "\r\n\r\nGET",
                                      "PROXYTCP4"})
    EXPECT_EQ(Read(line), "malformed") << line;
}

TEST(ProxyHeader, VersionTwoTellsAddressesOfBothFamilies) {
  EXPECT_EQ(ReadWhole(ProxyV2(0x21, 0x11, TcpOver4())), "192.0.2.1:4660 > 198.51.100.2:443");
  EXPECT_EQ(ReadWhole(ProxyV2(0x21, 0x21, TcpOver6())), "[2001:db8::1]:4660 > [2001:db8::2]:443");
}

TEST(ProxyHeader, VersionTwosAdditionsAreSkipped) {
  EXPECT_EQ(ReadWhole(ProxyV2(0x21, 0x11,
                              Cat(TcpOver4(), std::string("\x02\x00\x03"
                                                          "a.b"
                                                          "\xff\xff\xff",
                                                          9)))),
            "192.0.2.1:4660 > 198.51.100.2:443");
}

TEST(ProxyHeader, VersionTwoMaySpeakForItselfOrOfOtherThings) {
  EXPECT_EQ(ReadWhole(ProxyV2(0x20, 0x00, "")), "own");
  EXPECT_EQ(ReadWhole(ProxyV2(0x20, 0x11, TcpOver4())), "own");
  EXPECT_EQ(ReadWhole(ProxyV2(0x21, 0x00, "whatever")), "own");
  EXPECT_EQ(ReadWhole(ProxyV2(0x21, 0x12, TcpOver4())), "own");              // UDP
  EXPECT_EQ(ReadWhole(ProxyV2(0x21, 0x31, std::string(216, '\0'))), "own");  // Unix sockets
}

TEST(ProxyHeader, VersionTwoIsReadStrictly) {
  EXPECT_EQ(Read(ProxyV2(0x11, 0x11, TcpOver4())), "malformed");  // version 1
  EXPECT_EQ(Read(ProxyV2(0x22, 0x11, TcpOver4())), "malformed");  // no such command
  EXPECT_EQ(Read(ProxyV2(0x21, 0x41, TcpOver4())), "malformed");  // no such family
  EXPECT_EQ(Read(ProxyV2(0x21, 0x13, TcpOver4())), "malformed");  // no such transport
  EXPECT_EQ(Read(ProxyV2(0x21, 0x11, TcpOver4().substr(1))), "malformed");
  EXPECT_EQ(Read(ProxyV2(0x21, 0x21, TcpOver4())), "malformed");
}

TEST(ProxyHeader, VersionTwosLengthIsBounded) {
  const std::string most(kLongestProxyHeaderV2 - 16, '\0');
  EXPECT_EQ(Read(ProxyV2(0x20, 0x00, most)), "own");
  EXPECT_EQ(Read(ProxyV2(0x20, 0x00, Cat(most, "x")).substr(0, 16)), "malformed");
  EXPECT_EQ(Read(ProxyV2(0x21, 0x11, std::string(65535, 'x')).substr(0, 16)), "malformed");
}

TEST(ProxyHeader, AMalformedStartIsToldAtOnce) {
  EXPECT_EQ(Read("P"), "more");
  EXPECT_EQ(Read("Q"), "malformed");
  EXPECT_EQ(Read("PROXY TCP4 \n"), "malformed");
  EXPECT_EQ(Read(ProxyV2(0x31, 0x11, "").substr(0, 13)), "malformed");
}

}  // namespace
}  // namespace egret
