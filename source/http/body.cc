#include "source/http/body.h"

#include <utility>

namespace egret {
namespace {

class StringBody final : public Body {
 public:
  explicit StringBody(std::string bytes) : bytes_(std::move(bytes)) {}
  Task<Chunk> Read() override {
    if (std::exchange(given_, true) || bytes_.empty()) co_return Chunk{Chunk::kEnd, {}, {}};
    co_return Chunk{Chunk::kBytes, bytes_, {}};
  }
  bool Ready() const override { return true; }
  std::optional<uint64_t> Length() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  bool given_ = false;
};

}  // namespace

std::unique_ptr<Body> MakeBody(std::string bytes) { return std::make_unique<StringBody>(std::move(bytes)); }

}  // namespace egret
