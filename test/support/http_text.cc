#include "test/support/http_text.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "source/base/strings.h"

namespace egret {
namespace {

// Splits off a line without its end; nothing where none is whole.
std::optional<std::string_view> TakeLine(std::string_view& bytes) {
  const size_t end = bytes.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = bytes.substr(0, end);
  bytes.remove_prefix(end + 2);
  return line;
}

// True once the empty line was met.
bool TakeFields(std::string_view& bytes, std::vector<std::string>& fields) {
  while (const auto line = TakeLine(bytes)) {
    if (line->empty()) return true;
    fields.emplace_back(*line);
  }
  return false;
}

bool TakeChunks(std::string_view& bytes, HttpText& out) {
  while (const auto line = TakeLine(bytes)) {
    size_t size = 0;
    const auto [end, error] = std::from_chars(line->data(), line->data() + line->size(), size, 16);
    if (error != std::errc() || end != line->data() + line->size()) return false;
    if (size == 0) return TakeFields(bytes, out.trailers);
    out.body.append(bytes.substr(0, size));
    if (bytes.size() < size + 2) {
      bytes = {};
      return false;
    }
    bytes.remove_prefix(size + 2);
  }
  return false;
}

bool TakeContent(std::string_view& bytes, HttpKind kind, HttpText& out) {
  const int status = out.status();
  if (kind == HttpKind::kHeadResponse || status / 100 == 1 || status == 204 || status == 304) return true;
  if (kind == HttpKind::kConnectResponse && status / 100 == 2) return true;
  if (EqualsIgnoreCase(out.Field("Transfer-Encoding"), "chunked")) return TakeChunks(bytes, out);
  const std::string_view said = out.Field("Content-Length");
  if (said.empty() && kind != HttpKind::kRequest) {
    out.until_end = true;
    out.body = bytes;
    bytes = {};
    return false;
  }
  const size_t length = ParseDecimal<size_t>(said).value_or(0);
  out.body = bytes.substr(0, length);
  bytes.remove_prefix(out.body.size());
  return out.body.size() == length;
}

}  // namespace

int HttpText::status() const {
  if (!start.starts_with("HTTP/1.") || start.size() < 12) return 0;
  return static_cast<int>(ParseDecimal<unsigned>(std::string_view(start).substr(9, 3)).value_or(0));
}

std::string_view HttpText::Field(std::string_view name) const {
  for (const std::string& field : fields) {
    std::string_view value = field;
    if (EqualsIgnoreCase(SplitFirst(value, ':'), name)) return TrimOws(value);
  }
  return {};
}

HttpText ReadHttp(std::string_view bytes, HttpKind kind) {
  HttpText out;
  const size_t before = bytes.size();
  if (const auto line = TakeLine(bytes)) {
    out.start = *line;
    out.has_head = TakeFields(bytes, out.fields);
  } else {
    out.start = bytes;
    bytes = {};
  }
  if (out.has_head) out.complete = TakeContent(bytes, kind, out);
  out.size = out.complete ? before - bytes.size() : before;
  return out;
}

}  // namespace egret
