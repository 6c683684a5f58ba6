#include "source/ctl/flags.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "source/base/strings.h"
#include "source/config/nearest.h"

namespace egret {
namespace {

Problem Unknown(std::string_view name, std::span<const Flag> flags) {
  std::vector<std::string> names;
  for (const Flag& flag : flags) names.emplace_back(flag.name);
  const std::string nearest = NearestWord(name, names);
  return {Cat("no option ", name, nearest.empty() ? "" : Cat("; did you mean ", nearest, "?"))};
}

std::optional<Problem> Judge(const Flag& flag, const std::string& value) {
  const std::vector<std::string> choices = ChoicesOf(flag.choices);
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) return std::nullopt;
  std::string listed;
  for (const std::string& choice : choices) Append(listed, listed.empty() ? "" : " or ", choice);
  return Problem{Cat("no ", flag.name.substr(2), " ", value, "; write ", listed)};
}

}  // namespace

std::vector<std::string> ChoicesOf(std::string_view choices) {
  std::vector<std::string> out;
  while (!choices.empty()) out.emplace_back(SplitFirst(choices, ' '));
  return out;
}

std::string Given::Get(std::string_view flag, std::string_view otherwise) const {
  const auto at = flags_.find(flag);
  return std::string(at == flags_.end() ? otherwise : at->second.front());
}

std::vector<std::string> Given::All(std::string_view flag) const {
  const auto at = flags_.find(flag);
  return at == flags_.end() ? std::vector<std::string>() : at->second;
}

Result<Given, Problem> ParseArguments(std::span<const Flag> flags, std::span<const std::string> arguments) {
  Given given;
  bool only_words = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (only_words || !argument.starts_with("--")) {
      if (!only_words && argument.size() > 1 && argument.starts_with('-')) return Unknown(argument, flags);
      given.words_.push_back(argument);
      continue;
    }
    only_words = argument == "--";
    if (only_words) continue;
    std::string_view value = argument;
    const bool joined = argument.find('=') != std::string::npos;
    const std::string_view name = SplitFirst(value, '=');
    const auto flag = std::find_if(flags.begin(), flags.end(), [&](const Flag& known) { return known.name == name; });
    if (flag == flags.end()) return Unknown(name, flags);
    if (flag->takes == Takes::kNothing && joined) return Problem{Cat(name, " takes no value")};
    if (flag->takes != Takes::kNothing && !joined) {
      if (i + 1 == arguments.size()) return Problem{Cat("no value after ", name)};
      value = arguments[++i];
    }
    std::vector<std::string>& values = given.flags_[std::string(name)];
    if (!values.empty() && !flag->repeated) return Problem{Cat(name, " is given twice; keep one")};
    values.emplace_back(value);
    if (auto problem = Judge(*flag, values.back())) return *std::move(problem);
  }
  return given;
}

}  // namespace egret
