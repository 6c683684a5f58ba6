#include "source/config/secret_table.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/config/data_source.h"
#include "source/config/walk.h"

namespace egret {
namespace {

using config::v1::DataSource;
using config::v1::Secret;

class FileFinder final : public Visitor {
 public:
  explicit FileFinder(std::vector<std::string>& files) : files_(files) {}

  void Enter(const google::protobuf::Message& message, const std::string& /*path*/) override {
    if (message.GetDescriptor() != DataSource::descriptor()) return;
    const auto& source = static_cast<const DataSource&>(message);
    if (source.has_file()) files_.push_back(source.file());
  }
  bool Visit(const google::protobuf::Message& /*holder*/, const google::protobuf::FieldDescriptor& /*field*/,
             const std::string& /*path*/) override {
    return true;
  }

 private:
  std::vector<std::string>& files_;
};

}  // namespace

SecretTable::SecretTable(const config::v1::Bootstrap& bootstrap, const SecretTable* before) {
  for (const Secret& secret : bootstrap.secrets()) {
    std::shared_ptr<const Secret> known = before == nullptr ? nullptr : before->Find(secret.name());
    if (known == nullptr || !google::protobuf::util::MessageDifferencer::Equals(*known, secret))
      known = std::make_shared<const Secret>(secret);
    secrets_.emplace(secret.name(), std::move(known));
  }
}

const Secret& SecretTable::Get(std::string_view name) const {
  const auto at = secrets_.find(name);
  CHECK(at != secrets_.end());  // validated
  return *at->second;
}

std::shared_ptr<const Secret> SecretTable::Find(std::string_view name) const {
  const auto at = secrets_.find(name);
  return at == secrets_.end() ? nullptr : at->second;
}

std::vector<std::string> SecretTable::FilesOf(const std::vector<std::string>& names) const {
  std::vector<std::string> files;
  FileFinder finder(files);
  for (const std::string& name : names) Walk(Get(name), "", finder);
  return files;
}

bool SecretTable::Changed(const std::vector<std::string>& names, const SecretTable& before) const {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return Find(name) != before.Find(name); });
}

Result<std::string, Problem> ReadPart(const DataSource& source, const Secret& secret, std::string_view field) {
  if (source.source_case() == DataSource::SOURCE_NOT_SET) return std::string();
  Result<std::string, Problem> text = ReadDataSource(source);
  if (!text) return Problem{Cat("secrets.", secret.name(), ".", field, ": ", text.error().text)};
  return text;
}

}  // namespace egret
