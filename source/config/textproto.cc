#include "source/config/textproto.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/config/nearest.h"
#include "source/config/schema.h"
#include "source/config/shape.h"

namespace egret {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

class Collector : public google::protobuf::io::ErrorCollector {
 public:
  Collector(std::string_view file, std::vector<ConfigError>& errors) : file_(file), errors_(errors) {}
  // Counts from 0.
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    errors_.push_back({.file = std::string(file_), .line = line + 1, .col = column + 1, .why = message});
  }

 private:
  const std::string_view file_;
  std::vector<ConfigError>& errors_;
};

// What the parser noted about places, as a tree with the shape of the message, and the rule that protobuf does not
// have: values of enums are written by name.
class PlaceReader {
 public:
  PlaceReader(std::string_view text, std::string_view file, std::vector<ConfigError>& errors)
      : file_(file), errors_(errors) {
    while (!text.empty()) lines_.push_back(SplitFirst(text, '\n'));
  }

  Node Read(const Message& message, const TextFormat::ParseInfoTree* places, const std::string& path) {
    Node node;
    node.kind = Node::Kind::kMap;
    std::vector<const FieldDescriptor*> fields;
    if (places != nullptr && !IsKnownType(*message.GetDescriptor()))
      message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      if (field->is_map()) continue;
      node.children.push_back(field->is_repeated() ? ReadList(message, *field, *places, Below(path, field->name()))
                                                   : ReadOne(message, *field, -1, *places, Below(path, field->name())));
      node.children.back().key = field->name();
    }
    return node;
  }

 private:
  Node ReadList(const Message& message, const FieldDescriptor& field, const TextFormat::ParseInfoTree& places,
                const std::string& path) {
    Node list;
    const int count = message.GetReflection()->FieldSize(message, &field);
    for (int i = 0; i < count; ++i)
      list.children.push_back(ReadOne(message, field, i, places, Below(path, static_cast<size_t>(i))));
    list.kind = Node::Kind::kList;
    list.at = list.children.front().at;
    return list;
  }

  Node ReadOne(const Message& message, const FieldDescriptor& field, int index, const TextFormat::ParseInfoTree& places,
               const std::string& path) {
    Node node;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const auto& reflection = *message.GetReflection();
      const Message& below =
          index < 0 ? reflection.GetMessage(message, &field) : reflection.GetRepeatedMessage(message, &field, index);
      node = Read(below, places.GetTreeForNested(&field, index), path);
    }
    // A list in brackets is noted once, as its first entry.
    TextFormat::ParseLocation place = places.GetLocation(&field, index);
    if (place.line < 0) place = places.GetLocation(&field, std::min(index, 0));
    if (place.line < 0) return node;
    node.at = {place.line + 1, place.column + 1};
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) CheckEnum(field, node.at, path);
    return node;
  }

  // `action: 1` and `protocols: [TLS, 2]`.
  void CheckEnum(const FieldDescriptor& field, Position at, const std::string& path) {
    std::string_view line = lines_[static_cast<size_t>(at.line - 1)];
    line = line.substr(std::min(line.size(), static_cast<size_t>(at.col - 1) + field.name().size()));
    line = line.substr(0, line.find(']'));
    for (size_t i = 0; i < line.size(); ++i) {
      if (line[i] == ' ' || line[i] == ':' || line[i] == '[' || line[i] == ',' || line[i] == '\t') continue;
      if (IsAsciiDigit(line[i]) || line[i] == '-') {
        errors_.push_back({.file = std::string(file_),
                           .line = at.line,
                           .col = at.col,
                           .field = path,
                           .why = "numbers are not taken here",
                           .remedy = Suggest("", ValueNames(*field.enum_type()))});
        return;
      }
      if (!line.substr(0, i).ends_with(',') && line.find('[') == line.npos) return;
      while (i + 1 < line.size() && line[i + 1] != ',') ++i;
    }
  }

  std::vector<std::string_view> lines_;
  const std::string_view file_;
  std::vector<ConfigError>& errors_;
};

}  // namespace

LoadResult LoadTextproto(std::string_view text, std::string_view file, Message& into) {
  LoadResult result;
  TextFormat::ParseInfoTree places;
  Collector collector(file, result.errors);
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(&places);
  parser.SetRecursionLimit(kMostDepth);
  const bool parsed = parser.ParseFromString(std::string(text), &into);
  std::erase_if(result.errors, [&](const ConfigError&) { return parsed; });  // warnings
  if (!parsed) return result;
  Node root = PlaceReader(text, file, result.errors).Read(into, &places, "");
  root.at = {1, 1};
  result.locations = Locations(std::string(file), std::move(root));
  for (ConfigError& error : CheckShape(into)) {
    const Position at = result.locations.Find(error.field);
    error.file = file;
    error.line = at.line;
    error.col = at.col;
    result.errors.push_back(std::move(error));
  }
  SortByPlace(result.errors);
  return result;
}

}  // namespace egret
