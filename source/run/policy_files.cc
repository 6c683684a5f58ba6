#include "source/run/policy_files.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/config/data_source.h"
#include "source/config/load.h"
#include "source/xds/compose.h"
#include "source/xds/directory.h"

namespace egret {
namespace {

using config::v1::Bootstrap;

constexpr std::array<std::string_view, 7> kTaken = {"policies",      "domain_sets", "upstreams",    "secrets",
                                                    "workload_sets", "resolver",    "address_guard"};

Result<PolicyFiles, Problem> ReadFolder(const std::string& path) {
  DirectorySet read = ReadDirectory(path, {});
  if (HasErrors(read.errors)) return Problem{ToString(read.errors)};
  std::erase_if(read.bodies, [](const auto& one) { return one.first.type == ResourceType::kListener; });
  return PolicyFiles{*Compose({}, read.bodies), {}};
}

// The first field that has no place here.
std::string Misplaced(const Bootstrap& bootstrap) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  bootstrap.GetReflection()->ListFields(bootstrap, &fields);
  for (const auto* const field : fields)
    if (std::find(kTaken.begin(), kTaken.end(), field->name()) == kTaken.end()) return field->name();
  return {};
}

Result<PolicyFiles, Problem> ReadOneFile(const std::string& path) {
  config::v1::DataSource file;
  file.set_file(path);
  const Result<std::string, Problem> text = ReadDataSource(file);
  if (!text) return text.error();
  PolicyFiles files;
  LoadResult loaded = Load(*text, path, FormatOf(path), files.resources);
  if (!loaded.ok()) return Problem{ToString(loaded.errors)};
  if (const std::string name = Misplaced(files.resources); !name.empty())
    return Problem{Cat(path, ": ", name, ": a run has its own; leave policies and what they use")};
  files.locations = std::move(loaded.locations);
  return files;
}

}  // namespace

Result<PolicyFiles, Problem> ReadPolicyFiles(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error) ? ReadFolder(path) : ReadOneFile(path);
}

}  // namespace egret
