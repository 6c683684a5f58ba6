// How much memory is in use and how much is granted: what the control group says (version 2 or 1) where it sets a
// limit, else the resident memory of this process and the memory of the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace egret {

struct MemoryReading {
  uint64_t resident_bytes = 0;  // of this process
  uint64_t used_bytes = 0;      // what counts against the limit; files that could be dropped do not
  uint64_t limit_bytes = 0;     // 0: unknown
};

class MemoryReader {
 public:
  // `root` stands before /proc and /sys: tests have their own.
  explicit MemoryReader(std::string root = "");
  // Nothing where /proc cannot be read. Reads a few small files; for a thread that may be late by a millisecond.
  std::optional<MemoryReading> Read() const;

 private:
  enum class Kind : uint8_t { kNone, kVersion1, kVersion2 };
  void FindVersion2(const std::string& path);
  void FindVersion1(const std::string& path);

  std::string root_;
  Kind kind_ = Kind::kNone;
  std::string group_;  // folder of the group that has the lowest limit
  uint64_t limit_bytes_ = 0;
};

}  // namespace egret
