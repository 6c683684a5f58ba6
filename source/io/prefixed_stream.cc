#include "source/io/prefixed_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace egret {
namespace {

class PrefixedStream final : public Stream {
 public:
  PrefixedStream(std::string prefix, std::unique_ptr<Stream> lower)
      : prefix_(std::move(prefix)), lower_(std::move(lower)) {}

  Io Read(std::span<char> into) override {
    if (prefix_.empty()) return lower_->Read(into);
    const size_t n = std::min(into.size(), prefix_.size() - taken_);
    std::memcpy(into.data(), prefix_.data() + taken_, n);
    taken_ += n;
    if (taken_ == prefix_.size()) std::string().swap(prefix_);
    return {Io::kBytes, n};
  }
  Io Write(std::span<const iovec> pieces) override { return lower_->Write(pieces); }
  Io Finish() override { return lower_->Finish(); }
  void Abort() override { lower_->Abort(); }
  Gate& ReadGate() override { return prefix_.empty() ? lower_->ReadGate() : Gate::AlwaysOpen(); }
  Gate& WriteGate() override { return lower_->WriteGate(); }
  Gate& GoneGate() override { return lower_->GoneGate(); }
  Gate& PeerDoneGate() override { return lower_->PeerDoneGate(); }
  SocketStream* AsSocket() override { return prefix_.empty() ? lower_->AsSocket() : nullptr; }

 private:
  std::string prefix_;
  size_t taken_ = 0;
  std::unique_ptr<Stream> lower_;
};

}  // namespace

std::unique_ptr<Stream> WithPrefix(std::string prefix, std::unique_ptr<Stream> stream) {
  if (prefix.empty()) return stream;
  return std::make_unique<PrefixedStream>(std::move(prefix), std::move(stream));
}

}  // namespace egret
