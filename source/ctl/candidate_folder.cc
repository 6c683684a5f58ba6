#include "source/ctl/candidate_folder.h"

#include <utility>

namespace egret {
namespace {

template <class Resource>
std::string Add(const ResourceBody& body, google::protobuf::RepeatedPtrField<Resource>& to) {
  *to.Add() = static_cast<const Resource&>(*body.message);
  return Below(ListOf(body.key.type), static_cast<size_t>(to.size() - 1));
}

}  // namespace

ConfigError CandidateFolder::Place(ConfigError error) const {
  const size_t end = error.field.find(']');
  const auto origin = end == std::string::npos ? origins.end() : origins.find(error.field.substr(0, end + 1));
  if (origin == origins.end()) return error;
  error.field.erase(0, end + 1);
  if (error.field.starts_with('.')) error.field.erase(0, 1);
  return origin->second.Place(std::move(error));
}

ConfigError CandidateFolder::PlaceOf(std::string_view type_url, const std::string& name, ConfigError error) const {
  const auto type = ParseTypeUrl(type_url);
  const auto place = type ? places.find({*type, name}) : places.end();
  return place == places.end() ? error : origins.at(place->second).Place(std::move(error));
}

CandidateFolder ReadCandidateFolder(const std::string& path) {
  CandidateFolder folder;
  DirectorySet set = ReadDirectory(path, {});
  folder.errors = std::move(set.errors);
  for (const auto& [key, body] : set.bodies) {
    std::string place;
    if (key.type == ResourceType::kEgressPolicy) {
      place = Add(*body, *folder.resources.mutable_policies());
    } else if (key.type == ResourceType::kDomainSet) {
      place = Add(*body, *folder.resources.mutable_domain_sets());
    } else {
      ++folder.left_out;
      continue;
    }
    folder.places.emplace(key, place);
    folder.origins.emplace(std::move(place), set.origins.at(key));
  }
  return folder;
}

}  // namespace egret
