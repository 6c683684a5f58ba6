#include "source/chain/record.h"

#include <time.h>

#include <array>
#include <string_view>

#include "source/base/json.h"

namespace egret {
namespace {

// "2026-11-24T16:21:53.099444Z". Up to the second it is the same for thousands of lines, and made once.
void AppendTime(JsonWriter& json, uint64_t unix_us) {
  constexpr std::string_view kForm = "YYYY-MM-DDTHH:MM:SS.uuuuuuZ";
  constexpr size_t kPoint = kForm.find('.');
  static thread_local std::array<char, kForm.size() + 1> text;
  static thread_local time_t made_for = -1;
  const auto seconds = static_cast<time_t>(unix_us / 1000000);
  if (seconds != made_for) {
    tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.000000Z", &utc);
    made_for = seconds;
  }
  uint64_t micros = unix_us % 1000000;
  for (size_t at = kPoint + 6; at > kPoint; --at, micros /= 10) text[at] = static_cast<char>('0' + micros % 10);
  json.Member("time", std::string_view(text.data(), kForm.size()));
}

void AppendDecision(JsonWriter& json, const DecisionRecord& decision) {
  if (decision.action.empty()) return;
  json.Member("decision", decision.action);
  json.MemberIf("policy", decision.policy);
  json.MemberIf("rule", decision.rule);
  json.MemberIf("stage", decision.stage);
  json.MemberIf("reason", decision.reason);
  json.MemberIf("audit", decision.audit);
}

void AppendTiming(JsonWriter& json, std::string_view key, int64_t ms) {
  if (ms >= 0) json.Member(key, ms);
}

std::string_view NameOf(ExchangeRecord::Kind kind) {
  switch (kind) {
    case ExchangeRecord::Kind::kRequest:
      return "request";
    case ExchangeRecord::Kind::kTunnel:
      return "tunnel";
    case ExchangeRecord::Kind::kConnection:
      return "connection";
  }
  return "";
}

void AppendTls(JsonWriter& json, const TlsFacts& tls) {
  json.Member("tls_version", tls.version);
  json.Member("tls_cipher", tls.cipher);
  json.MemberIf("tls_sni", tls.sni);
  json.MemberIf("tls_alpn", tls.alpn);
  if (tls.resumed) json.Member("tls_resumed", true);
  if (!tls.certificate) return;
  json.Member("client_subject", tls.certificate->subject);
  json.Member("client_sha256", tls.certificate->sha256);
}

void AppendHello(JsonWriter& json, const HelloFacts& hello) {
  json.MemberIf("ja3", hello.ja3);
  json.Member("ja4", hello.ja4);
  json.Member("hello_versions", hello.versions);
  json.MemberIf("hello_alpn", hello.alpn);
}

// What a line begins with: who asked for what.
void AppendAsked(JsonWriter& json, const ExchangeRecord& record, std::string_view event, uint64_t unix_us) {
  AppendTime(json, unix_us);
  json.Member("event", event);
  json.Member("kind", NameOf(record.kind));
  json.Member("request_id", record.request_id);
  json.MemberIf("parent_id", record.parent_id);
  json.Member("listener", record.listener);
  json.Member("source", record.source);
  json.MemberIf("identity", record.identity);
  json.MemberIf("method", record.method);
  json.MemberIf("target", record.target);
  json.MemberIf("original_destination", record.original_destination);
  json.MemberIf("path", record.path);
}

}  // namespace

void AppendDecisionLine(std::string& out, const ExchangeRecord& record, uint64_t unix_us) {
  JsonWriter json(out);
  json.BeginObject();
  AppendAsked(json, record, "decision", unix_us);
  json.Member("verdict", NameOf(record.decision.verdict));
  AppendDecision(json, record.decision);
  json.EndObject();
  out += '\n';
}

void AppendLogLine(std::string& out, const ExchangeRecord& record, std::string_view event, uint64_t duration_ms) {
  JsonWriter json(out);
  json.BeginObject();
  AppendAsked(json, record, event, record.started_unix_us);
  json.MemberIf("protocol", record.protocol);
  json.Member("status", record.status);
  AppendDecision(json, record.decision);
  if (record.failure) {
    json.Member("detail", TextOf(record.failure.fault).detail);
    json.Member("side", NameOf(record.failure.side));
  }
  json.MemberIf("tls_detail", record.tls_detail);
  json.MemberIf("close_reason", record.close_reason);
  json.MemberIf("carries", record.carries);
  json.MemberIf("sni", record.sni);
  if (record.ech) json.Member("ech", true);
  if (record.hello != nullptr) AppendHello(json, *record.hello);
  json.MemberIf("inspected", record.inspected);
  json.MemberIf("inside_tls_version", record.inside_tls_version);
  if (record.inside_tls_resumed) json.Member("inside_tls_resumed", true);
  json.MemberIf("next_hop", record.next_hop);
  json.MemberIf("upstream", record.upstream);
  json.MemberIf("upstream_protocol", record.upstream_protocol);
  json.MemberIf("upstream_tls_version", record.upstream_tls_version);
  json.MemberIf("upstream_key_sha256", record.upstream_key);
  if (record.upstream_tls_resumed) json.Member("upstream_tls_resumed", true);
  if (record.upstream_reused) json.Member("upstream_reused", true);
  if (!record.attempts.empty()) {
    json.Key("attempts");
    json.BeginArray();
    for (const std::string& attempt : record.attempts) json.String(attempt);
    json.EndArray();
  }
  if (record.client_tls != nullptr) AppendTls(json, *record.client_tls);
  json.Member("received_bytes", record.received_bytes);
  json.Member("sent_bytes", record.sent_bytes);
  json.Member("duration_ms", duration_ms);
  AppendTiming(json, "dns_ms", record.dns_ms);
  AppendTiming(json, "connect_ms", record.connect_ms);
  AppendTiming(json, "inspect_ms", record.inspect_ms);
  AppendTiming(json, "first_byte_ms", record.first_byte_ms);
  json.MemberIf("user_agent", record.user_agent);
  json.EndObject();
  out += '\n';
}

}  // namespace egret
