#include "source/http/http1_head.h"

#include <llhttp.h>

#include <algorithm>
#include <array>

#include "source/base/strings.h"
#include "source/http/target.h"

namespace egret {
namespace {

static_assert(LLHTTP_VERSION_MAJOR == 8, "what llhttp accepts was measured with this version");
static_assert(LLHTTP_STRICT_MODE == 1);

constexpr size_t kRoomForMore = 256;  // Via, Host, Date: what a forwarder adds

constexpr auto kMethods = std::to_array<std::string_view>({
#define EGRET_METHOD(number, name, text) #text,
    HTTP_METHOD_MAP(EGRET_METHOD)
#undef EGRET_METHOD
});

// Whether llhttp, too, takes the block for exactly one complete head. It never sees the content.
bool SecondOpinion(llhttp_type_t type, std::string_view block) {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_headers_complete = [](llhttp_t*) { return static_cast<int>(HPE_PAUSED); };
    return made;
  }();
  llhttp_t parser;
  llhttp_init(&parser, type, &settings);
  return llhttp_execute(&parser, block.data(), block.size()) == HPE_PAUSED &&
         llhttp_get_error_pos(&parser) >= block.data() + block.size() - 1;
}

// A line of a scanned block: CR stands only before LF.
std::string_view NextLine(std::string_view& block) {
  const std::string_view line = SplitFirst(block, '\r');
  block.remove_prefix(1);
  return line;
}

void SplitFields(std::string_view lines, Head& head) {
  for (std::string_view line = NextLine(lines); !line.empty(); line = NextLine(lines)) {
    const std::string_view name = SplitFirst(line, ':');
    head.AddKept(name, TrimOws(line));
  }
}

Version VersionOf(std::string_view text) { return text == "HTTP/1.0" ? Version::kHttp10 : Version::kHttp11; }

// RFC 9112 3.2: a proxy ignores what Host says where the target has an authority, but not that it is missing, repeated
// or no host.
Fault CheckHost(const Head& head) {
  switch (head.Count(FieldName::kHost)) {
    case 0:
      return head.version == Version::kHttp10 ? Fault::kNone : Fault::kHttpHost;
    case 1:
      return IsPlainAuthority(head.Find(FieldName::kHost)->value) ? Fault::kNone : Fault::kHttpHost;
    default:
      return Fault::kHttpHost;
  }
}

Fault SplitTarget(Head& head) {
  const Result<RequestTarget, Fault> target = ParseTarget(head.method, head.path);
  if (!target) return target.error();
  head.form = target->form;
  head.scheme = target->scheme;
  head.authority = target->authority;
  head.path = target->path;
  if (head.form != TargetForm::kAbsolute) return Fault::kNone;
  if (head.path.empty()) head.path = head.method == "OPTIONS" ? "*" : "/";
  if (head.path.front() == '?') head.path = head.Keep(Cat("/", head.path));
  return Fault::kNone;
}

}  // namespace

std::string_view KnownMethod(std::string_view method) {
  const auto* const known = std::find(kMethods.begin(), kMethods.end(), method);
  return known == kMethods.end() ? std::string_view() : *known;
}

Fault ParseRequestHead(std::string_view block, Head& head, Framing& framing) {
  head = Head(block.size() + kRoomForMore);
  std::string_view rest = head.Keep(block);
  std::string_view line = NextLine(rest);
  head.method = SplitFirst(line, ' ');
  head.path = SplitFirst(line, ' ');
  head.version = VersionOf(line);
  SplitFields(rest, head);
  if (KnownMethod(head.method).empty()) return Fault::kHttpMethod;
  Fault fault = SplitTarget(head);
  if (fault == Fault::kNone) fault = CheckHost(head);
  if (fault == Fault::kNone) fault = RequestFraming(head, framing);
  if (fault == Fault::kNone && !SecondOpinion(HTTP_REQUEST, block)) fault = Fault::kHttpSyntax;
  return fault;
}

Fault ParseResponseHead(std::string_view block, AnswerTo request, Head& head, Framing& framing) {
  head = Head(block.size() + kRoomForMore);
  std::string_view rest = head.Keep(block);
  std::string_view line = NextLine(rest);
  head.version = VersionOf(SplitFirst(line, ' '));
  head.status = ParseDecimal<uint16_t>(SplitFirst(line, ' ')).value_or(0);
  head.reason = TrimOws(line);
  SplitFields(rest, head);
  const Fault fault = ResponseFraming(head, request, framing);
  if (fault != Fault::kNone) return fault;
  return SecondOpinion(HTTP_RESPONSE, block) ? Fault::kNone : Fault::kUpstreamMalformed;
}

}  // namespace egret
