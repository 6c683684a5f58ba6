#include "source/config/json_parser.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

void AppendUtf8(std::string& out, uint32_t code) {
  const auto tail = [&](uint32_t bits) { out += static_cast<char>(0x80 | (bits & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    tail(code);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    tail(code >> 6);
    tail(code);
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    tail(code >> 12);
    tail(code >> 6);
    tail(code);
  }
}

// The first fault ends it: `failed_` is set and every step returns.
class JsonReader {
 public:
  JsonReader(std::string_view text, std::string_view file, Tree& tree) : rest_(text), file_(file), tree_(tree) {}

  void Read() {
    SkipSpace();
    if (rest_.empty()) return Fail("the file is empty", "a file that says nothing is taken for one half written");
    Node root;
    Value(root, 0);
    SkipSpace();
    if (!failed_ && !rest_.empty()) Fail("something follows the value", "a file is one value; remove the rest");
    if (!failed_) tree_.root = std::move(root);
  }

 private:
  void Fail(std::string why, std::string remedy = "") {
    if (failed_) return;
    failed_ = true;
    tree_.errors.push_back({.file = std::string(file_),
                            .line = at_.line,
                            .col = at_.col,
                            .why = std::move(why),
                            .remedy = std::move(remedy)});
  }

  // Columns count characters, so the tail bytes of UTF-8 do not move them.
  void Skip() {
    const auto c = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (c == '\n')
      at_ = {at_.line + 1, 1};
    else if ((c & 0xc0) != 0x80)
      ++at_.col;
  }
  void SkipSpace() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n' || rest_[0] == '\r')) Skip();
  }
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    Skip();
    return true;
  }

  void Value(Node& node, int depth) {
    node.at = at_;
    if (++nodes_ > kMostNodes)
      return Fail(Cat("more than ", kMostNodes, " values"), "put long lists of names into a file of a domain set");
    if (depth > kMostDepth) return Fail(Cat("nested more than ", kMostDepth, " deep"), "nothing here needs it");
    if (Take('{')) return Map(node, depth);
    if (Take('[')) return List(node, depth);
    if (rest_.starts_with('"')) {
      node.kind = Node::Kind::kScalar;
      node.quoted = true;
      return String(node.text);
    }
    Word(node);
  }

  void Map(Node& node, int depth) {
    node.kind = Node::Kind::kMap;
    SkipSpace();
    if (Take('}')) return;
    do {
      SkipSpace();
      Node& child = node.children.emplace_back();
      child.key_at = at_;
      if (!rest_.starts_with('"')) return Fail("no key here", "write a name in quotes, without a comma after the last");
      String(child.key);
      SkipSpace();
      if (!failed_ && !Take(':')) Fail("no colon after the key");
      if (failed_) return;
      SkipSpace();
      Value(child, depth + 1);
      SkipSpace();
    } while (!failed_ && Take(','));
    if (!failed_ && !Take('}')) Fail("neither a comma nor a closing brace here");
    CheckKeys(node, file_, tree_.errors);
  }

  void List(Node& node, int depth) {
    node.kind = Node::Kind::kList;
    SkipSpace();
    if (Take(']')) return;
    do {
      SkipSpace();
      Value(node.children.emplace_back(), depth + 1);
      SkipSpace();
    } while (!failed_ && Take(','));
    if (!failed_ && !Take(']')) Fail("neither a comma nor a closing bracket here");
  }

  // null, true, false or a number.
  void Word(Node& node) {
    size_t length = 0;
    while (length < rest_.size() && rest_.find_first_of(" \t\r\n,:]}[{\"", length) != length) ++length;
    const std::string_view word = rest_.substr(0, length);
    if (word != "null" && word != "true" && word != "false" && !IsJsonNumber(word))
      return Fail(word.empty() ? "no value here" : Cat(ShownValue(word), " is no value of JSON"),
                  word.empty() ? "" : "text needs quotes");
    node.kind = word == "null" ? Node::Kind::kNull : Node::Kind::kScalar;
    if (!node.null()) node.text = word;
    while (length-- > 0) Skip();
  }

  void String(std::string& out) {
    Skip();
    while (!rest_.empty() && rest_[0] != '"') {
      if (static_cast<uint8_t>(rest_[0]) < ' ') return Fail("a line end or control character inside quotes");
      if (rest_[0] == '\\') {
        Escape(out);
        if (failed_) return;
      } else {
        out += rest_[0];
        Skip();
      }
    }
    if (!Take('"')) Fail("the quotes are not closed");
  }

  void Escape(std::string& out) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kBytes = "\"\\/\b\f\n\r\t";
    if (rest_.size() < 2) return Fail("the quotes are not closed");
    if (rest_[1] == 'u') return Unicode(out);
    const size_t which = kNames.find(rest_[1]);
    if (which == kNames.npos) return Fail("no such escape");
    out += kBytes[which];
    Skip();
    Skip();
  }

  void Unicode(std::string& out) {
    std::optional<uint32_t> code = Unit();
    if (code && *code >= 0xd800 && *code < 0xdc00) {  // the first half of a pair
      const std::optional<uint32_t> low = Unit();
      if (!low || *low < 0xdc00 || *low >= 0xe000) return Fail("half of a surrogate pair");
      code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
    } else if (code && *code >= 0xdc00 && *code < 0xe000) {
      return Fail("half of a surrogate pair");
    }
    if (!code) return Fail("\\u without four hexadecimal digits");
    AppendUtf8(out, *code);
  }

  std::optional<uint32_t> Unit() {
    if (!rest_.starts_with("\\u") || rest_.size() < 6) return std::nullopt;
    uint32_t code = 0;
    const auto [end, error] = std::from_chars(rest_.data() + 2, rest_.data() + 6, code, 16);
    if (error != std::errc() || end != rest_.data() + 6) return std::nullopt;
    for (int i = 0; i < 6; ++i) Skip();
    return code;
  }

  std::string_view rest_;
  const std::string_view file_;
  Tree& tree_;
  Position at_{1, 1};
  size_t nodes_ = 0;
  bool failed_ = false;
};

size_t Digits(std::string_view text, size_t at) {
  while (at < text.size() && IsAsciiDigit(text[at])) ++at;
  return at;
}

}  // namespace

Tree ParseJson(std::string_view text, std::string_view file) {
  Tree tree;
  JsonReader(text, file, tree).Read();
  return tree;
}

bool IsJsonNumber(std::string_view text) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const size_t whole = Digits(text, at);
  if (whole == at || (text[at] == '0' && whole > at + 1)) return false;
  at = whole;
  if (at < text.size() && text[at] == '.') {
    const size_t end = Digits(text, at + 1);
    if (end == at + 1) return false;
    at = end;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const size_t end = Digits(text, at);
    if (end == at) return false;
    at = end;
  }
  return at == text.size();
}

}  // namespace egret
