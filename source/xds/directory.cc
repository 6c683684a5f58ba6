#include "source/xds/directory.h"

#include <dirent.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/strings.h"
#include "source/config/bootstrap_file.h"
#include "source/config/renewable.h"
#include "source/config/shape.h"
#include "source/xds/check_alone.h"

namespace egret {
namespace {

using config::v1::Resources;
using google::protobuf::Message;

constexpr std::string_view kEndings[] = {".yaml", ".yml", ".json", ".textproto", ".txtpb", ".pbtxt"};

bool IsResourceFile(std::string_view name) {
  const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
  return !name.starts_with('.') && std::any_of(std::begin(kEndings), std::end(kEndings), ends);
}

std::vector<std::string> FilesIn(const std::string& path) {
  std::vector<std::string> files;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), closedir);
  if (!folder) return files;
  while (const dirent* entry = readdir(folder.get()))  // NOLINT(concurrency-mt-unsafe): a stream of our own
    if (IsResourceFile(entry->d_name)) files.push_back(Cat(path, "/", entry->d_name));
  std::sort(files.begin(), files.end());
  return files;
}

class DirectoryReader {
 public:
  explicit DirectoryReader(const Bodies& own) : own_(own) {}

  void Read(const std::string& file) {
    Resources resources;
    LoadResult loaded = LoadFile(file, resources);
    const auto locations = std::make_shared<const Locations>(std::move(loaded.locations));
    if (loaded.ok())
      for (ConfigError& error : CheckShape(resources)) Tell({"", locations}, std::move(error));
    for (ConfigError& error : loaded.errors) set_.errors.push_back(std::move(error));
    if (!set_.errors.empty()) return;
    for (const ResourceType type : kResourceTypes) {
      const auto& list = *Resources::descriptor()->FindFieldByName(std::string(ListOf(type)));
      const auto& reflection = *resources.GetReflection();
      for (int i = 0; i < reflection.FieldSize(resources, &list); ++i)
        Add(type, reflection.GetRepeatedMessage(resources, &list, i),
            {Below(ListOf(type), static_cast<size_t>(i)), locations});
    }
  }

  DirectorySet Take() {
    if (set_.errors.empty()) {
      std::vector<BodyPtr> bodies;
      for (const auto& [key, body] : set_.bodies) bodies.push_back(body);
      auto errors = CheckAlone(bodies);
      for (size_t i = 0; i < bodies.size(); ++i)
        for (ConfigError& error : errors[i]) Tell(set_.origins.at(bodies[i]->key), std::move(error));
    }
    SortByPlace(set_.errors);
    return std::move(set_);
  }

 private:
  void Add(ResourceType type, const Message& message, ResourceOrigin origin) {
    auto body = std::make_shared<ResourceBody>();
    std::shared_ptr<Message> copy(message.New());
    copy->CopyFrom(message);
    body->key = {type, OwnName(message)};
    body->references = ReferencesIn(message);
    body->message = std::move(copy);
    if (own_.contains(body->key))
      return Tell(origin, {.field = "name",
                           .value = ShownValue(body->key.name),
                           .why = "the bootstrap has one of this name, and it stays",
                           .remedy = "choose another name"});
    const auto [there, added] = set_.bodies.emplace(body->key, body);
    if (!added)
      return Tell(origin, {.field = "name",
                           .value = ShownValue(body->key.name),
                           .why = Cat("there is one of this name in ", set_.origins.at(body->key).locations->file()),
                           .remedy = "rename one of them"});
    set_.origins.emplace(body->key, std::move(origin));
  }

  void Tell(const ResourceOrigin& origin, ConfigError error) { set_.errors.push_back(origin.Place(std::move(error))); }

  const Bodies& own_;
  DirectorySet set_;
};

}  // namespace

ConfigError ResourceOrigin::Place(ConfigError error) const {
  error.field = error.field.empty() ? path : Below(path, error.field);
  if (!error.file.empty()) return error;
  const Position at = locations->Find(error.field);
  error.file = locations->file();
  error.line = at.line;
  error.col = at.col;
  return error;
}

DirectorySet ReadDirectory(const std::string& path, const Bodies& own) { return ReadDirectories({path}, own); }

DirectorySet ReadDirectories(const std::vector<std::string>& paths, const Bodies& own) {
  std::vector<std::string> files;
  for (const std::string& path : paths)
    for (std::string& file : FilesIn(path)) files.push_back(std::move(file));
  if (files.empty()) {
    DirectorySet none;
    none.errors = {
        {.file = paths.back(), .why = "no resource file in it", .remedy = "put in at least one, e.g. egress.yaml"}};
    return none;
  }
  DirectoryReader reader(own);
  for (const std::string& file : files) reader.Read(file);
  return reader.Take();
}

bool DirectoryWatch::Look() {
  std::string now;
  for (const std::string& folder : folders_)
    for (const std::string& file : FilesIn(folder)) Append(now, file, " ", StampOf({file}));
  for (const std::string& file : files_) Append(now, file, " ", StampOf({file}));
  const bool at_rest = now == seen_ || !read_;
  seen_ = now;
  if (!at_rest || read_ == now) return false;
  read_ = std::move(now);
  return true;
}

}  // namespace egret
