// The text format of the access log: what compiles, what each operator gives, and that a line stays one line.
#include "source/chain/log_format.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace egret {
namespace {

ExchangeRecord& Sample(ExchangeRecord& record) {
  record.started_unix_us = 1700000000123456;
  record.request_id = "0123456789abcdef";
  record.source = "10.0.0.1:5000";
  record.protocol = "HTTP/1.1";
  record.method = "GET";
  record.target = "origin.test:80";
  record.path = "/a";
  record.user_agent = "curl/7";
  record.sni = "sni.test";
  record.ech = true;
  record.hello = std::make_shared<const HelloFacts>(HelloFacts{"0a1b", "t13d", "TLSv1.3,TLSv1.2", "h2"});
  TlsFacts tls;
  tls.version = "TLSv1.3";
  tls.cipher = "TLS_AES_128_GCM_SHA256";
  tls.sni = "proxy.test";
  tls.alpn = "h2";
  tls.certificate = CertificateFacts{"CN=ci", "spiffe://t/a", {}, {"spiffe://t/a", "https://b"}, "abcd"};
  record.client_tls = std::make_shared<const TlsFacts>(std::move(tls));
  record.upstream = "192.0.2.1:80";
  record.status = 502;
  record.failure = {Side::kUpstream, Fault::kUpstreamReset};
  record.close_reason = "client_fin";
  record.received_bytes = 12;
  record.sent_bytes = 34;
  record.decision = {"allow", "address", "web", "local", "rule", "", Decision::Verdict::kForward};
  return record;
}

std::string Line(std::string_view format, const ExchangeRecord& record) {
  const auto compiled = LogFormat::Compile(format);
  if (!compiled) return "error: " + compiled.error().why;
  std::string out;
  compiled->Append(out, record, 56);
  return out;
}

TEST(LogFormatTest, EachOperatorGivesWhatTheRecordHolds) {
  ExchangeRecord record;
  Sample(record);
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"%START_TIME%", "2023-11-14T22:13:20.123Z"},
      {"%START_TIME(%d/%b/%Y:%H:%M:%S +0000)%", "14/Nov/2023:22:13:20 +0000"},
      {"%START_TIME(%s.%6f)%", "1700000000.123456"},
      {"%PROTOCOL%", "HTTP/1.1"},
      {"%RESPONSE_CODE%", "502"},
      {"%RESPONSE_CODE_DETAILS%", "upstream_reset"},
      {"%RESPONSE_FLAGS%", "UR"},
      {"%BYTES_RECEIVED%/%BYTES_SENT%/%DURATION%", "12/34/56"},
      {"%UPSTREAM_HOST%", "192.0.2.1:80"},
      {"%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", "10.0.0.1:5000 10.0.0.1:5000"},
      {"%REQUESTED_SERVER_NAME%", "sni.test"},
      {"%REQ(:METHOD)% %REQ(:path)% %REQ(:AUTHORITY)% %REQ(User-Agent)%", "GET /a origin.test:80 curl/7"},
      {"%UNIQUE_ID:4%", "0123"},
      {"%ROUTE_NAME%", "local"},
      {"%CONNECTION_TERMINATION_DETAILS%", "client_fin"},
      {"%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER%", "TLSv1.3 TLS_AES_128_GCM_SHA256"},
      {"%TLS_JA3_FINGERPRINT% %TLS_JA4_FINGERPRINT% %ECH%", "0a1b t13d true"},
      {"%HELLO_VERSIONS% %HELLO_ALPN%", "TLSv1.3,TLSv1.2 h2"},
      {"%DOWNSTREAM_TLS_SNI% %DOWNSTREAM_TLS_ALPN%", "proxy.test h2"},
      {"%DOWNSTREAM_PEER_SUBJECT% %DOWNSTREAM_PEER_FINGERPRINT_256%", "CN=ci abcd"},
      {"%DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_PEER_DNS_SAN%", "spiffe://t/a,https://b -"},
      {"%DOWNSTREAM_TRANSPORT_FAILURE_REASON%", "-"},
      {"%POLICY% %RULE% %STAGE% %DECISION% %REASON%", "web local address allow rule"},
      {"100%% \"x\"", "100% \"x\""},
      {"with an end\n", "with an end"},
  };
  for (const auto& [format, line] : cases) EXPECT_EQ(Line(format, record), std::string(line) + "\n") << format;
}

TEST(LogFormatTest, WhatThereIsNothingOfIsADash) {
  const ExchangeRecord nothing;
  EXPECT_EQ(Line("%SNI%", nothing).substr(0, 6), "error:");
  EXPECT_EQ(Line("%REQUESTED_SERVER_NAME% %RESPONSE_FLAGS% %RULE% %REQ(:PATH)%", nothing), "- - - -\n");
}

TEST(LogFormatTest, SaysWhetherItTellsOfAClientHello) {
  for (const auto text : {"%TLS_JA3_FINGERPRINT%", "%TLS_JA4_FINGERPRINT%", "x %HELLO_ALPN:3%", "%HELLO_VERSIONS%"})
    EXPECT_TRUE(LogFormat::Compile(text)->TellsOfHello()) << text;
  for (const auto text : {std::string_view("%ECH% HELLO_ALPN"), std::string_view("%DOWNSTREAM_PEER_FINGERPRINT_256%"),
                          LogFormat::kDefault})
    EXPECT_FALSE(LogFormat::Compile(text)->TellsOfHello()) << text;
}

TEST(LogFormatTest, WhatIsWrongIsTold) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"%RESPONSE_CODES%", "%RESPONSE_CODES% is no operator"},
      {"%PROTOCOL", "without its second"},
      {"%REQ(COOKIE)%", "REQ(COOKIE) is not kept"},
      {"%REQ%", "is not kept"},
      {"%PROTOCOL(x)%", "takes no argument"},
      {"%PROTOCOL:%", "a length"},
      {"%PROTOCOL:0%", "a length"},
      {"two\nlines", "control character"},
      {"%START_TIME(%H", "without its second"},
  };
  for (const auto& [format, why] : cases) {
    const auto compiled = LogFormat::Compile(format);
    ASSERT_FALSE(compiled) << format;
    EXPECT_NE(compiled.error().why.find(why), std::string::npos) << compiled.error().why;
  }
  EXPECT_EQ(LogFormat::Compile("%RESPONSE_CODES%").error().unknown, "RESPONSE_CODES");
}

TEST(LogFormatTest, O06_WhateverPeersSentStaysOneLineOfPrintableText) {
  ExchangeRecord record;
  Sample(record);
  for (const std::string_view text :
       {std::string_view("a\r\nb"), std::string_view("\x1b[31m\x07"), std::string_view("\" \\"),
        std::string_view("\xff\xc2\x9b"), std::string_view("nul\0nul", 7), std::string_view("%RULE%")}) {
    record.user_agent = record.path = record.sni = record.target = text;
    std::string line = Line(LogFormat::kDefault, record);
    ASSERT_TRUE(line.ends_with('\n'));
    line.pop_back();
    for (const char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << line;
  }
  record.user_agent = "a\"b\\c\n";
  EXPECT_EQ(Line("\"%REQ(USER-AGENT)%\"", record), "\"a\\\"b\\\\c\\x0a\"\n");
}

// O03: what failed has a detail of its own; the table of faults is complete.
TEST(FaultTest, O03_EachFaultHasADetailThatNoOtherHas) {
  std::set<std::string_view> details;
  for (size_t i = 1; i < static_cast<size_t>(Fault::kCount); ++i) {
    const FaultText& text = TextOf(static_cast<Fault>(i));
    EXPECT_FALSE(text.detail.empty() || text.sentence.empty()) << i;
    EXPECT_TRUE(details.insert(text.detail).second) << text.detail;
    EXPECT_TRUE(text.status == 0 || text.status >= 400) << text.detail;
  }
}

TEST(FaultTest, O03_EachFaultHasAFlagOfEnvoysButOurOwnBugs) {
  for (size_t i = 1; i < static_cast<size_t>(Fault::kCount); ++i) {
    const auto fault = static_cast<Fault>(i);
    EXPECT_EQ(ResponseFlagOf(fault).empty(), fault == Fault::kInternal) << TextOf(fault).detail;
  }
}

}  // namespace
}  // namespace egret
