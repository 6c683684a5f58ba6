// What can be pushed: the types, their names on the wire, and one resource as it came.
#pragma once

#include <google/protobuf/message.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egret {

enum class ResourceType : uint8_t { kListener, kEgressPolicy, kDomainSet, kUpstream, kSecret, kWorkloadSet };
inline constexpr ResourceType kResourceTypes[] = {ResourceType::kListener,  ResourceType::kEgressPolicy,
                                                  ResourceType::kDomainSet, ResourceType::kUpstream,
                                                  ResourceType::kSecret,    ResourceType::kWorkloadSet};

std::string_view NameOf(ResourceType type);   // "EgressPolicy"
std::string_view ListOf(ResourceType type);   // "policies": its field of the bootstrap
std::string_view TypeUrl(ResourceType type);  // "type.googleapis.com/egret.config.v1.EgressPolicy"
std::optional<ResourceType> ParseTypeName(std::string_view name);
std::optional<ResourceType> ParseTypeUrl(std::string_view url);
std::optional<ResourceType> TypeOfList(std::string_view list);
std::unique_ptr<google::protobuf::Message> NewResource(ResourceType type);

struct ResourceKey {
  ResourceType type{};
  std::string name;

  friend auto operator<=>(const ResourceKey&, const ResourceKey&) = default;
};
std::string ToString(const ResourceKey& key);  // "EgressPolicy web"

// A resource that was read; never changed.
struct ResourceBody {
  ResourceKey key;
  std::string version;                                       // as the server said it; empty: it was not pushed
  std::shared_ptr<const google::protobuf::Message> message;  // shared by versions that are the same
  std::vector<ResourceKey> references;                       // each once, in order
};
using BodyPtr = std::shared_ptr<const ResourceBody>;

std::vector<ResourceKey> ReferencesIn(const google::protobuf::Message& resource);
// The name that a resource has within itself.
std::string OwnName(const google::protobuf::Message& resource);
std::string Sha256(std::string_view bytes);  // 32 bytes

}  // namespace egret
