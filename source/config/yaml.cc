#include "source/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

#include "source/base/strings.h"

namespace egret {
namespace {

// Thrown out of a callback: this file cannot be used.
struct Refused {
  Position at;
  std::string why;
  std::string remedy;
};

// A mark counts from 0.
Position At(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// Reads a text without copying it.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* const begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

// Gathers events into a tree. A value is complete when its end is seen, and only then moves into what holds it.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view file, std::vector<ConfigError>& errors) : file_(file), errors_(errors) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (seen_document_)
      throw Refused{At(mark), "a second document begins here", "a file is one document; make it two files"};
    seen_document_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(Make(Node::Kind::kNull, mark, "", anchor));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{At(mark), "aliases are not taken", "write the value out"};
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = Make(Node::Kind::kScalar, mark, tag, anchor);
    node.quoted = tag == "!";  // how yaml-cpp marks what is not plain
    node.text = value;
    Add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Make(Node::Kind::kList, mark, tag, anchor));
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Make(Node::Kind::kMap, mark, tag, anchor));
  }
  void OnMapEnd() override {
    CheckKeys(open_.back().node, file_, errors_);
    Close();
  }

  bool seen_document() const { return seen_document_; }
  std::optional<Node> Take() { return std::move(root_); }

 private:
  struct Holder {
    Node node;
    std::optional<Node> key;  // of a map: read, its value still to come
  };

  Node Make(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (++nodes_ > kMostNodes)
      throw Refused{At(mark), Cat("more than ", kMostNodes, " values"),
                    "put long lists of names into a file of a domain set"};
    if (anchor != YAML::NullAnchor) throw Refused{At(mark), "anchors are not taken", "write the value out"};
    if (!tag.empty() && tag != "?" && tag != "!")
      throw Refused{At(mark), "tags are not taken", Cat("leave ", ShownValue(tag), " out")};
    Node node;
    node.kind = kind;
    node.at = At(mark);
    return node;
  }

  void Open(Node node) {
    if (open_.size() >= static_cast<size_t>(kMostDepth))
      throw Refused{node.at, Cat("nested more than ", kMostDepth, " deep"), "nothing here needs it"};
    open_.push_back({std::move(node), std::nullopt});
  }

  void Close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    Add(std::move(node));
  }

  void Add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Holder& holder = open_.back();
    if (holder.node.map() && !holder.key) {
      if (!node.scalar()) throw Refused{node.at, "a key that is not text", "write a field's name before the colon"};
      holder.key = std::move(node);
      return;
    }
    if (holder.key) {
      node.key = std::move(holder.key->text);
      node.key_at = holder.key->at;
      holder.key.reset();
      // An empty value has no place of its own: yaml-cpp gives that of what follows.
      if (node.null()) node.at = node.key_at;
    }
    holder.node.children.push_back(std::move(node));
  }

  const std::string_view file_;
  std::vector<ConfigError>& errors_;
  std::vector<Holder> open_;
  std::optional<Node> root_;
  size_t nodes_ = 0;
  bool seen_document_ = false;
};

void Read(std::string_view text, TreeBuilder& builder) {
  TextBuffer buffer(text);
  std::istream stream(&buffer);
  YAML::Parser parser(stream);
  // The second call finds what follows the document: the builder refuses it.
  while (parser.HandleNextDocument(builder)) {
  }
}

}  // namespace

Tree ParseYaml(std::string_view text, std::string_view file) {
  Tree tree;
  const auto refuse = [&](Position at, std::string why, std::string remedy) {
    tree.errors.push_back({.file = std::string(file),
                           .line = at.line,
                           .col = at.col,
                           .why = std::move(why),
                           .remedy = std::move(remedy)});
  };
  try {
    TreeBuilder builder(file, tree.errors);
    Read(text, builder);
    if (!builder.seen_document())
      refuse({}, "the file is empty", "a file that says nothing is taken for one half written");
    tree.root = builder.Take();
  } catch (const Refused& refused) {
    refuse(refused.at, refused.why, refused.remedy);
  } catch (const YAML::Exception& exception) {
    refuse(At(exception.mark), Cat("not YAML: ", exception.msg), "");
  } catch (const std::exception& exception) {
    refuse({}, Cat("not YAML: ", exception.what()), "");
  }
  return tree;
}

}  // namespace egret
