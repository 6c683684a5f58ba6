// What is written of a captured exchange, and what is not.
#include "source/filters/har_entry.h"

#include <gtest/gtest.h>

#include <string>

#include "source/base/base64.h"
#include "test/support/gzip.h"

namespace egret {
namespace {

HarExchange Example() {
  HarExchange exchange;
  exchange.started_unix_us = 1'764'000'000'123'456;
  exchange.total_ms = 30;
  exchange.wait_ms = 20;
  exchange.request_id = "id1";
  exchange.method = "GET";
  exchange.url = "http://origin.test/path?key=canary1&canary2&empty=";
  exchange.server = "127.0.0.1";
  exchange.status = 200;
  exchange.reason = "OK";
  exchange.request.version = "HTTP/1.1";
  exchange.response.version = "HTTP/2";
  return exchange;
}

std::string Entry(const HarExchange& exchange, const HarRules& rules = {}) {
  std::string out;
  AppendHarEntry(out, exchange, rules);
  return out;
}

void ExpectHas(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), text.npos) << part << "\nin " << text;
}

TEST(HarEntry, AnEntryHasWhatHar12Asks) {
  HarExchange exchange = Example();
  exchange.url = "http://origin.test/";
  exchange.request.fields = {{"Accept", "*/*"}};
  exchange.response.fields = {{"Content-Type", "text/plain"}};
  exchange.response.content_bytes = 5;
  EXPECT_EQ(Entry(exchange),
            R"({"startedDateTime":"2025-11-24T16:00:00.123Z","time":30,"request":{"method":"GET",)"
            R"("url":"http://origin.test/","httpVersion":"HTTP/1.1","cookies":[],)"
            R"("headers":[{"name":"Accept","value":"*/*"}],"queryString":[],"headersSize":-1,"bodySize":0},)"
            R"("response":{"status":200,"statusText":"OK","httpVersion":"HTTP/2","cookies":[],)"
            R"("headers":[{"name":"Content-Type","value":"text/plain"}],"content":{"size":5,"mimeType":"text/plain"},)"
            R"("redirectURL":"","headersSize":-1,"bodySize":5},"cache":{},"timings":{"send":0,"wait":20,"receive":10},)"
            R"("serverIPAddress":"127.0.0.1","_request_id":"id1"})");
}

TEST(HarEntry, S01_WhatMayBeASecretIsNotWritten) {
  HarExchange exchange = Example();
  exchange.request.fields = {{"authorization", "canary3"},
                             {"Cookie", "canary4"},
                             {"X-API-Key", "canary5"},
                             {"X-Own", "canary6"},
                             {"Referer", "http://a.test/?canary7"}};
  exchange.response.fields = {{"Set-Cookie", "canary8"}, {"Location", "/next?code=canary9#canary10"}};
  HarRules rules;
  rules.secret_fields = {"x-own"};
  const std::string entry = Entry(exchange, rules);
  EXPECT_EQ(entry.find("canary"), entry.npos) << entry;
  ExpectHas(entry, R"("url":"http://origin.test/path?key=redacted&redacted&empty=redacted")");
  ExpectHas(entry, R"({"name":"key","value":"redacted"},{"name":"redacted","value":"redacted"})");
  ExpectHas(entry, R"("redirectURL":"/next?code=redacted")");
  ExpectHas(entry, R"({"name":"X-API-Key","value":"redacted"})");
}

TEST(HarEntry, ValuesInQueriesAreShownWhereThatIsAskedFor) {
  HarRules rules;
  rules.query_values = true;
  const std::string entry = Entry(Example(), rules);
  ExpectHas(entry, R"("url":"http://origin.test/path?key=canary1&canary2&empty=")");
  ExpectHas(entry, R"({"name":"canary2","value":""},{"name":"empty","value":""})");
}

TEST(HarEntry, UrlsWithoutAQueryStayAsTheyAre) {
  EXPECT_EQ(WithoutQueryValues("http://a.test/b"), "http://a.test/b");
  EXPECT_EQ(WithoutQueryValues("/b?"), "/b");
  EXPECT_EQ(WithoutQueryValues("/b#part"), "/b");
  EXPECT_EQ(WithoutQueryValues("?a=b=c&&d"), "?a=redacted&redacted&redacted");
}

// The part of an entry that tells the response's content.
std::string Content(HarMessage message, size_t most) {
  HarExchange exchange = Example();
  exchange.response = std::move(message);
  HarRules rules;
  rules.content_bytes = most;
  const std::string entry = Entry(exchange, rules);
  const size_t at = entry.find("\"content\":");
  return entry.substr(at, entry.find('}', at) + 1 - at);
}

HarMessage With(std::string content, uint64_t bytes) {
  HarMessage message;
  message.content = std::move(content);
  message.content_bytes = bytes;
  return message;
}

TEST(HarEntry, ContentIsTextOrBase64) {
  EXPECT_EQ(Content(With("text \xc3\xa9", 7), 10),
            "\"content\":{\"size\":7,\"mimeType\":\"\",\"text\":\"text \xc3\xa9\"}");
  EXPECT_EQ(Content(With("\xff\xfe", 2), 10),
            R"("content":{"size":2,"mimeType":"","text":"//4=","encoding":"base64"})");
}

TEST(HarEntry, ContentThatWasCutEndsWithACharacter) {
  EXPECT_EQ(Content(With("ab\xe2\x82", 9), 4),
            R"("content":{"size":9,"mimeType":"","text":"ab","comment":"the beginning"})");
}

TEST(HarEntry, CompressedContentIsReadWithinTheBound) {
  const std::string packed = Compress(std::string(100'000, 'x'));
  HarMessage message = With(packed, packed.size());
  message.fields = {{"Content-Encoding", "gzip"}};
  const std::string told = Content(message, 300);
  ExpectHas(told, "\"text\":\"" + std::string(300, 'x') + "\",\"comment\":\"the beginning\"");
  message.content = "not gzip";
  ExpectHas(Content(message, 300), R"("text":"")");
}

TEST(HarEntry, WhatDidNotComeToItsEndSaysSo) {
  HarExchange exchange = Example();
  exchange.response.whole = false;
  ExpectHas(Entry(exchange), R"("comment":"it did not come to its end")");
  exchange.status = 0;
  ExpectHas(Entry(exchange), R"("comment":"no response")");
}

TEST(Base64, AsInRfc4648) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
  EXPECT_EQ(Base64("foob"), "Zm9vYg==");
  EXPECT_EQ(Base64("\xff\xff\xff"), "////");
}

}  // namespace
}  // namespace egret
