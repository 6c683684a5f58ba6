#include "source/ctl/logging.h"

#include <vector>

#include "source/base/json.h"
#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/ctl/table.h"

namespace egret {
namespace {

// "level=debug" or "dns=debug&http=off"; the error names the word that is neither.
Result<std::string, Problem> QueryOf(const std::vector<std::string>& words) {
  std::string query;
  for (const std::string& word : words) {
    std::string_view level = word;
    const std::string_view component = word.find('=') == std::string::npos ? "level" : SplitFirst(level, '=');
    if (component != "level" && !ParseLogComponent(component)) return Problem{Cat(word, ": no such component")};
    if (!ParseLogLevel(level)) return Problem{Cat(word, ": no such level; write debug, info, warning, error or off")};
    Append(query, query.empty() ? "?" : "&", component, "=", level);
  }
  return query;
}

// Of lines "component: level".
std::string Shown(std::string_view lines, bool json) {
  std::string out;
  JsonWriter writer(out);
  std::vector<std::vector<std::string>> rows = {{"COMPONENT", "LEVEL"}};
  if (json) writer.BeginObject();
  while (!lines.empty()) {
    std::string_view level = SplitFirst(lines, '\n');
    const std::string_view component = SplitFirst(level, ':');
    if (json) {
      writer.Member(component, TrimOws(level));
    } else {
      rows.push_back({OneLine(component), OneLine(TrimOws(level))});
    }
  }
  if (!json) return Table(rows);
  writer.EndObject();
  return out + '\n';
}

}  // namespace

int RunLogging(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kLoggingFlags, arguments);
  if (!given) return Misuse("logging", given.error().text, output);
  const auto query = QueryOf(given->words());
  if (!query) {
    Append(output.err, "egretctl logging: ", query.error().text, "\n");
    return kRefused;
  }
  const auto answer =
      AskAdmin(given->Get("--admin", kDefaultAdmin), query->empty() ? "GET" : "POST", Cat("/logging", *query));
  if (!answer) {
    Append(output.err, "egretctl logging: ", answer.error().text, "\n");
    return kNotReached;
  }
  output.out += Shown(*answer, given->Get("--output") == "json");
  return kDone;
}

}  // namespace egret
