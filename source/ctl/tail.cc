#include "source/ctl/tail.h"

#include <limits>
#include <optional>
#include <utility>

#include "source/base/strings.h"
#include "source/config/json_parser.h"
#include "source/ctl/fleet_tail.h"
#include "source/ctl/json_node.h"
#include "source/ctl/table.h"

namespace egret {
namespace {

// For a query: whatever is no letter, digit, "-", "_" or "." is escaped.
std::string Escaped(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsAsciiLetter(c) || IsAsciiDigit(c) || c == '-' || c == '_' || c == '.') {
      out += c;
    } else {
      Append(out, '%', kHex[byte >> 4], kHex[byte & 15u]);
    }
  }
  return out;
}

std::string TargetOf(const Given& given) {
  std::string target = given.Has("--log") ? "/tail" : "/decisions";
  char mark = '?';
  for (const std::string_view name : {"verdict", "identity", "host", "policy", "rule", "contains"}) {
    const std::string flag = Cat("--", name);
    if (given.Has(flag)) Append(target, std::exchange(mark, '&'), name, "=", Escaped(given.Get(flag)));
  }
  return target;
}

// One line for people: of a decision, of an exchange that ended, or of a tunnel that was opened.
std::string Shown(const Node& line) {
  const std::string event = TextOf(line, "event");
  if (event == "dropped") return Cat("(", OneLine(TextOf(line, "count")), " lines are missing)\n");
  const bool decision = event == "decision";
  const auto field = [&](std::string_view name) { return OneLine(TextOf(line, name)); };
  const std::string who = TextOf(line, "identity").empty() ? field("source") : field("identity");
  const std::string path = TextOf(line, "path");
  std::string out = Cat(field("time"), "  ", event == "open" ? event : field(decision ? "verdict" : "decision"), "  ",
                        who, "  ", field("method"), " ", field("target"), path.empty() ? "" : OneLine(path), "  ",
                        field(decision ? "stage" : "status"), "  ", field("policy"), "/", field("rule"));
  for (const std::string_view more : {decision ? "reason" : "detail", "audit"})
    if (const std::string text = TextOf(line, more); !text.empty()) Append(out, "  ", OneLine(text));
  return out + '\n';
}

int Refused(AdminCall& call, Output& output) {
  const auto why = call.Rest();
  Append(output.err, "egretctl tail: ", why ? *why : why.error().text);
  return kRefused;
}

std::optional<Problem> WrongWith(const Given& given) {
  if (!given.words().empty()) return Problem{Cat(given.words().front(), ": one word too many")};
  if (const auto lines = ParseDecimal<uint64_t>(given.Get("--lines", "1")); !lines || *lines == 0)
    return Problem{"--lines: write a number above 0"};
  const bool group = given.Has("--group");
  if (!group && (given.Has("--proxy") || given.Has("--control"))) return Problem{"which --group?"};
  if (group && given.Has("--admin"))
    return Problem{"--admin is about one proxy, --group is about those of a control plane"};
  return group ? WrongWithControls(given) : std::nullopt;
}

int TailOne(const Given& given, uint64_t left, Output& output) {
  auto call = AdminCall::Make(given.Get("--admin", kDefaultAdmin), "GET", TargetOf(given));
  if (!call) {
    Append(output.err, "egretctl tail: ", call.error().text, "\n");
    return kNotReached;
  }
  if (call->status() != 200) return Refused(*call, output);
  const bool json = given.Get("--output") == "json";
  for (; left > 0; --left) {
    const std::optional<std::string> line = call->NextLine();
    if (!line) {
      output.err += "egretctl tail: the proxy has ended\n";
      return kNotReached;
    }
    output.out += json ? *line + '\n' : ShownLogLine(*line);
    if (!output.Flush()) return kRefused;
  }
  return kDone;
}

}  // namespace

std::string ShownLogLine(const std::string& json) {
  const Tree tree = ParseJson(json, "");
  return tree.root && tree.root->map() ? Shown(*tree.root) : OneLine(json) + '\n';
}

int RunTail(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kTailFlags, arguments);
  if (!given) return Misuse("tail", given.error().text, output);
  if (const auto wrong = WrongWith(*given)) return Misuse("tail", wrong->text, output);
  const uint64_t lines = ParseDecimal<uint64_t>(given->Get("--lines")).value_or(std::numeric_limits<uint64_t>::max());
  return given->Has("--group") ? TailGroup(*given, lines, output) : TailOne(*given, lines, output);
}

}  // namespace egret
