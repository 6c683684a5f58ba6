// A body that comes in the pieces that a test chose, and ends as it says.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/event/wait.h"
#include "source/http/body.h"

namespace egret {

class PiecesBody final : public Body {
 public:
  explicit PiecesBody(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

  Task<Chunk> Read() override {
    co_await Yield();
    if (next_ < pieces_.size()) {
      given_ = pieces_[next_++];
      ++reads;
      co_return Chunk{Chunk::kBytes, given_, {}};
    }
    co_return Chunk{fails ? Chunk::kFailed : Chunk::kEnd, {}, fails};
  }
  std::optional<uint64_t> Length() const override { return length; }
  const Trailers* trailers() const override { return next_ == pieces_.size() ? &fields : nullptr; }
  void Release() override {
    if (next_ == 0) return;
    given_ = std::string(given_.size(), '#');  // what was given before is void
  }

  std::optional<uint64_t> length;
  Trailers fields;
  Failure fails;  // in place of the end
  size_t reads = 0;

 private:
  std::vector<std::string> pieces_;
  std::string given_;
  size_t next_ = 0;
};

// All that a body gives. "!detail" at the end: it failed so.
inline Task<std::string> ReadAll(Body& body) {
  std::string all;
  for (;;) {
    const Chunk chunk = co_await body.Read();
    all += chunk.bytes;
    if (chunk.kind == Chunk::kFailed) all += "!" + std::string(TextOf(chunk.why.fault).detail);
    if (chunk.kind != Chunk::kBytes) co_return all;
    body.Release();
  }
}

// The text cut into pieces of so many bytes.
inline std::vector<std::string> Cut(std::string_view text, size_t bytes) {
  std::vector<std::string> pieces;
  for (; !text.empty(); text.remove_prefix(std::min(bytes, text.size()))) pieces.emplace_back(text.substr(0, bytes));
  return pieces;
}

}  // namespace egret
