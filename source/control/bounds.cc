#include "source/control/bounds.h"

#include <string>
#include <vector>

namespace egret {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kMostText = 1'000;
constexpr int kMostListed = 50;

// Not within a character: what is no UTF-8 cannot be sent on.
std::string Cut(const std::string& text) {
  size_t end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

void ShortenText(Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  std::string copy;
  const std::string& text = reflection.GetStringReference(message, &field, &copy);
  if (text.size() > kMostText) reflection.SetString(&message, &field, Cut(text));
}

void ShortenList(Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  while (reflection.FieldSize(message, &field) > kMostListed) reflection.RemoveLast(&message, &field);
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i)
    Shorten(*reflection.MutableRepeatedMessage(&message, &field, i));
}

}  // namespace

void Shorten(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (is_message && field->is_repeated())
      ShortenList(message, reflection, *field);
    else if (is_message)
      Shorten(*reflection.MutableMessage(&message, field));
    else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field->is_repeated())
      ShortenText(message, reflection, *field);
  }
}

}  // namespace egret
