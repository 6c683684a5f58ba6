#include "source/control/publication.h"

#include <set>
#include <utility>
#include <vector>

#include "envoy/config/core/v3/extension.pb.h"
#include "source/base/strings.h"
#include "source/control/content_hash.h"
#include "source/control/domain_lists.h"
#include "source/xds/read_resource.h"

namespace egret {
namespace {

using google::protobuf::Message;

class Publisher {
 public:
  Publisher(const Bodies& own, const Bodies& bodies) : own_(own), bodies_(bodies), lists_(bodies) {}

  Publication Run() {
    const Bodies needed = Choose(own_, bodies_, {}).bodies;
    for (const auto& [key, body] : bodies_) {
      if (key.type == ResourceType::kDomainSet) continue;
      if (key.type == ResourceType::kSecret && !needed.contains(key)) continue;
      std::unique_ptr<Message> message(body->message->New());
      message->CopyFrom(*body->message);
      lists_.Rename(*message);
      Add(key, *message);
    }
    for (const config::v1::DomainSet& set : lists_.published()) Add({ResourceType::kDomainSet, set.name()}, set);
    AddOwnNames();
    for (const auto& [url, type] : publication_.types)
      for (const auto& [name, resource] : type) Append(all_, url, " ", name, " ", resource.version, "\n");
    publication_.version = ContentHash(all_);
    return std::move(publication_);
  }

 private:
  // A bootstrap says the names that the lists have in the files.
  void AddOwnNames() {
    for (const auto& [owner, body] : own_)
      for (const ResourceKey& reference : body->references) {
        const auto found = bodies_.find(reference);
        if (reference.type != ResourceType::kDomainSet || found == bodies_.end()) continue;
        std::unique_ptr<Message> message(found->second->message->New());
        message->CopyFrom(*found->second->message);
        lists_.Rename(*message);
        Add(reference, *message);
      }
  }

  void Add(const ResourceKey& key, const Message& message) {
    PublishedResource resource;
    resource.any.set_type_url(std::string(TypeUrl(key.type)));
    resource.any.set_value(StableBytes(message));
    resource.version =
        key.type == ResourceType::kSecret ? SecretHash(resource.any.value()) : ContentHash(resource.any.value());
    if (key.type != ResourceType::kSecret) AddCarried(key, resource);
    publication_.types[resource.any.type_url()].insert_or_assign(key.name, std::move(resource));
  }

  // In this carrier all types share one space of names.
  void AddCarried(const ResourceKey& key, const PublishedResource& resource) {
    envoy::config::core::v3::TypedExtensionConfig carrier;
    carrier.set_name(Cat(NameOf(key.type), "/", key.name));
    *carrier.mutable_typed_config() = resource.any;
    PublishedResource carried{.version = resource.version, .any = {}};
    carried.any.set_type_url(ExtensionConfigType().url);
    carried.any.set_value(StableBytes(carrier));
    publication_.types[carried.any.type_url()].insert_or_assign(carrier.name(), std::move(carried));
  }

  const Bodies& own_;
  const Bodies& bodies_;
  const DomainLists lists_;
  Publication publication_;
  std::string all_;
};

}  // namespace

const PublishedResource* Publication::Find(std::string_view type_url, std::string_view name) const {
  const PublishedType* type = TypeOf(type_url);
  if (type == nullptr) return nullptr;
  const auto found = type->find(name);
  return found == type->end() ? nullptr : &found->second;
}

const PublishedType* Publication::TypeOf(std::string_view type_url) const {
  const auto found = types.find(type_url);
  return found == types.end() ? nullptr : &found->second;
}

Publication Publish(const Bodies& own, const Bodies& bodies) { return Publisher(own, bodies).Run(); }

std::optional<Anys> PreviewedChanges(const Publication& before, const Publication& after) {
  constexpr size_t kMostBytes = size_t{8} << 20;
  Anys changed;
  size_t bytes = 0;
  for (const ResourceType type : {ResourceType::kDomainSet, ResourceType::kEgressPolicy}) {
    const PublishedType* const published = after.TypeOf(TypeUrl(type));
    if (published == nullptr) continue;
    for (const auto& [name, resource] : *published) {
      const PublishedResource* const same = before.Find(TypeUrl(type), name);
      if (same != nullptr && same->version == resource.version) continue;
      *changed.Add() = resource.any;
      bytes += resource.any.value().size();
    }
  }
  if (bytes > kMostBytes) return std::nullopt;
  return changed;
}

}  // namespace egret
