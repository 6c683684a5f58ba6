#include "source/base/log.h"

#include <unistd.h>

#include <string>

namespace egret {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames = {"debug", "info", "warning", "error", "off"};
constexpr std::array<std::string_view, kLogComponents> kComponentNames = {"server", "config", "http", "upstream",
                                                                          "dns",    "policy", "tls"};

std::string_view program_name = "egret";

void AppendEscaped(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15u];
    }
  }
}

template <class Enum, size_t N>
std::optional<Enum> Parse(std::string_view name, const std::array<std::string_view, N>& names) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

std::array<std::atomic<LogLevel>, kLogComponents> LogLevels::levels_ = {
    LogLevel::kInfo, LogLevel::kInfo, LogLevel::kInfo, LogLevel::kInfo, LogLevel::kInfo, LogLevel::kInfo};

std::string_view NameOf(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }
std::string_view NameOf(LogComponent component) { return kComponentNames[static_cast<size_t>(component)]; }
std::optional<LogLevel> ParseLogLevel(std::string_view name) { return Parse<LogLevel>(name, kLevelNames); }
std::optional<LogComponent> ParseLogComponent(std::string_view name) {
  return Parse<LogComponent>(name, kComponentNames);
}

void LogLevels::SetAll(LogLevel level) {
  for (std::atomic<LogLevel>& one : levels_) one.store(level, std::memory_order_relaxed);
}

void NameLog(std::string_view program) { program_name = program; }

void WriteLogLine(LogComponent component, LogLevel level, std::string_view text) {
  std::string line = Cat(program_name, ": ");
  if (level != LogLevel::kInfo) Append(line, NameOf(level), ": ");
  if (component != LogComponent::kServer) Append(line, NameOf(component), ": ");
  AppendEscaped(line, text);
  line += '\n';
  // One call, so that lines of several threads do not mix. Nobody is there to be told where it fails.
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

}  // namespace egret
