#include "source/filters/text_edit.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

class Replace final : public ContentEdit {
 public:
  Replace(const SoughtText& sought, const std::string& with) : sought_(sought), with_(with) {}

  bool Take(std::string_view& in, std::string& out) override {
    while (PutMatches(out)) {
      const std::string_view rest = std::string_view(held_).substr(done_);
      const size_t kept = sought_.BegunAtEndOf(rest);
      out.append(rest.substr(0, rest.size() - kept));
      held_.erase(0, held_.size() - kept);
      done_ = 0;
      if (in.empty() || out.size() >= kRoom) break;
      const size_t taken = std::min(in.size(), kRoom);
      held_.append(in.substr(0, taken));
      in.remove_prefix(taken);
    }
    return true;
  }

  bool End(std::string& out) override {
    out.append(std::exchange(held_, {}));
    return true;
  }

 private:
  // All up to the last match in what is held. False: no room for all of them.
  bool PutMatches(std::string& out) {
    while (out.size() < kRoom) {
      const size_t at = held_.find(sought_.text(), done_);
      if (at == std::string::npos) return true;
      out.append(held_, done_, at - done_).append(with_);
      done_ = at + sought_.text().size();
    }
    return false;
  }

  const SoughtText& sought_;
  const std::string& with_;
  std::string held_;
  size_t done_ = 0;  // of held_
};

class InsertAtEdge final : public ContentEdit {
 public:
  InsertAtEdge(Place place, const std::string& text) : text_(text), owed_(true), begin_(place == Place::kBegin) {}

  bool Take(std::string_view& in, std::string& out) override {
    if (begin_ && !in.empty()) Put(out);
    out.append(std::exchange(in, {}));
    return true;
  }
  bool End(std::string& out) override {
    Put(out);
    return true;
  }

 private:
  void Put(std::string& out) {
    if (std::exchange(owed_, false)) out.append(text_);
  }

  const std::string& text_;
  bool owed_, begin_;
};

constexpr std::string_view kHeadEnd = "</head>", kBodyEnd = "</body>";

size_t FindTag(std::string_view content, std::string_view tag, size_t from) {
  for (size_t at = content.find('<', from); at != content.npos; at = content.find('<', at + 1))
    if (EqualsIgnoreCase(content.substr(at, tag.size()), tag)) return at;
  return content.npos;
}

size_t FindLastTag(std::string_view content, std::string_view tag, size_t from) {
  size_t last = content.npos;
  for (size_t at = FindTag(content, tag, from); at != content.npos; at = FindTag(content, tag, at + 1)) last = at;
  return last;
}

size_t TagBegunAtEndOf(std::string_view content, std::string_view tag) {
  for (size_t size = std::min(tag.size() - 1, content.size()); size > 0; --size)
    if (EqualsIgnoreCase(content.substr(content.size() - size), tag.substr(0, size))) return size;
  return 0;
}

class InsertBeforeHeadEnd final : public ContentEdit {
 public:
  explicit InsertBeforeHeadEnd(const std::string& text) : text_(text) {}

  bool Take(std::string_view& in, std::string& out) override {
    if (!done_) {
      held_.append(std::exchange(in, {}));
      const size_t at = FindTag(held_, kHeadEnd, 0);
      done_ = at != held_.npos;
      if (done_) held_.insert(at, text_);
      const size_t kept = done_ ? 0 : TagBegunAtEndOf(held_, kHeadEnd);
      out.append(held_, 0, held_.size() - kept);
      held_.erase(0, held_.size() - kept);
    }
    out.append(std::exchange(in, {}));
    return true;
  }
  bool End(std::string& out) override {
    out.append(std::exchange(held_, {}));
    return true;
  }

 private:
  const std::string& text_;
  std::string held_;
  bool done_ = false;
};

class InsertBeforeBodyEnd final : public ContentEdit {
 public:
  InsertBeforeBodyEnd(const std::string& text, size_t most) : text_(text), most_(most) {}

  bool Take(std::string_view& in, std::string& out) override {
    if (!done_) {
      held_.append(std::exchange(in, {}));
      Look(out);
    }
    out.append(std::exchange(in, {}));
    return true;
  }
  bool End(std::string& out) override {
    if (std::exchange(found_, false)) out.append(text_);
    out.append(std::exchange(held_, {}));
    return true;
  }

 private:
  // Gives what is surely before the last one.
  void Look(std::string& out) {
    const size_t at = FindLastTag(held_, kBodyEnd, looked_);
    found_ = found_ || at != held_.npos;
    size_t free = 0;
    if (at != held_.npos) {
      free = at;
    } else if (!found_) {
      free = held_.size() - TagBegunAtEndOf(held_, kBodyEnd);
    }
    out.append(held_, 0, free);
    held_.erase(0, free);
    if (found_) looked_ = std::max<size_t>(1, held_.size() - std::min(held_.size(), kBodyEnd.size() - 1));
    done_ = found_ && held_.size() > most_;
    if (done_) End(out);
  }

  const std::string& text_;
  size_t most_;
  std::string held_;    // from the last one on that was found
  size_t looked_ = 0;   // up to here in vain, but for that one
  bool found_ = false;  // held_ begins with one
  bool done_ = false;
};

// The end of the character of UTF-8 that begins there; of anything else the next byte.
size_t AfterCharacter(std::string_view text, size_t at) {
  const auto is_tail = [&](size_t i) { return i < text.size() && (static_cast<uint8_t>(text[i]) & 0xc0u) == 0x80u; };
  size_t next = at + 1;
  while (static_cast<uint8_t>(text[at]) >= 0xc0u && is_tail(next)) ++next;
  return next;
}

}  // namespace

SoughtText::SoughtText(std::string text) : text_(std::move(text)), fallback_(text_.size(), 0) {
  for (size_t i = 1, matched = 0; i < text_.size(); ++i) {
    while (matched > 0 && text_[i] != text_[matched]) matched = fallback_[matched - 1];
    if (text_[i] == text_[matched]) ++matched;
    fallback_[i] = matched;
  }
}

size_t SoughtText::BegunAtEndOf(std::string_view content) const {
  size_t matched = 0;
  for (const char c : content.substr(content.size() - std::min(content.size(), text_.size() - 1))) {
    while (matched > 0 && c != text_[matched]) matched = fallback_[matched - 1];
    if (c == text_[matched]) ++matched;
  }
  return matched;
}

std::unique_ptr<ContentEdit> MakeReplace(const SoughtText& sought, const std::string& with) {
  return std::make_unique<Replace>(sought, with);
}

std::unique_ptr<ContentEdit> MakeInsert(Place place, const std::string& text, size_t most) {
  switch (place) {
    case Place::kHeadEnd:
      return std::make_unique<InsertBeforeHeadEnd>(text);
    case Place::kBodyEnd:
      return std::make_unique<InsertBeforeBodyEnd>(text, most);
    default:
      return std::make_unique<InsertAtEdge>(place, text);
  }
}

std::optional<std::string> ReplacePattern(const re2::RE2& pattern, const std::string& with, std::string_view content,
                                          size_t most) {
  std::array<re2::StringPiece, 10> groups;
  const int count = std::min(1 + re2::RE2::MaxSubmatch(with), 1 + pattern.NumberOfCapturingGroups());
  std::string out;
  size_t done = 0;  // of content
  size_t from = 0;
  while (from <= content.size() &&
         pattern.Match(content, from, content.size(), re2::RE2::UNANCHORED, groups.data(), count)) {
    const auto at = static_cast<size_t>(groups[0].data() - content.data());
    out.append(content.substr(done, at - done));
    pattern.Rewrite(&out, with, groups.data(), count);
    if (out.size() > most) return std::nullopt;
    done = from = at + groups[0].size();
    if (!groups[0].empty()) continue;
    // Of nothing: the next match is behind the next character.
    if (at == content.size()) break;
    from = AfterCharacter(content, at);
    out.append(content.substr(at, from - at));
    done = from;
  }
  out.append(content.substr(done));
  if (out.size() > most) return std::nullopt;
  return out;
}

}  // namespace egret
