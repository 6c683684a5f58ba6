// WebSocket's opening handshake: keys and their answers, requests completed, switches believed and told of.
#include "source/http/websocket.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/http/hop.h"

namespace egret {
namespace {

using FieldList = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::string_view kSampleKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 1.3
constexpr std::string_view kSampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

Head Handshake(const FieldList& fields, std::string_view protocol = "") {
  Head head;
  head.method = "GET";
  head.protocol = protocol;
  for (const auto& [name, value] : fields) head.Add(name, value);
  return head;
}

Head Switch(const FieldList& fields) {
  Head head;
  head.status = 101;
  for (const auto& [name, value] : fields) head.Add(name, value);
  return head;
}

std::string Text(const Head& head) {
  std::string text = Cat(head.status, '\n');
  for (const Field& field : head.fields()) Append(text, field.name, ": ", field.value, '\n');
  return text;
}

TEST(WebSocket, AKeyIsAnsweredAsTheRfcsExampleIs) {
  EXPECT_EQ(WebSocketAccept(kSampleKey), kSampleAccept);
  EXPECT_EQ(WebSocketAccept("x3JJHMbDL1EzLkh9GBhXDw=="), "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

TEST(WebSocket, AKeyIsSixteenBytesThatNobodyKnows) {
  const std::string one = MakeWebSocketKey(), other = MakeWebSocketKey();
  EXPECT_EQ(one.size(), 24u);
  EXPECT_TRUE(one.ends_with("=="));
  EXPECT_EQ(one.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="),
            std::string::npos);
  EXPECT_NE(one, other);
}

TEST(WebSocket, AnExtendedConnectGetsAKeyOfOursWhateverItSays) {
  Head head = Handshake({{"sec-websocket-key", "mine"},
                         {"Sec-WebSocket-Key", "and mine"},
                         {"sec-websocket-accept", "x"},
                         {"sec-websocket-protocol", "chat"},
                         {"sec-websocket-version", "13"}},
                        "websocket");
  AddWebSocketOffer(head);
  const std::string key(head.Find("Sec-WebSocket-Key")->value);
  EXPECT_EQ(key.size(), 24u);
  EXPECT_EQ(Text(head), Cat("0\nsec-websocket-protocol: chat\nsec-websocket-version: 13\nUpgrade: websocket\n"
                            "Sec-WebSocket-Key: ",
                            key, '\n'));
}

TEST(WebSocket, TheKeyOfAnHttp1ClientIsItsOwn) {
  Head head = Handshake({{"Sec-WebSocket-Key", kSampleKey}});
  AddWebSocketOffer(head);
  EXPECT_EQ(Text(head), Cat("0\nSec-WebSocket-Key: ", kSampleKey, "\nUpgrade: websocket\n"));
}

TEST(WebSocket, ASwitchIsBelievedOnlyWhereAllThreeFieldsSaySo) {
  const Head asked = Handshake({{"Sec-WebSocket-Key", kSampleKey}});
  const FieldList good = {
      {"upgrade", "WebSocket"}, {"connection", "keep-alive, Upgrade"}, {"sec-websocket-accept", kSampleAccept}};
  EXPECT_TRUE(AcceptsWebSocket(asked, Switch(good)));
  for (size_t i = 0; i < good.size(); ++i) {
    FieldList bad = good;
    bad.erase(bad.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_FALSE(AcceptsWebSocket(asked, Switch(bad))) << "without " << good[i].first;
  }
  const FieldList odd = {
      {"upgrade", "h2c"},
      {"upgrade", "websocket, h2c"},
      {"upgrade", ""},
      {"connection", "keep-alive"},
      {"connection", "xupgrade"},
      {"sec-websocket-accept", ""},
      {"sec-websocket-accept", kSampleKey},
      {"sec-websocket-accept", "S3PPLMBITXAQ9KYGZZHZRBK+XOO="},  // base64 minds the case
      {"sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo"},
      {"sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, x"},
  };
  for (const auto& [name, value] : odd) {
    FieldList bad = good;
    for (auto& field : bad)
      if (field.first == name) field.second = value;
    EXPECT_FALSE(AcceptsWebSocket(asked, Switch(bad))) << name << ": " << value;
  }
  for (const std::string_view name : {"upgrade", "sec-websocket-accept"}) {
    FieldList twice = good;
    twice.emplace_back(name, name == "upgrade" ? "websocket" : kSampleAccept);
    EXPECT_FALSE(AcceptsWebSocket(asked, Switch(twice))) << name << " twice";
  }
}

TEST(WebSocket, AnAnswerToAnotherKeyIsNone) {
  Head asked = Handshake({}, "websocket");
  AddWebSocketOffer(asked);
  EXPECT_FALSE(AcceptsWebSocket(
      asked, Switch({{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", kSampleAccept}})));
  EXPECT_TRUE(AcceptsWebSocket(
      asked, Switch({{"Upgrade", "websocket"},
                     {"Connection", "Upgrade"},
                     {"Sec-WebSocket-Accept", WebSocketAccept(asked.Find("Sec-WebSocket-Key")->value)}})));
}

TEST(WebSocket, AClientIsToldInItsOwnVersion) {
  const FieldList said = {{"Sec-WebSocket-Accept", kSampleAccept}, {"Sec-WebSocket-Protocol", "chat"}};
  Head over_http1 = Switch(said);
  TellOfWebSocket(Handshake({}), over_http1);
  EXPECT_EQ(Text(over_http1),
            Cat("101\nSec-WebSocket-Accept: ", kSampleAccept, "\nSec-WebSocket-Protocol: chat\nUpgrade: websocket\n"));
  Head over_http2 = Switch(said);
  over_http2.reason = "Switching Protocols";
  TellOfWebSocket(Handshake({}, "websocket"), over_http2);
  EXPECT_EQ(Text(over_http2), "200\nSec-WebSocket-Protocol: chat\n");
  EXPECT_EQ(over_http2.reason, "");
}

TEST(WebSocket, OnlyAWholeHandshakeMayBeAnExtendedConnect) {
  const Head good = Handshake({{"Upgrade", "websocket"}, {"Sec-WebSocket-Key", kSampleKey}});
  EXPECT_TRUE(MayExtendConnect(good));
  EXPECT_EQ(WebSocketKey(good), kSampleKey);
  EXPECT_FALSE(MayExtendConnect(Handshake({{"Sec-WebSocket-Key", kSampleKey}})));
  Head post = Handshake({{"Upgrade", "websocket"}, {"Sec-WebSocket-Key", kSampleKey}});
  post.method = "POST";
  EXPECT_FALSE(MayExtendConnect(post));
  for (const std::string_view key : {"", "x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=x",
                                     "dGhlIHNhbXBsZSBub25j Q==", "dGhlIHNhbXBsZSBub25jZQ==AAAA"})
    EXPECT_FALSE(MayExtendConnect(Handshake({{"Upgrade", "websocket"}, {"Sec-WebSocket-Key", key}}))) << key;
  EXPECT_FALSE(MayExtendConnect(
      Handshake({{"Upgrade", "websocket"}, {"Sec-WebSocket-Key", kSampleKey}, {"sec-websocket-key", kSampleKey}})));
}

TEST(WebSocket, AHandshakeBecomesAnExtendedConnectAndItsSuccessASwitchThatIsBelieved) {
  Head asked = Handshake({{"Host", "a.example"},
                          {"Upgrade", "websocket"},
                          {"Sec-WebSocket-Key", kSampleKey},
                          {"Sec-WebSocket-Protocol", "chat"}});
  asked.scheme = "https";
  asked.path = "/x";
  const Head connect = MakeExtendedConnect(asked);
  EXPECT_EQ(Text(connect), "0\nHost: a.example\nSec-WebSocket-Protocol: chat\n");
  EXPECT_EQ(Cat(connect.method, ' ', connect.protocol, ' ', connect.scheme, ' ', connect.path),
            "CONNECT websocket https /x");
  Head answer;
  answer.status = 200;
  answer.Add("content-length", "0");
  answer.Add("sec-websocket-accept", "x");
  answer.Add("sec-websocket-accept", "y");
  answer.Add("sec-websocket-protocol", "chat");
  MakeSwitch(answer, WebSocketKey(asked));
  EXPECT_EQ(Text(answer), Cat("101\nsec-websocket-protocol: chat\nUpgrade: websocket\nConnection: Upgrade\n"
                              "Sec-WebSocket-Accept: ",
                              kSampleAccept, '\n'));
  EXPECT_TRUE(AcceptsWebSocket(asked, answer));
}

TEST(WebSocket, AnExtendedConnectWantsWhatItNames) {
  Head head = Handshake({{"Upgrade", "h2c"}, {"Connection", "upgrade"}}, "websocket");
  head.version = Version::kHttp2;
  EXPECT_EQ(WantedUpgrade(head), "websocket");
}

}  // namespace
}  // namespace egret
