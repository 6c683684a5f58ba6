#include "source/config/check_names.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/nearest.h"
#include "source/config/references.h"
#include "source/config/walk.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class NameChecker : public Visitor {
 public:
  explicit NameChecker(const Bootstrap& bootstrap) : bootstrap_(bootstrap) {
    for (const ResourceList& list : ResourceLists()) Gather(list);
  }

  std::vector<ConfigError> Take() { return std::move(errors_); }

  bool Seeks(const google::protobuf::Descriptor& type) override { return within_(type); }
  bool Visit(const Message& holder, const FieldDescriptor& field, const std::string& path) override {
    const Reference* reference = ReferenceOf(field);
    if (reference != nullptr && !reference->in_policy) CheckReference(*reference, holder, field, path);
    return true;
  }

 private:
  using Names = std::map<std::string_view, const Message*>;

  void Add(const std::string& path, std::string value, std::string why, std::string remedy) {
    errors_.push_back({.field = path, .value = std::move(value), .why = std::move(why), .remedy = std::move(remedy)});
  }

  void Gather(const ResourceList& resource) {
    const FieldDescriptor& list = *bootstrap_.GetDescriptor()->FindFieldByName(std::string(resource.field));
    const Reflection& reflection = *bootstrap_.GetReflection();
    const FieldDescriptor& name_field = *list.message_type()->FindFieldByName("name");
    std::string unused;
    Names& names = names_[resource.field];
    for (int i = 0; i < reflection.FieldSize(bootstrap_, &list); ++i) {
      const Message& one = reflection.GetRepeatedMessage(bootstrap_, &list, i);
      const std::string& name = one.GetReflection()->GetStringReference(one, &name_field, &unused);
      const size_t others = names.size();
      if (!name.empty()) names.emplace_hint(names.end(), name, &one);  // often in order
      if (name.empty() || names.size() > others) continue;
      Add(Below(Below(resource.field, static_cast<size_t>(i)), "name"), ShownValue(name),
          Cat("another ", resource.noun, " has this name"), "rename one of them");
    }
  }

  void CheckReference(const Reference& reference, const Message& holder, const FieldDescriptor& field,
                      const std::string& path) {
    const auto lists = ResourceLists();
    const std::string_view noun = std::find_if(lists.begin(), lists.end(), [&](const ResourceList& list) {
                                    return list.field == reference.list;
                                  })->noun;
    const Names& names = names_[reference.list];
    for (const TextAt& text : TextsOf(holder, field, path)) {
      const auto found = names.find(text.text);
      if (found == names.end()) {
        Add(text.path, ShownValue(text.text), Cat("no ", noun, " of this name"),
            Remedy(text.text, names, reference.list));
      } else if (!reference.member.empty() && !Has(*found->second, reference.member)) {
        Add(text.path, ShownValue(text.text), Cat("the ", noun, " of this name is another kind"),
            Cat("name one with `", reference.member, "`"));
      }
    }
  }

  static std::string Remedy(const std::string& name, const Names& names, std::string_view list) {
    std::vector<std::string> known;
    for (const auto& [one, message] : names) known.emplace_back(one);
    return known.empty() ? Cat("add it under ", list) : Suggest(name, known);
  }

  static bool Has(const Message& message, std::string_view member) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(std::string(member));
    return message.GetReflection()->HasField(message, field);
  }

  static bool Refers(const google::protobuf::Descriptor& type) {
    for (int i = 0; i < type.field_count(); ++i) {
      const Reference* reference = ReferenceOf(*type.field(i));
      if (reference != nullptr && !reference->in_policy) return true;
    }
    return false;
  }

  const Bootstrap& bootstrap_;
  Within within_{Refers};
  std::map<std::string_view, Names> names_;
  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> CheckNames(const Bootstrap& bootstrap) {
  NameChecker checker(bootstrap);
  Walk(bootstrap, "", checker);
  return checker.Take();
}

}  // namespace egret
