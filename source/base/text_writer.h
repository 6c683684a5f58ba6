// Appends many small pieces to a string. Room is made ahead in large steps, so that a piece costs a comparison and a
// copy; what was not used of it is given back by Finish(), or when the writer dies. Until then nobody else may touch
// the string.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace egret {

class TextWriter {
 public:
  explicit TextWriter(std::string& out) : out_(out) {}
  ~TextWriter() { Finish(); }
  TextWriter(const TextWriter&) = delete;
  TextWriter& operator=(const TextWriter&) = delete;

  void Put(char c) {
    *Room(1) = c;
    ++at_;
  }
  void Put(std::string_view text) {
    char* const to = Room(text.size());
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    at_ += text.size();
  }
  template <std::integral Int>
    requires(!std::same_as<Int, char> && !std::same_as<Int, bool>)
  void Put(Int number) {
    constexpr size_t kLongest = 20;  // of 64 bits, with a sign
    char* const to = Room(kLongest);
    at_ = std::to_chars(to, to + kLongest, number).ptr;
  }
  template <class First, class Second, class... More>
  void Put(First first, Second second, More... more) {
    Put(first);
    Put(second, more...);
  }

  // For who writes by himself: where the next `bytes` may be written, and then where they ended.
  char* Room(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) MakeRoom(bytes);
    return at_;
  }
  void WrittenTo(char* end) { at_ = end; }

  void Finish() {
    if (at_ == nullptr) return;
    out_.resize(static_cast<size_t>(at_ - out_.data()));
    at_ = end_ = nullptr;
  }

 private:
  [[gnu::noinline]] void MakeRoom(size_t bytes) {
    constexpr size_t kStep = 512;
    const size_t used = at_ != nullptr ? static_cast<size_t>(at_ - out_.data()) : out_.size();
    out_.resize(used + std::max(bytes, kStep));
    at_ = out_.data() + used;
    end_ = out_.data() + out_.size();
  }

  std::string& out_;
  char* at_ = nullptr;  // null: the string is whole
  char* end_ = nullptr;
};

}  // namespace egret
