// Targets taken apart, and what happens to the fields of a message on its way.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "source/base/failure.h"
#include "source/base/strings.h"
#include "source/http/field_value.h"
#include "source/http/head.h"
#include "source/http/hop.h"
#include "source/http/http1_head.h"
#include "source/http/target.h"

namespace egret {
namespace {

std::string Names(const Head& head) {
  std::string names;
  for (const Field& field : head.fields()) Append(names, field.name, ";");
  return names;
}

Head With(std::initializer_list<std::pair<std::string_view, std::string_view>> fields, int status = 0) {
  Head head;
  head.status = status;
  for (const auto& [name, value] : fields) head.Add(name, value);
  return head;
}

TEST(FieldValue, H08_EveryByteAtEveryPlaceIsJudgedAsIfAlone) {
  for (size_t place = 0; place < 20; ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text(20, 'a');
      text[place] = static_cast<char>(byte);
      const bool good = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
      EXPECT_EQ(CountFieldBytes(text), good ? text.size() : place) << place << " " << byte;
      EXPECT_EQ(IsFieldValue(text), good);
    }
  }
}

TEST(Target, EveryFormIsSplitIntoItsParts) {
  const Result<RequestTarget, Fault> absolute = ParseTarget("GET", "HTTP://A.example:80/x?y");
  ASSERT_TRUE(absolute);
  EXPECT_EQ(absolute->form, TargetForm::kAbsolute);
  EXPECT_EQ(absolute->scheme, "http");
  EXPECT_EQ(absolute->authority, "A.example:80");
  EXPECT_EQ(absolute->path, "/x?y");
  const Result<RequestTarget, Fault> secure = ParseTarget("GET", "https://a.example/");
  ASSERT_TRUE(secure);
  EXPECT_EQ(secure->scheme, "https");
  const Result<RequestTarget, Fault> other = ParseTarget("GET", "ws+x://a.example/");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->scheme, "ws+x");
  const Result<RequestTarget, Fault> literal = ParseTarget("CONNECT", "[2001:db8::1]:443");
  ASSERT_TRUE(literal);
  EXPECT_EQ(literal->form, TargetForm::kAuthority);
  EXPECT_EQ(literal->authority, "[2001:db8::1]:443");
  const Result<RequestTarget, Fault> asterisk = ParseTarget("OPTIONS", "*");
  ASSERT_TRUE(asterisk);
  EXPECT_EQ(asterisk->form, TargetForm::kAsterisk);
}

TEST(Target, AHeadAlwaysHasAPath) {
  const auto path = [](std::string_view method, std::string_view target) {
    Head head;
    Framing framing;
    EXPECT_EQ(ParseRequestHead(Cat(method, " ", target, " HTTP/1.1\r\nHost: a.example\r\n\r\n"), head, framing),
              Fault::kNone);
    return std::string(head.path);
  };
  EXPECT_EQ(path("GET", "http://a.example"), "/");
  EXPECT_EQ(path("GET", "http://a.example?q"), "/?q");
  EXPECT_EQ(path("OPTIONS", "http://a.example"), "*");
  EXPECT_EQ(path("OPTIONS", "http://a.example/"), "/");
  EXPECT_EQ(path("CONNECT", "a.example:443"), "");
}

TEST(Hop, H20_WhatConnectionNamesIsRemovedAndTheHopByHopFieldsToo) {
  Head head = With({{"Host", "a"},
                    {"Connection", "close, X-Gone ,TE"},
                    {"Connection", "x-also"},
                    {"X-Gone", "1"},
                    {"X-Also", "1"},
                    {"X-Kept", "1"},
                    {"Keep-Alive", "timeout=5"},
                    {"Proxy-Connection", "keep-alive"},
                    {"Proxy-Authorization", "Basic x"},
                    {"Upgrade", "h2c"},
                    {"HTTP2-Settings", "AAA"},
                    {"TE", "gzip, trailers"},
                    {"Expect", "100-continue"}});
  EXPECT_FALSE(StripHopByHop(head));
  EXPECT_EQ(Names(head), "Host;X-Kept;Expect;TE;");
  EXPECT_EQ(head.Find(FieldName::kTe)->value, "trailers");
}

TEST(Hop, H20_ConnectionMayNotNameWhatOthersRelyOn) {
  for (const std::string_view name : {"Host", "content-length", "Authorization", "Cookie", "Via", "Forwarded",
                                      "Transfer-Encoding", "X-Forwarded-For", "Max-Forwards"}) {
    Head request = With({{"Connection", name}});
    EXPECT_EQ(StripHopByHop(request), (Failure{Side::kClient, Fault::kHttpConnectionField})) << name;
    Head response = With({{"Connection", name}}, 200);
    EXPECT_EQ(StripHopByHop(response), (Failure{Side::kUpstream, Fault::kUpstreamMalformed})) << name;
  }
}

TEST(Hop, AResponseLosesItsHopByHopFieldsAndTeWithThem) {
  Head head = With({{"Connection", "x-gone"},
                    {"X-Gone", "1"},
                    {"TE", "trailers"},
                    {"Proxy-Authenticate", "Basic"},
                    {"Transfer-Encoding", "chunked"},
                    {"Server", "x"}},
                   200);
  EXPECT_FALSE(StripHopByHop(head));
  EXPECT_EQ(Names(head), "Server;");
}

TEST(Hop, H21_AnUpgradeIsWantedOnlyWhereConnectionNamesItIn11) {
  EXPECT_EQ(WantedUpgrade(With({{"Connection", "keep-alive, Upgrade"}, {"Upgrade", "websocket, h2c"}})), "websocket");
  EXPECT_EQ(WantedUpgrade(With({{"Upgrade", "websocket"}})), "");
  EXPECT_EQ(WantedUpgrade(With({{"Connection", "upgrade"}})), "");
  Head old = With({{"Connection", "upgrade"}, {"Upgrade", "websocket"}});
  old.version = Version::kHttp10;
  EXPECT_EQ(WantedUpgrade(old), "");
}

TEST(Hop, ViaIsAppendedAndAPseudonymFoundInAnyOfItsElements) {
  Head head = With({{"Via", "1.0 fred (a, (b), egret), 1.1 p.example:80"}});
  head.version = Version::kHttp10;
  EXPECT_FALSE(ViaHas(head, "egret"));
  EXPECT_TRUE(ViaHas(head, "FRED"));
  EXPECT_TRUE(ViaHas(head, "p.example:80"));
  AddVia(head, "egret");
  EXPECT_TRUE(ViaHas(head, "egret"));
  EXPECT_EQ(head.fields().back().value, "1.0 egret");
  for (const std::string_view odd : {"", ",", "(", "1.1", "1.1 (", "1.1 (\\", "a b c, ,"})
    EXPECT_FALSE(ViaHas(With({{"Via", odd}}), "egret"));
}

TEST(Hop, DateIsAddedWhereItIsMissing) {
  Head head = With({}, 200);
  EnsureDate(head);
  ASSERT_EQ(head.fields().size(), 1u);
  const std::string_view date = head.fields().front().value;
  EXPECT_EQ(date.size(), 29u);
  EXPECT_TRUE(date.ends_with(" GMT"));
  EnsureDate(head);
  EXPECT_EQ(head.fields().size(), 1u);
}

}  // namespace
}  // namespace egret
