#include "source/xds/resource.h"

#include <google/protobuf/descriptor.h>
#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/strings.h"
#include "source/config/references.h"
#include "source/config/walk.h"

namespace egret {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct TypeRow {
  std::string_view name;
  std::string_view list;
  std::string_view url;
};
// In the order of ResourceType.
constexpr TypeRow kRows[] = {
    {"Listener", "listeners", "type.googleapis.com/egret.config.v1.Listener"},
    {"EgressPolicy", "policies", "type.googleapis.com/egret.config.v1.EgressPolicy"},
    {"DomainSet", "domain_sets", "type.googleapis.com/egret.config.v1.DomainSet"},
    {"Upstream", "upstreams", "type.googleapis.com/egret.config.v1.Upstream"},
    {"Secret", "secrets", "type.googleapis.com/egret.config.v1.Secret"},
    {"WorkloadSet", "workload_sets", "type.googleapis.com/egret.config.v1.WorkloadSet"},
};

const TypeRow& RowOf(ResourceType type) { return kRows[static_cast<size_t>(type)]; }

std::optional<ResourceType> Find(std::string_view TypeRow::* column, std::string_view text) {
  for (const ResourceType type : kResourceTypes)
    if (RowOf(type).*column == text) return type;
  return std::nullopt;
}

class ReferenceFinder final : public Visitor {
 public:
  bool Visit(const Message& holder, const FieldDescriptor& field, const std::string& path) override {
    if (const Reference* reference = ReferenceOf(field))
      for (TextAt& text : TextsOf(holder, field, path))
        found.push_back({*TypeOfList(reference->list), std::move(text.text)});
    return true;
  }

  std::vector<ResourceKey> found;
};

}  // namespace

std::string_view NameOf(ResourceType type) { return RowOf(type).name; }
std::string_view ListOf(ResourceType type) { return RowOf(type).list; }
std::string_view TypeUrl(ResourceType type) { return RowOf(type).url; }
std::optional<ResourceType> ParseTypeName(std::string_view name) { return Find(&TypeRow::name, name); }
std::optional<ResourceType> ParseTypeUrl(std::string_view url) { return Find(&TypeRow::url, url); }
std::optional<ResourceType> TypeOfList(std::string_view list) { return Find(&TypeRow::list, list); }

std::unique_ptr<Message> NewResource(ResourceType type) {
  const FieldDescriptor& list = *config::v1::Bootstrap::descriptor()->FindFieldByName(std::string(ListOf(type)));
  auto& factory = *google::protobuf::MessageFactory::generated_factory();
  return std::unique_ptr<Message>(factory.GetPrototype(list.message_type())->New());
}

std::string ToString(const ResourceKey& key) { return Cat(NameOf(key.type), " ", key.name); }

std::vector<ResourceKey> ReferencesIn(const Message& resource) {
  ReferenceFinder finder;
  Walk(resource, "", finder);
  std::sort(finder.found.begin(), finder.found.end());
  finder.found.erase(std::unique(finder.found.begin(), finder.found.end()), finder.found.end());
  return std::move(finder.found);
}

std::string OwnName(const Message& resource) {
  return resource.GetReflection()->GetString(resource, resource.GetDescriptor()->FindFieldByName("name"));
}

std::string Sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace egret
