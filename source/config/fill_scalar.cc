#include "source/config/fill_scalar.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/config/error.h"
#include "source/config/json_parser.h"
#include "source/config/nearest.h"
#include "source/config/schema.h"

namespace egret {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Reflection has a setter and an adder for each type.
#define EGRET_PUT(Type, value)                                                 \
  (field.is_repeated() ? into.GetReflection()->Add##Type(&into, &field, value) \
                       : into.GetReflection()->Set##Type(&into, &field, value))

std::optional<Unfit> FillSigned(const Node& node, const FieldDescriptor& field, Message& into) {
  const bool wide = field.cpp_type() == FieldDescriptor::CPPTYPE_INT64;
  using Narrow = std::numeric_limits<int32_t>;
  using Wide = std::numeric_limits<int64_t>;
  const auto value = ParseSigned(node.text, wide ? Wide::min() : Narrow::min(), wide ? Wide::max() : Narrow::max());
  if (!value) return value.error();
  wide ? EGRET_PUT(Int64, *value) : EGRET_PUT(Int32, static_cast<int32_t>(*value));
  return std::nullopt;
}

std::optional<Unfit> FillUnsigned(const Node& node, const FieldDescriptor& field, Message& into) {
  const bool wide = field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
  const auto value =
      ParseUnsigned(node.text, wide ? std::numeric_limits<uint64_t>::max() : std::numeric_limits<uint32_t>::max());
  if (!value) return value.error();
  wide ? EGRET_PUT(UInt64, *value) : EGRET_PUT(UInt32, static_cast<uint32_t>(*value));
  return std::nullopt;
}

std::optional<Unfit> FillReal(const Node& node, const FieldDescriptor& field, Message& into) {
  double value = 0;
  const auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
  if (!IsJsonNumber(node.text) || error != std::errc()) return Unfit{"not a number", "write e.g. 0.5"};
  field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE ? EGRET_PUT(Double, value)
                                                      : EGRET_PUT(Float, static_cast<float>(value));
  return std::nullopt;
}

std::optional<Unfit> FillBool(const Node& node, const FieldDescriptor& field, Message& into) {
  if (node.quoted || (node.text != "true" && node.text != "false"))
    return Unfit{"neither true nor false", "write true or false, without quotes"};
  EGRET_PUT(Bool, node.text == "true");
  return std::nullopt;
}

std::optional<Unfit> FillEnum(const Node& node, const FieldDescriptor& field, Message& into) {
  const auto names = ValueNames(*field.enum_type());
  const EnumValueDescriptor* value = field.enum_type()->FindValueByName(node.text);
  if (value == nullptr && IsJsonNumber(node.text)) return Unfit{"numbers are not taken here", Suggest("", names)};
  if (value == nullptr) return Unfit{"no such value", Suggest(node.text, names)};
  EGRET_PUT(Enum, value);
  return std::nullopt;
}

std::optional<Unfit> FillText(const Node& node, const FieldDescriptor& field, Message& into) {
  if (!IsPlainText(node.text)) return Unfit{"a control character inside", "take it out"};
  EGRET_PUT(String, node.text);
  return std::nullopt;
}

std::optional<Unfit> FillBytes(const Node& node, const FieldDescriptor& field, Message& into) {
  auto bytes = ParseBase64(node.text);
  if (!bytes) return Unfit{"not base64", "encode the bytes with base64, with its padding"};
  EGRET_PUT(String, *std::move(bytes));
  return std::nullopt;
}

#undef EGRET_PUT

}  // namespace

std::optional<Unfit> FillScalar(const Node& node, const FieldDescriptor& field, Message& into) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return FillSigned(node, field, into);
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return FillUnsigned(node, field, into);
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return FillReal(node, field, into);
    case FieldDescriptor::CPPTYPE_BOOL:
      return FillBool(node, field, into);
    case FieldDescriptor::CPPTYPE_ENUM:
      return FillEnum(node, field, into);
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? FillBytes(node, field, into) : FillText(node, field, into);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return Unfit{"a map belongs here", "write keys below it"};
}

}  // namespace egret
