// The application's log: what the proxy has to say of itself, as lines on standard error. Not the access log. Each
// component has a level of its own, which may be changed at any time; by default nothing of the data path is said, and
// asking costs one relaxed load. Thread-safe. Lines carry no time: whoever collects standard error stamps them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "source/base/strings.h"

namespace egret {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError, kOff };
enum class LogComponent : uint8_t { kServer, kConfig, kHttp, kUpstream, kDns, kPolicy, kTls, kCount };

inline constexpr size_t kLogComponents = static_cast<size_t>(LogComponent::kCount);

std::string_view NameOf(LogLevel level);          // "debug"
std::string_view NameOf(LogComponent component);  // "upstream"
std::optional<LogLevel> ParseLogLevel(std::string_view name);
std::optional<LogComponent> ParseLogComponent(std::string_view name);

// What a component says from this level on; kInfo until told otherwise.
class LogLevels {
 public:
  static LogLevel Get(LogComponent component) { return Of(component).load(std::memory_order_relaxed); }
  static void Set(LogComponent component, LogLevel level) { Of(component).store(level, std::memory_order_relaxed); }
  static void SetAll(LogLevel level);

 private:
  static std::atomic<LogLevel>& Of(LogComponent component) { return levels_[static_cast<size_t>(component)]; }
  static std::array<std::atomic<LogLevel>, kLogComponents> levels_;
};

// Which program speaks: a literal. To be said before there are threads; "egret" until told otherwise.
void NameLog(std::string_view program);

// Ask first where making the text costs something.
inline bool Logs(LogComponent component, LogLevel level) { return level >= LogLevels::Get(component); }

// "egret: text", "egret: warning: text", "egret: debug: dns: text": the level where it is not info, the component where
// it is not the server. Control characters are escaped: a line stays a line.
void WriteLogLine(LogComponent component, LogLevel level, std::string_view text);

template <class... Pieces>
void Log(LogComponent component, LogLevel level, const Pieces&... pieces) {
  if (Logs(component, level)) WriteLogLine(component, level, Cat(pieces...));
}

}  // namespace egret
