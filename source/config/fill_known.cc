#include "source/config/fill_known.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <charconv>
#include <cmath>

#include "source/config/error.h"
#include "source/config/json_parser.h"

namespace egret {
namespace {

using google::protobuf::DynamicCastToGenerated;

std::optional<Unfit> FillDuration(const Node& node, google::protobuf::Duration& into) {
  const auto parts = ParseDuration(node.scalar() ? node.text : "");
  if (!parts) return parts.error();
  into.set_seconds(parts->seconds);
  into.set_nanos(parts->nanos);
  return std::nullopt;
}

std::optional<Unfit> FillTimestamp(const Node& node, google::protobuf::Timestamp& into) {
  if (!node.scalar() || !google::protobuf::util::TimeUtil::FromString(node.text, &into))
    return Unfit{"not a time", "write it as RFC 3339, e.g. 2027-01-31T12:00:00Z"};
  return std::nullopt;
}

std::optional<Unfit> FillStruct(const Node& node, google::protobuf::Struct& into);
std::optional<Unfit> FillListValue(const Node& node, google::protobuf::ListValue& into);

std::optional<Unfit> FillPlain(const Node& node, google::protobuf::Value& into) {
  if (!IsPlainText(node.text)) return Unfit{"a control character inside", "take it out"};
  double number = 0;
  if (node.plain() && (node.text == "true" || node.text == "false")) {
    into.set_bool_value(node.text == "true");
  } else if (node.plain() && IsJsonNumber(node.text)) {
    const auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), number);
    if (error != std::errc() || !std::isfinite(number)) return Unfit{"out of range", "write it as text, in quotes"};
    into.set_number_value(number);
  } else {
    into.set_string_value(node.text);
  }
  return std::nullopt;
}

std::optional<Unfit> FillValue(const Node& node, google::protobuf::Value& into) {
  switch (node.kind) {
    case Node::Kind::kNull:
      into.set_null_value(google::protobuf::NULL_VALUE);
      return std::nullopt;
    case Node::Kind::kScalar:
      return FillPlain(node, into);
    case Node::Kind::kMap:
      return FillStruct(node, *into.mutable_struct_value());
    case Node::Kind::kList:
      return FillListValue(node, *into.mutable_list_value());
  }
  return std::nullopt;
}

std::optional<Unfit> FillStruct(const Node& node, google::protobuf::Struct& into) {
  if (!node.map()) return Unfit{"a map belongs here", "write keys below it"};
  for (const Node& child : node.children) {
    if (!IsPlainText(child.key)) return Unfit{"a control character inside a key", "take it out"};
    if (auto unfit = FillValue(child, (*into.mutable_fields())[child.key])) return unfit;
  }
  return std::nullopt;
}

std::optional<Unfit> FillListValue(const Node& node, google::protobuf::ListValue& into) {
  if (!node.list()) return Unfit{"a list belongs here", "begin each entry with a dash"};
  for (const Node& child : node.children)
    if (auto unfit = FillValue(child, *into.add_values())) return unfit;
  return std::nullopt;
}

}  // namespace

std::optional<Unfit> FillKnown(const Node& node, google::protobuf::Message& into) {
  if (auto* duration = DynamicCastToGenerated<google::protobuf::Duration>(&into)) return FillDuration(node, *duration);
  if (auto* time = DynamicCastToGenerated<google::protobuf::Timestamp>(&into)) return FillTimestamp(node, *time);
  if (auto* map = DynamicCastToGenerated<google::protobuf::Struct>(&into)) return FillStruct(node, *map);
  if (auto* list = DynamicCastToGenerated<google::protobuf::ListValue>(&into)) return FillListValue(node, *list);
  if (auto* value = DynamicCastToGenerated<google::protobuf::Value>(&into)) return FillValue(node, *value);
  return Unfit{"cannot be written here", ""};
}

}  // namespace egret
