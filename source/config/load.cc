#include "source/config/load.h"

#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/config/fill.h"
#include "source/config/json_parser.h"
#include "source/config/textproto.h"
#include "source/config/yaml.h"

namespace egret {
namespace {

// Bytes that no format has a use for, and that parsers disagree about: yaml-cpp takes 0x04 for the end of the file.
bool CheckText(std::string_view text, std::string_view file, std::vector<ConfigError>& errors) {
  if (text.size() > kMostBytes) {
    errors.push_back({.file = std::string(file),
                      .why = Cat("more than ", kMostBytes >> 20, " MiB"),
                      .remedy = "put long lists of names into a file of a domain set"});
    return false;
  }
  int line = 0;
  for (std::string_view rest = text; !rest.empty();) {
    ++line;
    if (IsPlainText(SplitFirst(rest, '\n'))) continue;
    errors.push_back({.file = std::string(file),
                      .line = line,
                      .col = 1,
                      .why = "not UTF-8 text, or a control character",
                      .remedy = "write it in quotes and escaped, or as base64 in a field that takes bytes"});
    return false;
  }
  return true;
}

}  // namespace

Format FormatOf(std::string_view file_name) {
  if (file_name.ends_with(".json")) return Format::kJson;
  for (const std::string_view end : {".textproto", ".txtpb", ".pbtxt"})
    if (file_name.ends_with(end)) return Format::kTextproto;
  return Format::kYaml;
}

LoadResult Load(std::string_view text, std::string_view file_name, Format format, google::protobuf::Message& into) {
  LoadResult result;
  if (!CheckText(text, file_name, result.errors)) return result;
  if (format == Format::kTextproto) return LoadTextproto(text, file_name, into);
  Tree tree = format == Format::kJson ? ParseJson(text, file_name) : ParseYaml(text, file_name);
  result.errors = std::move(tree.errors);
  if (tree.root) {
    Fill(*tree.root, file_name, into, result.errors);
    result.locations = Locations(std::string(file_name), std::move(*tree.root));
  }
  SortByPlace(result.errors);
  return result;
}

}  // namespace egret
