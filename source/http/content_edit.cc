#include "source/http/content_edit.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "source/base/strings.h"
#include "source/event/wait.h"

namespace egret {
namespace {

constexpr int kChunksInOneTurn = 16;

class EditedBody final : public Body {
 public:
  EditedBody(std::unique_ptr<Body> body, std::unique_ptr<ContentEdit> edit, Failure malformed)
      : body_(std::move(body)), edit_(std::move(edit)), malformed_(malformed) {}

  Task<Chunk> Read() override {
    out_.clear();
    for (int chunks = 1; !end_; ++chunks) {
      if (!edit_->Take(in_, out_)) co_return Finish({Chunk::kFailed, {}, malformed_});
      if (!out_.empty()) co_return Chunk{Chunk::kBytes, out_, {}};
      if (chunks % kChunksInOneTurn == 0) co_await Yield();
      const Chunk chunk = co_await body_->Read();
      if (chunk.kind == Chunk::kFailed) co_return Finish(chunk);
      in_ = chunk.bytes;
      if (chunk.kind == Chunk::kBytes) continue;
      const bool whole = edit_->End(out_);
      Finish(whole ? Chunk{Chunk::kEnd, {}, {}} : Chunk{Chunk::kFailed, {}, malformed_});
      if (whole && !out_.empty()) co_return Chunk{Chunk::kBytes, out_, {}, true};
    }
    co_return *end_;
  }
  bool Ready() const override { return end_.has_value(); }
  const Trailers* trailers() const override { return end_ && end_->kind == Chunk::kEnd ? &trailers_ : nullptr; }

  void Release() override {
    out_ = std::string();
    if (!in_.empty() && in_.data() != held_.data()) {
      held_ = in_;
      in_ = held_;
    } else if (in_.empty()) {
      held_ = std::string();
    }
    body_->Release();
  }

 private:
  Chunk Finish(Chunk end) {
    end_ = end;
    in_ = {};
    if (end.kind != Chunk::kEnd || body_->trailers() == nullptr) return end;
    for (const auto& [name, value] : body_->trailers()->fields())
      if (!IsDigestField(name)) trailers_.Add(name, value);
    return end;
  }

  std::unique_ptr<Body> body_;
  std::unique_ptr<ContentEdit> edit_;
  Failure malformed_;
  std::string_view in_;  // of the last chunk, or of held_
  std::string held_;
  std::string out_;
  std::optional<Chunk> end_;
  Trailers trailers_;
};

class BodyWithFront final : public Body {
 public:
  BodyWithFront(std::string front, std::unique_ptr<Body> rest, std::optional<uint64_t> length)
      : front_(std::move(front)), rest_(std::move(rest)), length_(length), given_(front_.empty()) {}

  Task<Chunk> Read() override {
    if (!std::exchange(given_, true)) co_return Chunk{Chunk::kBytes, front_, {}};
    front_ = std::string();
    co_return co_await rest_->Read();
  }
  bool Ready() const override { return !given_ || rest_->Ready(); }
  std::optional<uint64_t> Length() const override { return length_; }
  const Trailers* trailers() const override { return rest_->trailers(); }
  void Release() override {
    if (given_) front_ = std::string();
    rest_->Release();
  }

 private:
  std::string front_;
  std::unique_ptr<Body> rest_;
  std::optional<uint64_t> length_;
  bool given_;
};

}  // namespace

std::unique_ptr<Body> MakeEditedBody(std::unique_ptr<Body> body, std::unique_ptr<ContentEdit> edit, Failure malformed) {
  return std::make_unique<EditedBody>(std::move(body), std::move(edit), malformed);
}

std::unique_ptr<Body> MakeBodyWithFront(std::string front, std::unique_ptr<Body> rest, std::optional<uint64_t> length) {
  return std::make_unique<BodyWithFront>(std::move(front), std::move(rest), length);
}

bool IsDigestField(std::string_view name) {
  static constexpr auto kNames =
      std::to_array<std::string_view>({"Content-Digest", "Content-MD5", "Digest", "Repr-Digest"});
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view own) { return EqualsIgnoreCase(name, own); });
}

}  // namespace egret
