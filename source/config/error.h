// What is wrong with a configuration, said so that it can be mended: where, which field, which value, why, and what to
// do about it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace egret {

struct ConfigError {
  enum class Severity : unsigned char { kError, kWarning };

  std::string file = {};
  int line = 0;            // from 1; 0: not known
  int col = 0;             // from 1, in characters
  std::string field = {};  // "listeners[0].filters[1].egress_policy.policy"; empty: the file as a whole
  std::string value = {};  // as it is to be shown (ShownValue); empty: none
  std::string why = {};
  std::string remedy = {};  // may be empty
  Severity severity = Severity::kError;

  bool warning() const { return severity == Severity::kWarning; }
  // One line without its end: "egress.yaml:3:5 listeners[0].address: localhost: not an address; write 127.0.0.1:3128".
  // What is not known is left out.
  std::string ToString() const;

  friend bool operator==(const ConfigError&, const ConfigError&) = default;
};

// Those that are not warnings.
bool HasErrors(const std::vector<ConfigError>& errors);
// Each on a line of its own.
std::string ToString(const std::vector<ConfigError>& errors);
// By file, line, column and field; what has no place comes last.
void SortByPlace(std::vector<ConfigError>& errors);

// A value for an error: on one line, quoted where it needs to be, at most 80 bytes.
std::string ShownValue(std::string_view text);

// Whether the text is UTF-8 without control characters other than tab and line ends.
bool IsPlainText(std::string_view text);

// "listeners" and "name" -> "listeners.name"; an empty path gives the name.
std::string Below(std::string_view path, std::string_view name);
// "listeners" and 2 -> "listeners[2]".
std::string Below(std::string_view path, size_t index);

}  // namespace egret
