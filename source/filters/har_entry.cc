#include "source/filters/har_entry.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "source/base/base64.h"
#include "source/base/json.h"
#include "source/base/strings.h"
#include "source/http/content_coding.h"

namespace egret {
namespace {

constexpr std::string_view kRedacted = "redacted";

std::string Iso8601(uint64_t unix_us) {
  const auto seconds = static_cast<time_t>(unix_us / 1'000'000);
  tm utc;
  gmtime_r(&seconds, &utc);
  std::array<char, 40> text;
  const size_t length = strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data() + length, text.size() - length, ".%03uZ", static_cast<unsigned>(unix_us / 1000 % 1000));
  return text.data();
}

// "?a=1&b" and what is before; a fragment counts as part of the last value.
template <class Visit>
void ForEachParameter(std::string_view url, Visit visit) {
  const size_t at = url.find('?');
  if (at == url.npos) return;
  for (std::string_view rest = url.substr(at + 1); !rest.empty();) {
    std::string_view value = SplitFirst(rest, '&');
    const bool has_value = value.find('=') != value.npos;
    const std::string_view name = SplitFirst(value, '=');
    visit(name, value, has_value);
  }
}

std::string_view ValueOf(const HarMessage& message, std::string_view name) {
  for (const auto& [own, value] : message.fields)
    if (EqualsIgnoreCase(own, name)) return value;
  return {};
}

// Fields whose value is, or holds, a URL of which the query may tell what the request's must not.
bool HoldsUrl(std::string_view name) {
  return EqualsIgnoreCase(name, "Location") || EqualsIgnoreCase(name, "Referer") ||
         EqualsIgnoreCase(name, "Content-Location");
}

std::string Shown(std::string_view name, std::string_view value, const HarRules& rules) {
  if (IsSecretField(name, rules)) return std::string(kRedacted);
  return HoldsUrl(name) && !rules.query_values ? WithoutQueryValues(value) : std::string(value);
}

void WriteFields(const HarMessage& message, const HarRules& rules, JsonWriter& out) {
  out.Member("httpVersion", message.version);
  out.Key("cookies");
  out.BeginArray();
  out.EndArray();
  out.Key("headers");
  out.BeginArray();
  for (const auto& [name, value] : message.fields) {
    out.BeginObject();
    out.Member("name", name);
    out.Member("value", Shown(name, value, rules));
    out.EndObject();
  }
  out.EndArray();
}

// UTF-8 without control characters but those of text: what an entry may hold as it is.
bool IsText(std::string_view bytes) {
  std::string json;
  AppendJsonString(json, bytes);
  return json.find("\\ufffd") == json.npos && json.find("\\u0000") == json.npos;
}

// Takes off the beginning of a character of UTF-8 at the end, where it was cut.
void DropCutCharacter(std::string& text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<uint8_t>(text[text.size() - back]);
    if ((byte & 0xc0u) == 0x80u) continue;
    const size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (length > back) text.resize(text.size() - back);
    return;
  }
}

// What was captured of the content as somebody would read it: decoded as far as it goes.
std::string Readable(const HarMessage& message, size_t most) {
  const std::unique_ptr<ContentEdit> decoder = MakeDecoder(ValueOf(message, "Content-Encoding"));
  if (decoder == nullptr) return message.content;
  std::string out;
  std::string_view in = message.content;
  for (std::string piece = "-"; !piece.empty() && out.size() < most; out += piece) {
    piece.clear();
    if (!decoder->Take(in, piece)) break;
  }
  if (out.size() > most) out.resize(most);
  return out;
}

void WriteContent(const HarMessage& message, const HarRules& rules, std::string_view encoding, JsonWriter& out) {
  out.Member("mimeType", ValueOf(message, "Content-Type"));
  if (!message.content.empty()) {
    std::string content = Readable(message, rules.content_bytes);
    const bool cut = message.content.size() < message.content_bytes || content.size() == rules.content_bytes;
    if (cut) DropCutCharacter(content);
    const bool text = IsText(content);
    out.Member("text", text ? content : Base64(content));
    if (!text) out.Member(encoding, "base64");
    if (cut) out.Member("comment", "the beginning");
  }
}

void WriteRequest(const HarExchange& exchange, const HarRules& rules, JsonWriter& out) {
  out.BeginObject();
  out.Member("method", exchange.method);
  out.Member("url", rules.query_values ? exchange.url : WithoutQueryValues(exchange.url));
  WriteFields(exchange.request, rules, out);
  out.Key("queryString");
  out.BeginArray();
  ForEachParameter(exchange.url, [&](std::string_view name, std::string_view value, bool has_value) {
    out.BeginObject();
    out.Member("name", has_value || rules.query_values ? name : kRedacted);
    out.Member("value", rules.query_values ? value : kRedacted);
    out.EndObject();
  });
  out.EndArray();
  if (exchange.request.content_bytes > 0) {
    out.Key("postData");
    out.BeginObject();
    WriteContent(exchange.request, rules, "_encoding", out);
    if (exchange.request.content.empty()) out.Member("text", "");
    out.EndObject();
  }
  out.Member("headersSize", -1);
  out.Member("bodySize", exchange.request.content_bytes);
  out.EndObject();
}

void WriteResponse(const HarExchange& exchange, const HarRules& rules, JsonWriter& out) {
  out.BeginObject();
  out.Member("status", exchange.status);
  out.Member("statusText", exchange.reason);
  WriteFields(exchange.response, rules, out);
  out.Key("content");
  out.BeginObject();
  out.Member("size", exchange.response.content_bytes);
  WriteContent(exchange.response, rules, "encoding", out);
  out.EndObject();
  out.Member("redirectURL", Shown("Location", ValueOf(exchange.response, "Location"), rules));
  out.Member("headersSize", -1);
  out.Member("bodySize", exchange.response.content_bytes);
  out.EndObject();
}

void WriteTimings(const HarExchange& exchange, JsonWriter& out) {
  const uint64_t wait_ms = exchange.wait_ms >= 0 ? static_cast<uint64_t>(exchange.wait_ms) : exchange.total_ms;
  out.Key("timings");
  out.BeginObject();
  out.Member("send", 0);
  out.Member("wait", wait_ms);
  out.Member("receive", exchange.total_ms - std::min(wait_ms, exchange.total_ms));
  out.EndObject();
}

}  // namespace

size_t HarExchange::bytes() const {
  size_t bytes = sizeof *this + method.size() + url.size() + reason.size();
  for (const HarMessage* message : {&request, &response}) {
    bytes += message->content.size();
    for (const auto& field : message->fields) bytes += sizeof field + field.first.size() + field.second.size();
  }
  return bytes;
}

void AppendHarEntry(std::string& out, const HarExchange& exchange, const HarRules& rules) {
  JsonWriter json(out);
  json.BeginObject();
  json.Member("startedDateTime", Iso8601(exchange.started_unix_us));
  json.Member("time", exchange.total_ms);
  json.Key("request");
  WriteRequest(exchange, rules, json);
  json.Key("response");
  WriteResponse(exchange, rules, json);
  json.Key("cache");
  json.BeginObject();
  json.EndObject();
  WriteTimings(exchange, json);
  json.MemberIf("serverIPAddress", exchange.server);
  json.Member("_request_id", exchange.request_id);
  if (!exchange.request.whole || !exchange.response.whole || exchange.status == 0)
    json.Member("comment", exchange.status == 0 ? "no response" : "it did not come to its end");
  json.EndObject();
}

bool IsSecretField(std::string_view name, const HarRules& rules) {
  static constexpr auto kAlways = std::to_array<std::string_view>(
      {"authentication-info", "authorization", "cookie", "proxy-authorization", "set-cookie", "set-cookie2",
       "x-amz-security-token", "x-api-key", "x-auth-token", "x-csrf-token", "x-goog-api-key", "x-vault-token"});
  const std::string lower = ToLower(name);
  const auto is = [&](std::string_view own) { return own == lower; };
  return std::any_of(kAlways.begin(), kAlways.end(), is) ||
         std::any_of(rules.secret_fields.begin(), rules.secret_fields.end(), is);
}

std::string WithoutQueryValues(std::string_view url) {
  std::string out(url.substr(0, std::min(url.find('#'), url.find('?'))));
  char before = '?';
  ForEachParameter(url, [&](std::string_view name, std::string_view /*value*/, bool has_value) {
    Append(out, before, has_value ? Cat(name, '=') : std::string(), kRedacted);
    before = '&';
  });
  return out;
}

}  // namespace egret
