#include "source/config/walk.h"

namespace egret {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool Visitor::Seeks(const google::protobuf::Descriptor&) { return true; }
bool Visitor::Enters(const Message&) { return true; }
void Visitor::Enter(const Message&, const std::string&) {}

void Walk(const Message& message, const std::string& path, Visitor& visitor) {
  visitor.Enter(message, path);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string below = Below(path, field->name());
    if (!visitor.Visit(message, *field, below) || field->is_map()) continue;
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (field->message_type()->full_name().starts_with("google.protobuf.")) continue;
    if (!visitor.Seeks(*field->message_type())) continue;
    if (!field->is_repeated()) {
      const Message& one = reflection.GetMessage(message, field);
      if (visitor.Enters(one)) Walk(one, below, visitor);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      const Message& one = reflection.GetRepeatedMessage(message, field, i);
      if (visitor.Enters(one)) Walk(one, Below(below, static_cast<size_t>(i)), visitor);
    }
  }
}

bool Within::operator()(const Type& type) {
  const auto [at, added] = known_.try_emplace(&type, false);  // a circle adds nothing
  if (!added) return at->second;
  bool found = is_sought_(type);
  for (int i = 0; i < type.field_count() && !found; ++i)
    found = type.field(i)->message_type() != nullptr && (*this)(*type.field(i)->message_type());
  return known_[&type] = found;
}

std::vector<TextAt> TextsOf(const Message& holder, const FieldDescriptor& field, const std::string& path) {
  const Reflection& reflection = *holder.GetReflection();
  if (!field.is_repeated()) return {{reflection.GetString(holder, &field), path}};
  const int count = reflection.FieldSize(holder, &field);
  std::vector<TextAt> texts;
  texts.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i)
    texts.push_back({reflection.GetRepeatedString(holder, &field, i), Below(path, static_cast<size_t>(i))});
  return texts;
}

}  // namespace egret
