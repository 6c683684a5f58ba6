#include "source/learn/egress_record.h"

#include <utility>

#include "source/base/json.h"
#include "source/base/json_value.h"
#include "source/base/strings.h"
#include "source/learn/path_prefixes.h"

namespace egret {
namespace {

std::string TextOf(const JsonValue& object, std::string_view member) {
  return std::string(object.TextOf(member).value_or(std::string_view()));
}

uint64_t NumberOf(const JsonValue& object, std::string_view member) {
  const JsonValue* const number = object.Find(member);
  return number == nullptr ? 0 : ParseDecimal<uint64_t>(number->text).value_or(0);
}

// A request inside a tunnel is of what the tunnel carries, which its own line does not say: TLS to the origin does.
std::string ProtocolOf(const AccessLine& line) {
  if (!line.request()) return line.Text("carries");
  return line.Has("upstream_tls_version") ? "tls" : "http";
}

void WriteList(JsonWriter& out, std::string_view name, const std::set<std::string>& list) {
  out.Key(name);
  out.BeginArray();
  for (const std::string& one : list) out.String(one);
  out.EndArray();
}

void Write(JsonWriter& out, const EgressRecord::Key& key, const EgressRecord::Row& row) {
  out.BeginObject();
  out.Member("bytes_in", row.bytes_in);
  out.Member("bytes_out", row.bytes_out);
  WriteList(out, "certificate_keys", row.keys);
  out.Member("host", key.host);
  out.Member("outcome", NameOf(key.outcome));
  out.Member("port", key.port);
  out.Member("protocol", key.protocol);
  WriteList(out, "requests", row.requests);
  WriteList(out, "rules", row.rules);
  out.EndObject();
}

std::set<std::string> ListOf(const JsonValue& object, std::string_view member) {
  std::set<std::string> list;
  if (const JsonValue* const array = object.Find(member))
    for (const JsonValue& one : array->items) list.insert(one.text);
  return list;
}

std::optional<Outcome> OutcomeNamed(std::string_view name) {
  for (const Outcome outcome : {Outcome::kRefused, Outcome::kFailed, Outcome::kReached})
    if (NameOf(outcome) == name) return outcome;
  return std::nullopt;
}

}  // namespace

void EgressRecord::Add(std::string_view lines) {
  ForEachAccessLine(lines, [this](const AccessLine& line) { Add(line); });
}

void EgressRecord::Add(const AccessLine& line) {
  const std::string target = line.Text("target");
  const size_t colon = target.rfind(':');
  if (colon == std::string::npos) return;
  Key key{.host = target.substr(0, colon),
          .port = ParseDecimal<uint16_t>(std::string_view(target).substr(colon + 1)).value_or(0),
          .protocol = ProtocolOf(line),
          .outcome = line.outcome()};
  const bool reached = key.outcome == Outcome::kReached;
  if (!rows_.contains(key)) {
    if (rows_.size() >= kMostRows || (!reached && unreached_ >= kMostUnreached)) {
      ++left_out_;
      return;
    }
    unreached_ += reached ? 0 : 1;
  }
  Row& row = rows_[std::move(key)];
  if (line.request()) Add(row.requests, Cat(line.Text("method"), ' ', PathTemplateOf(line.Text("path"))));
  if (const std::string rule = line.Text("rule"); !rule.empty()) Add(row.rules, Cat(line.Text("policy"), '/', rule));
  Add(row.keys, line.Text("upstream_key_sha256"));
  if (line.inside()) return;  // its bytes are the tunnel's
  row.bytes_out += line.Number("received_bytes");
  row.bytes_in += line.Number("sent_bytes");
}

void EgressRecord::Add(std::set<std::string>& list, std::string text) {
  if (text.empty() || list.contains(text)) return;
  if (list.size() < kMostInRow)
    list.insert(std::move(text));
  else
    ++left_out_;
}

std::string EgressRecord::Statement(std::string_view command, const std::vector<Subject>& subjects) const {
  std::string text;
  JsonWriter out(text);
  out.BeginObject();
  out.Member("_type", "https://in-toto.io/Statement/v1");
  out.Key("predicate");
  out.BeginObject();
  out.Member("command", command);
  out.Key("egress");
  out.BeginArray();
  for (const auto& [key, row] : rows_) Write(out, key, row);
  out.EndArray();
  out.Member("left_out", left_out_);
  out.EndObject();
  out.Member("predicateType", kEgressRecordType);
  out.Key("subject");
  out.BeginArray();
  for (const Subject& subject : subjects) {
    out.BeginObject();
    out.Key("digest");
    out.BeginObject();
    out.Member("sha256", subject.sha256);
    out.EndObject();
    out.Member("name", subject.name);
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return text + '\n';
}

Result<EgressRecord, Problem> EgressRecord::Parse(std::string_view statement) {
  while (statement.ends_with('\n')) statement.remove_suffix(1);
  const std::optional<JsonValue> json = JsonValue::Parse(statement);
  if (!json) return Problem{"not one JSON value"};
  if (json->TextOf("predicateType") != kEgressRecordType) return Problem{"no egress record by its predicateType"};
  const JsonValue* const predicate = json->Find("predicate");
  const JsonValue* const egress = predicate == nullptr ? nullptr : predicate->Find("egress");
  if (egress == nullptr || !egress->is(JsonValue::Kind::kArray)) return Problem{"has no predicate.egress"};
  EgressRecord record;
  record.left_out_ = NumberOf(*predicate, "left_out");
  for (const JsonValue& one : egress->items) {
    const auto outcome = OutcomeNamed(TextOf(one, "outcome"));
    if (!outcome) return Problem{"an entry of predicate.egress has no outcome"};
    Row& row = record.rows_[{.host = TextOf(one, "host"),
                             .port = static_cast<uint16_t>(NumberOf(one, "port")),
                             .protocol = TextOf(one, "protocol"),
                             .outcome = *outcome}];
    row = {.requests = ListOf(one, "requests"),
           .rules = ListOf(one, "rules"),
           .keys = ListOf(one, "certificate_keys"),
           .bytes_out = NumberOf(one, "bytes_out"),
           .bytes_in = NumberOf(one, "bytes_in")};
  }
  return record;
}

}  // namespace egret
