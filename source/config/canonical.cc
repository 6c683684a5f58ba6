#include "source/config/canonical.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include "source/base/check.h"

namespace egret {

std::string ToCanonicalJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string out;
  // Fails only for an Any of a type that is not linked in, which Load does not let through.
  const auto status = google::protobuf::util::MessageToJsonString(message, &out, options);
  CHECK(status.ok());
  return out;
}

std::string ToTextproto(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  printer.SetExpandAny(true);
  std::string out;
  CHECK(printer.PrintToString(message, &out));
  return out;
}

}  // namespace egret
