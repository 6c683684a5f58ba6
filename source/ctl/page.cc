#include "source/ctl/page.h"

#include <algorithm>
#include <optional>

#include "source/base/strings.h"

namespace egret {
namespace {

// It becomes part of a request line as it is.
bool IsPath(std::string_view text) {
  return text.starts_with('/') && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// A page that goes on is printed as it comes.
int Follow(AdminCall& call, Output& output) {
  while (const std::optional<std::string> line = call.NextLine()) {
    Append(output.out, *line, "\n");
    if (!output.Flush()) return kRefused;
  }
  return kDone;
}

int NotReached(const std::string& why, Output& output) {
  Append(output.err, "egretctl page: ", why, "\n");
  return kNotReached;
}

}  // namespace

int RunPage(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kPageFlags, arguments);
  if (!given) return Misuse("page", given.error().text, output);
  const std::string path = given->words().empty() ? "/" : given->words().front();
  if (given->words().size() > 1 || !IsPath(path)) return Misuse("page", "one path, such as /connections", output);
  auto call = AdminCall::Make(given->Get("--admin", kDefaultAdmin), given->Has("--post") ? "POST" : "GET", path);
  if (!call) return NotReached(call.error().text, output);
  if (call->status() == 200 && call->goes_on()) return Follow(*call, output);
  auto text = call->Rest();
  if (!text) return NotReached(text.error().text, output);
  if (call->status() == 200) {
    output.out += *text;
    return kDone;
  }
  Append(output.err, "egretctl page: ", call->status(), ": ", *text);
  return kRefused;
}

}  // namespace egret
