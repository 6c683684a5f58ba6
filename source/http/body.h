// A message's content, pulled: back-pressure is that nobody reads. A filter that changes a body gives one that wraps
// and owns the body it got, so it outlives the filter's frame.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/failure.h"
#include "source/event/task.h"

namespace egret {

struct Chunk {
  enum Kind : uint8_t {
    kBytes,   // at least one
    kEnd,     // only where the framing was complete
    kFailed,  // ended otherwise; `why` says on which side and how
  } kind;
  std::string_view bytes;  // valid until the next call on the body
  Failure why;
  bool last = false;  // kBytes: surely nothing follows; the next Read gives kEnd at once, trailers() is final
};

// What may stand behind a body (RFC 9110 6.5); bounded and checked by the codec that read it.
class Trailers {
 public:
  void Add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }
  bool empty() const { return fields_.empty(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

class Body {
 public:
  Body() = default;
  virtual ~Body() = default;
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  // One call at a time. After kEnd or kFailed: the same again.
  virtual Task<Chunk> Read() = 0;
  // Whether Read() would give something without waiting: a ready first chunk leaves with the head in one call.
  virtual bool Ready() const { return false; }
  // How many bytes it holds in all, where that is known before it was read. A wrapper that changes bytes gives nothing.
  virtual std::optional<uint64_t> Length() const { return std::nullopt; }
  // After kEnd; null or empty: none.
  virtual const Trailers* trailers() const { return nullptr; }
  // "I shall wait": what is unread moves to an exact block and the borrowed buffer goes back. Chunks given before are
  // void.
  virtual void Release() {}
};

// Bytes at hand: local replies, tests.
std::unique_ptr<Body> MakeBody(std::string bytes);

}  // namespace egret
