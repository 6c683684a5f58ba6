#include "source/config/shape.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

#include <memory>
#include <string>
#include <utility>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/strings.h"
#include "source/config/nearest.h"
#include "source/config/schema.h"
#include "source/config/tree.h"

namespace egret {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class ShapeChecker {
 public:
  explicit ShapeChecker(const Judged& judged) : judged_(judged) {}

  std::vector<ConfigError> Take() { return std::move(errors_); }

  void Check(const Message& message, const std::string& path) {
    const Descriptor& type = *message.GetDescriptor();
    if (IsKnownType(type) || judged_.Has(message)) return;
    const Reflection& reflection = *message.GetReflection();
    if (!reflection.GetUnknownFields(message).empty())
      Add(path, "a field that this release does not know", "update the proxy, or leave the field out");
    for (int i = 0; i < type.real_oneof_decl_count(); ++i)
      if (!reflection.HasOneof(message, type.oneof_decl(i)))
        Add(path, Cat("no ", type.oneof_decl(i)->name()),
            Cat("give exactly one of ", MemberNames(*type.oneof_decl(i))));
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) CheckField(message, *field, Below(path, field->name()));
    CheckAny(message, path);
  }

 private:
  void Add(const std::string& path, std::string why, std::string remedy) {
    errors_.push_back({.field = path, .why = std::move(why), .remedy = std::move(remedy)});
  }

  void CheckField(const Message& message, const FieldDescriptor& field, const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    if (!field.is_repeated()) return CheckOne(message, field, -1, path);
    if (field.type() == FieldDescriptor::TYPE_STRING) return CheckTexts(message, field, path);
    const bool resources = message.GetDescriptor() == config::v1::Bootstrap::descriptor();
    const int count = reflection.FieldSize(message, &field);
    for (int i = 0; i < count; ++i) {
      if (resources && judged_.Has(reflection.GetRepeatedMessage(message, &field, i))) continue;
      if (resources) nodes_ = 0;
      CheckOne(message, field, i, Below(path, static_cast<size_t>(i)));
    }
  }

  bool Count(const std::string& path) {
    if (++nodes_ == kMostNodes + 1) Add(path, Cat("more than ", kMostNodes, " values"), "make it smaller");
    return nodes_ <= kMostNodes;
  }

  // There may be a million of them: no path is made that nobody needs.
  void CheckTexts(const Message& message, const FieldDescriptor& field, const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    std::string unused;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      if (!Count(path)) return;
      if (!IsPlainText(reflection.GetRepeatedStringReference(message, &field, i, &unused)))
        AddText(Below(path, static_cast<size_t>(i)));
    }
  }
  void AddText(const std::string& path) { Add(path, "a control character inside", "take it out"); }

  void CheckOne(const Message& message, const FieldDescriptor& field, int index, const std::string& path) {
    if (!Count(path)) return;
    const Reflection& reflection = *message.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Check(index < 0 ? reflection.GetMessage(message, &field) : reflection.GetRepeatedMessage(message, &field, index),
            path);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      const int value = index < 0 ? reflection.GetEnumValue(message, &field)
                                  : reflection.GetRepeatedEnumValue(message, &field, index);
      if (field.enum_type()->FindValueByNumber(value) == nullptr)
        Add(path, "a value that this release does not know", Suggest("", ValueNames(*field.enum_type())));
    } else if (field.type() == FieldDescriptor::TYPE_STRING) {
      std::string unused;
      if (!IsPlainText(reflection.GetStringReference(message, &field, &unused))) AddText(path);
    }
  }

  // What an Any holds is checked as well.
  void CheckAny(const Message& message, const std::string& path) {
    const auto* any = google::protobuf::DynamicCastToGenerated<google::protobuf::Any>(&message);
    if (any == nullptr) return;
    std::string name;
    const bool named = google::protobuf::Any::ParseAnyTypeUrl(any->type_url(), &name);
    const Message* prototype = named ? PrototypeOf(name) : nullptr;
    if (prototype == nullptr) return Add(path, "no such type in this build", "link the filter in");
    const std::unique_ptr<Message> inner(prototype->New());
    if (!inner->ParseFromString(any->value())) return Add(path, "cannot be read as its type", "");
    Check(*inner, path);
  }

  const Judged& judged_;
  std::vector<ConfigError> errors_;
  size_t nodes_ = 0;
};

}  // namespace

std::vector<ConfigError> CheckShape(const Message& message, const Judged& judged) {
  ShapeChecker checker(judged);
  checker.Check(message, "");
  return checker.Take();
}

}  // namespace egret
