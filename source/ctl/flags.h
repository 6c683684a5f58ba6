// The options of egretctl's commands: what --help, the parser and the completion of shells go by.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/result.h"

namespace egret {

// What stands behind an option, or for a command's words.
enum class Takes : uint8_t { kNothing, kText, kFile, kFolder };

struct Flag {
  std::string_view name;          // "--output"
  std::string_view choices = {};  // of text: "table json"; empty: anything
  Takes takes = Takes::kText;
  bool repeated = false;
};

// What a command was given.
class Given {
 public:
  bool Has(std::string_view flag) const { return flags_.contains(flag); }
  // The value of one that is given once.
  std::string Get(std::string_view flag, std::string_view otherwise = {}) const;
  // The values of one that may be repeated.
  std::vector<std::string> All(std::string_view flag) const;
  const std::vector<std::string>& words() const { return words_; }

 private:
  friend Result<Given, Problem> ParseArguments(std::span<const Flag> flags, std::span<const std::string> arguments);
  std::map<std::string, std::vector<std::string>, std::less<>> flags_;
  std::vector<std::string> words_;
};

// --name VALUE or --name=VALUE, in any order; after -- come words only.
Result<Given, Problem> ParseArguments(std::span<const Flag> flags, std::span<const std::string> arguments);

// The choices, one by one.
std::vector<std::string> ChoicesOf(std::string_view choices);

}  // namespace egret
