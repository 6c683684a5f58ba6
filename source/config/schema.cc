#include "source/config/schema.h"

#include <algorithm>

#include "source/base/strings.h"

namespace egret {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;

const FieldDescriptor* FieldOf(const Descriptor& type, std::string_view key) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->name() == key || field->json_name() == key) return field;
  }
  return nullptr;
}

std::vector<std::string> FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(type.field_count()));
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

bool IsFilter(const Descriptor& type) { return type.FindOneofByName("filter") != nullptr; }

bool IsBareFilter(const FieldDescriptor& field) {
  const OneofDescriptor* oneof = field.real_containing_oneof();
  return oneof != nullptr && oneof->name() == "filter" && field.message_type() != nullptr &&
         field.message_type()->full_name() != "google.protobuf.Any";
}

std::vector<std::string> FilterNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i)
    if (IsBareFilter(*type.field(i))) names.push_back(type.field(i)->name());
  return names;
}

std::string MemberNames(const OneofDescriptor& oneof) {
  std::string names;
  for (int i = 0; i < oneof.field_count(); ++i) Append(names, i > 0 ? ", " : "", oneof.field(i)->name());
  return names;
}

std::vector<std::string> ValueNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i)
    if (!type.value(i)->name().ends_with("_UNSPECIFIED")) names.push_back(type.value(i)->name());
  return names;
}

bool IsSecret(const FieldDescriptor& field) {
  return field.containing_type()->full_name() == "egret.config.v1.DataSource" && field.name().starts_with("inline_");
}

bool IsKnownType(const Descriptor& type) {
  static constexpr std::string_view kKnown[] = {"google.protobuf.Duration", "google.protobuf.Timestamp",
                                                "google.protobuf.Struct", "google.protobuf.Value",
                                                "google.protobuf.ListValue"};
  return std::find(std::begin(kKnown), std::end(kKnown), type.full_name()) != std::end(kKnown);
}

const google::protobuf::Message* PrototypeOf(std::string_view full_name) {
  if (full_name.starts_with("google.protobuf.")) return nullptr;
  const auto& pool = *google::protobuf::DescriptorPool::generated_pool();
  const Descriptor* type = pool.FindMessageTypeByName(std::string(full_name));
  return type == nullptr ? nullptr : google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
}

}  // namespace egret
