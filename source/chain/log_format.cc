#include "source/chain/log_format.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::string_view kDefaultTime = "%Y-%m-%dT%H:%M:%S.%3fZ";

bool IsPrintable(char c) { return c >= 0x20 && c < 0x7f; }

void AppendEscaped(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (IsPrintable(c)) {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15u];
    }
  }
}

// strftime's format, in UTC, with %3f and %6f for parts of a second.
void AppendTime(std::string& out, uint64_t unix_us, std::string_view format) {
  if (format.empty()) format = kDefaultTime;
  std::string whole(format);
  for (const auto& [mark, digits] : {std::pair("%3f", 3), std::pair("%6f", 6)}) {
    char part[8];
    std::snprintf(part, sizeof part, "%06u", static_cast<unsigned>(unix_us % 1000000));
    for (size_t at = whole.find(mark); at != std::string::npos; at = whole.find(mark, at))
      whole.replace(at, 3, part, static_cast<size_t>(digits));
  }
  const auto seconds = static_cast<time_t>(unix_us / 1000000);
  tm utc;
  gmtime_r(&seconds, &utc);
  char text[256];
  out.append(text, strftime(text, sizeof text, whole.c_str(), &utc));
}

// What a request's pseudo-headers and fields are in the record; the others are not kept.
constexpr std::pair<std::string_view, std::string ExchangeRecord::*> kRequestFields[] = {
    {":method", &ExchangeRecord::method},
    {":path", &ExchangeRecord::path},
    {":authority", &ExchangeRecord::target},
    {"user-agent", &ExchangeRecord::user_agent},
};

std::string ExchangeRecord::* FindRequestField(std::string_view name) {
  for (const auto& [known, member] : kRequestFields)
    if (EqualsIgnoreCase(known, name)) return member;
  return nullptr;
}

// Of the connection to the proxy; empty where it is in clear.
const TlsFacts& TlsOf(const ExchangeRecord& record) {
  static const TlsFacts none;
  return record.client_tls != nullptr ? *record.client_tls : none;
}

// Of the TLS inside a tunnel.
const HelloFacts& HelloOf(const ExchangeRecord& record) {
  static const HelloFacts none;
  return record.hello != nullptr ? *record.hello : none;
}

const CertificateFacts& ClientOf(const ExchangeRecord& record) {
  static const CertificateFacts none;
  const TlsFacts& tls = TlsOf(record);
  return tls.certificate ? *tls.certificate : none;
}

void AppendList(std::string& out, const std::vector<std::string>& items) {
  for (const std::string& item : items) Append(out, &item == &items.front() ? "" : ",", item);
}

LogFormat::Error Wrong(std::string why) { return {std::move(why), {}}; }

}  // namespace

const std::vector<LogFormat::Operator>& LogFormat::Table() {
  using Out = std::string;
  using Arg = std::string_view;
  static const std::vector<Operator> table = {
      {"START_TIME", true,
       [](Out& out, const Moment& m, Arg format) { AppendTime(out, m.record.started_unix_us, format); }},
      {"PROTOCOL", false, [](Out& out, const Moment& m, Arg) { out += m.record.protocol; }},
      {"RESPONSE_CODE", false, [](Out& out, const Moment& m, Arg) { egret::Append(out, m.record.status); }},
      {"RESPONSE_CODE_DETAILS", false,
       [](Out& out, const Moment& m, Arg) {
         out += m.record.failure            ? TextOf(m.record.failure.fault).detail
                : m.record.upstream.empty() ? ""
                                            : "via_upstream";
       }},
      {"RESPONSE_FLAGS", false, [](Out& out, const Moment& m, Arg) { out += ResponseFlagOf(m.record.failure.fault); }},
      {"BYTES_RECEIVED", false, [](Out& out, const Moment& m, Arg) { egret::Append(out, m.record.received_bytes); }},
      {"BYTES_SENT", false, [](Out& out, const Moment& m, Arg) { egret::Append(out, m.record.sent_bytes); }},
      {"DURATION", false, [](Out& out, const Moment& m, Arg) { egret::Append(out, m.duration_ms); }},
      {"UPSTREAM_HOST", false, [](Out& out, const Moment& m, Arg) { out += m.record.upstream; }},
      {"UPSTREAM_PROTOCOL", false, [](Out& out, const Moment& m, Arg) { out += m.record.upstream_protocol; }},
      {"UPSTREAM_TLS_VERSION", false, [](Out& out, const Moment& m, Arg) { out += m.record.upstream_tls_version; }},
      {"DOWNSTREAM_REMOTE_ADDRESS", false, [](Out& out, const Moment& m, Arg) { out += m.record.source; }},
      {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", false, [](Out& out, const Moment& m, Arg) { out += m.record.source; }},
      {"REQUESTED_SERVER_NAME", false, [](Out& out, const Moment& m, Arg) { out += m.record.sni; }},
      {"TLS_JA3_FINGERPRINT", false, [](Out& out, const Moment& m, Arg) { out += HelloOf(m.record).ja3; }},
      {"TLS_JA4_FINGERPRINT", false, [](Out& out, const Moment& m, Arg) { out += HelloOf(m.record).ja4; }},
      {"HELLO_VERSIONS", false, [](Out& out, const Moment& m, Arg) { out += HelloOf(m.record).versions; }},
      {"HELLO_ALPN", false, [](Out& out, const Moment& m, Arg) { out += HelloOf(m.record).alpn; }},
      {"ECH", false, [](Out& out, const Moment& m, Arg) { out += m.record.ech ? "true" : ""; }},
      {"DOWNSTREAM_TLS_VERSION", false, [](Out& out, const Moment& m, Arg) { out += TlsOf(m.record).version; }},
      {"DOWNSTREAM_TLS_CIPHER", false, [](Out& out, const Moment& m, Arg) { out += TlsOf(m.record).cipher; }},
      {"DOWNSTREAM_TLS_SNI", false, [](Out& out, const Moment& m, Arg) { out += TlsOf(m.record).sni; }},
      {"DOWNSTREAM_TLS_ALPN", false, [](Out& out, const Moment& m, Arg) { out += TlsOf(m.record).alpn; }},
      {"DOWNSTREAM_PEER_SUBJECT", false, [](Out& out, const Moment& m, Arg) { out += ClientOf(m.record).subject; }},
      {"DOWNSTREAM_PEER_FINGERPRINT_256", false,
       [](Out& out, const Moment& m, Arg) { out += ClientOf(m.record).sha256; }},
      {"DOWNSTREAM_PEER_URI_SAN", false,
       [](Out& out, const Moment& m, Arg) { AppendList(out, ClientOf(m.record).uris); }},
      {"DOWNSTREAM_PEER_DNS_SAN", false,
       [](Out& out, const Moment& m, Arg) { AppendList(out, ClientOf(m.record).dns_names); }},
      {"DOWNSTREAM_TRANSPORT_FAILURE_REASON", false,
       [](Out& out, const Moment& m, Arg) { out += m.record.tls_detail; }},
      {"REQ", true, [](Out& out, const Moment& m, Arg name) { out += m.record.*FindRequestField(name); }},
      {"UNIQUE_ID", false, [](Out& out, const Moment& m, Arg) { out += m.record.request_id; }},
      {"ROUTE_NAME", false, [](Out& out, const Moment& m, Arg) { out += m.record.decision.rule; }},
      {"CONNECTION_TERMINATION_DETAILS", false, [](Out& out, const Moment& m, Arg) { out += m.record.close_reason; }},
      {"POLICY", false, [](Out& out, const Moment& m, Arg) { out += m.record.decision.policy; }},
      {"RULE", false, [](Out& out, const Moment& m, Arg) { out += m.record.decision.rule; }},
      {"STAGE", false, [](Out& out, const Moment& m, Arg) { out += m.record.decision.stage; }},
      {"DECISION", false, [](Out& out, const Moment& m, Arg) { out += m.record.decision.action; }},
      {"REASON", false, [](Out& out, const Moment& m, Arg) { out += m.record.decision.reason; }},
  };
  return table;
}

std::vector<std::string> LogFormat::Operators() {
  std::vector<std::string> names;
  for (const Operator& known : Table()) names.emplace_back(known.name);
  return names;
}

// What stands between two percent signs: NAME, NAME(argument), either with :LENGTH.
Result<LogFormat::Piece, LogFormat::Error> LogFormat::CompileOperator(std::string_view inside) {
  Piece piece;
  std::string_view rest = inside;
  const std::string_view name = rest.substr(0, rest.find_first_of("(:"));
  rest.remove_prefix(name.size());
  for (const Operator& known : Table())
    if (known.name == name) piece.of = &known;
  if (piece.of == nullptr) return Error{Cat('%', name, "% is no operator"), std::string(name)};
  if (rest.starts_with('(')) {
    const size_t end = rest.rfind(')');
    if (end == std::string_view::npos) return Wrong(Cat('%', inside, "%: the parenthesis is not closed"));
    piece.text = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!piece.of->takes_argument) return Wrong(Cat('%', name, "% takes no argument"));
  }
  if (name == "REQ" && FindRequestField(piece.text) == nullptr)
    return Wrong(Cat("REQ(", piece.text, ") is not kept; there are :METHOD, :PATH, :AUTHORITY and USER-AGENT"));
  if (rest.empty()) return piece;
  const auto most = rest.starts_with(':') ? ParseDecimal<size_t>(rest.substr(1)) : std::nullopt;
  if (!most || *most == 0) return Wrong(Cat('%', inside, "%: after the operator comes nothing, or : and a length"));
  piece.most_bytes = *most;
  return piece;
}

Result<LogFormat, LogFormat::Error> LogFormat::Compile(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  LogFormat format;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) format.pieces_.push_back({std::exchange(literal, {})});
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7f)
      return Wrong("a control character: it is one line");
    if (text[i] != '%') {
      literal += text[i];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '%') {
      literal += '%';
      ++i;
      continue;
    }
    // A time's format has percent signs of its own: what is in parentheses belongs to the operator.
    const size_t open = text.find_first_of("(%", i + 1);
    size_t end = open;
    if (open != std::string_view::npos && text[open] == '(') {
      const size_t close = text.find(')', open);
      end = close == std::string_view::npos ? close : text.find('%', close);
    }
    if (end == std::string_view::npos) return Wrong("a % without its second one; write %% for a percent sign");
    Result<Piece, Error> piece = CompileOperator(text.substr(i + 1, end - i - 1));
    if (!piece) return piece.error();
    flush();
    format.pieces_.push_back(std::move(*piece));
    i = end;
  }
  flush();
  return format;
}

bool LogFormat::TellsOfHello() const {
  return std::any_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) {
    return piece.of != nullptr && (piece.of->name.starts_with("HELLO_") || piece.of->name.ends_with("_FINGERPRINT"));
  });
}

void LogFormat::Append(std::string& out, const ExchangeRecord& record, uint64_t duration_ms) const {
  const Moment moment{record, duration_ms};
  std::string value;
  for (const Piece& piece : pieces_) {
    if (piece.of == nullptr) {
      out += piece.text;
      continue;
    }
    value.clear();
    piece.of->append(value, moment, piece.text);
    if (value.empty()) {
      out += '-';
    } else {
      AppendEscaped(out, std::string_view(value).substr(0, piece.most_bytes));
    }
  }
  out += '\n';
}

}  // namespace egret
