#include "source/config/redact.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace egret {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Wherever it stands, so that no new place for one is forgotten here.
void Redact(Message& message) {
  if (auto* secret = dynamic_cast<config::v1::Secret*>(&message)) {
    const std::string name = secret->name();
    secret->Clear();
    secret->set_name(name);
    return;
  }
  if (auto* header = dynamic_cast<filters::http::v1::HeaderRewrite::Header*>(&message)) {
    header->set_value("***");
    return;
  }
  if (auto* replace = dynamic_cast<filters::http::v1::BodyRewrite::Replace*>(&message)) {
    replace->has_pattern() ? replace->set_pattern("***") : replace->set_text("***");
    replace->set_with("***");
    return;
  }
  if (auto* insert = dynamic_cast<filters::http::v1::BodyRewrite::Insert*>(&message)) {
    insert->set_text("***");
    return;
  }
  std::vector<const FieldDescriptor*> fields;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      Redact(*reflection.MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      Redact(*reflection.MutableRepeatedMessage(&message, field, i));
  }
}

}  // namespace

config::v1::Bootstrap Redacted(const config::v1::Bootstrap& bootstrap) {
  config::v1::Bootstrap shown = bootstrap;
  Redact(shown);
  return shown;
}

}  // namespace egret
