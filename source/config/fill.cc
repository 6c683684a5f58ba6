#include "source/config/fill.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/config/fill_known.h"
#include "source/config/fill_scalar.h"
#include "source/config/nearest.h"
#include "source/config/schema.h"

namespace egret {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;

constexpr std::string_view kTypeKey = "@type";
constexpr std::string_view kTypePrefix = "type.googleapis.com/";

// Walks down a tree and a message together; `path_` is the way to where it stands.
class Filler {
 public:
  Filler(std::string_view file, std::vector<ConfigError>& errors) : file_(file), errors_(errors) {}

  void FillMessage(const Node& node, Message& into) {
    const Descriptor& type = *into.GetDescriptor();
    if (IsKnownType(type)) return FillKnownType(node, into);
    if (node.plain() && IsFilter(type)) return FillBareFilter(node, into);
    if (!node.map()) return Misfit(node, "a map belongs here", MapRemedy(type));
    if (type.full_name() == google::protobuf::Any::descriptor()->full_name()) return FillAny(node, into);
    FillFields(node, into);
  }

 private:
  class Step {
   public:
    Step(std::string& path, std::string longer) : path_(path), before_(std::exchange(path, std::move(longer))) {}
    ~Step() { path_ = std::move(before_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::string& path_;
    std::string before_;
  };

  void Add(Position at, std::string value, std::string why, std::string remedy) {
    errors_.push_back({.file = std::string(file_),
                       .line = at.line,
                       .col = at.col,
                       .field = path_,
                       .value = std::move(value),
                       .why = std::move(why),
                       .remedy = std::move(remedy)});
  }

  // A value of the wrong shape.
  void Misfit(const Node& node, std::string why, std::string remedy) {
    if (node.null()) return Add(node.at, "", "no value", "give it one, or leave the key out");
    Add(node.at,
        node.map()    ? "a map"
        : node.list() ? "a list"
        : secret_     ? "(secret)"
                      : ShownValue(node.text),
        std::move(why), std::move(remedy));
  }

  static std::string MapRemedy(const Descriptor& type) {
    if (type.field_count() == 0) return "write {}";
    return Cat("write keys below it, e.g. ", type.field(0)->name(), ": ...");
  }

  // `- tcp_relay` for `- tcp_relay: {}`.
  void FillBareFilter(const Node& node, Message& into) {
    const FieldDescriptor* field = FieldOf(*into.GetDescriptor(), node.text);
    if (field != nullptr && IsBareFilter(*field)) {
      into.GetReflection()->MutableMessage(&into, field);
      return;
    }
    Add(node.at, ShownValue(node.text), "no such filter", Suggest(node.text, FilterNames(*into.GetDescriptor())));
  }

  struct Seen {
    const FieldDescriptor* field;
    std::string_view key;
  };

  void FillFields(const Node& node, Message& into) {
    const Descriptor& type = *into.GetDescriptor();
    std::vector<Seen> seen;
    bool unknown = false;
    for (const Node& child : node.children) {
      const FieldDescriptor* field = FieldOf(type, child.key);
      const Step step(path_, Below(path_, field != nullptr ? field->name() : ShownValue(child.key)));
      if (field == nullptr) {
        unknown = true;
        Add(child.key_at, "", "unknown key", Suggest(child.key, FieldNames(type), 40));
      } else if (CheckFresh(child, *field, seen)) {
        seen.push_back({field, child.key});
        FillField(child, *field, into);
      }
    }
    // A key that is not known may be the missing one.
    if (!unknown) CheckOneofs(node, type, seen);
  }

  // Refuses two spellings of one key (max_age and maxAge) and two members of one oneof.
  bool CheckFresh(const Node& child, const FieldDescriptor& field, const std::vector<Seen>& seen) {
    for (const Seen& other : seen) {
      if (other.field == &field) {
        if (other.key == child.key) return false;  // CheckKeys has told
        Add(child.key_at, "", Cat("the key is there twice, also as ", other.key), "remove one of them");
        return false;
      }
      const OneofDescriptor* oneof = field.real_containing_oneof();
      if (oneof == nullptr || other.field->real_containing_oneof() != oneof) continue;
      Add(child.key_at, "", Cat(other.field->name(), " is given as well, and only one of them can be"), "remove one");
      return false;
    }
    return true;
  }

  void CheckOneofs(const Node& node, const Descriptor& type, const std::vector<Seen>& seen) {
    for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
      const OneofDescriptor& oneof = *type.oneof_decl(i);
      bool given = false;
      for (const Seen& one : seen) given = given || one.field->real_containing_oneof() == &oneof;
      if (!given) Add(node.at, "", Cat("no ", oneof.name()), Cat("give exactly one of ", MemberNames(oneof)));
    }
  }

  void FillField(const Node& child, const FieldDescriptor& field, Message& into) {
    if (field.is_map()) return FillMap(child, field, into);
    if (field.is_repeated()) return FillList(child, field, into);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message& below = *into.GetReflection()->MutableMessage(&into, &field);
      if (child.null() && IsBareFilter(field)) return;
      return FillMessage(child, below);
    }
    FillScalarField(child, field, into);
  }

  void FillList(const Node& child, const FieldDescriptor& field, Message& into) {
    if (!child.list()) return Misfit(child, "a list belongs here", ListRemedy(child));
    for (size_t i = 0; i < child.children.size(); ++i) {
      const Step step(path_, Below(path_, i));
      const Node& element = child.children[i];
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
        FillMessage(element, *into.GetReflection()->AddMessage(&into, &field));
      else
        FillScalarField(element, field, into);
    }
  }

  static std::string ListRemedy(const Node& child) {
    if (!child.scalar() || child.text.size() > 40) return "begin each entry with a dash";
    return Cat("write [", ShownValue(child.text), "]");
  }

  void FillMap(const Node& child, const FieldDescriptor& field, Message& into) {
    if (!child.map()) return Misfit(child, "a map belongs here", "write keys below it");
    const Descriptor& entry = *field.message_type();
    for (const Node& member : child.children) {
      const Step step(path_, Cat(path_, "[\"", member.key, "\"]"));
      Message& added = *into.GetReflection()->AddMessage(&into, &field);
      Node key;
      key.kind = Node::Kind::kScalar;
      key.text = member.key;
      key.at = member.key_at;
      FillScalarField(key, *entry.map_key(), added);
      FillField(member, *entry.map_value(), added);
    }
  }

  void FillScalarField(const Node& node, const FieldDescriptor& field, Message& into) {
    secret_ = IsSecret(field);
    if (!node.scalar())
      Misfit(node, "one value belongs here",
             node.list() ? "write it without brackets or dash" : "write it after the colon");
    else if (const auto unfit = FillScalar(node, field, into))
      Misfit(node, unfit->why, unfit->remedy);
    secret_ = false;
  }

  void FillKnownType(const Node& node, Message& into) {
    const auto unfit = FillKnown(node, into);
    if (unfit) Misfit(node, unfit->why, unfit->remedy);
  }

  // {"@type": "type.googleapis.com/x.y.Z", fields of Z}, for a Z that is linked in.
  void FillAny(const Node& node, Message& into) {
    Node fields = node;
    std::optional<Node> type_node;
    std::erase_if(fields.children, [&](Node& child) {
      if (child.key != kTypeKey) return false;
      type_node = std::move(child);
      return true;
    });
    if (!type_node || !type_node->scalar())
      return Add(node.at, "", "no @type", Cat("write \"@type\": ", kTypePrefix, "..."));
    std::string_view name = type_node->text;
    if (name.starts_with(kTypePrefix)) name.remove_prefix(kTypePrefix.size());
    const Message* prototype = PrototypeOf(name);
    auto* any = google::protobuf::DynamicCastToGenerated<google::protobuf::Any>(&into);
    if (prototype == nullptr || any == nullptr)
      return Add(type_node->at, ShownValue(type_node->text), "no such type in this build", "link the filter in");
    const std::unique_ptr<Message> inner(prototype->New());
    FillFields(fields, *inner);
    any->PackFrom(*inner);
  }

  const std::string_view file_;
  std::vector<ConfigError>& errors_;
  std::string path_;
  bool secret_ = false;  // the value at hand must not be shown
};

}  // namespace

void Fill(const Node& root, std::string_view file, Message& into, std::vector<ConfigError>& errors) {
  Filler(file, errors).FillMessage(root, into);
}

}  // namespace egret
