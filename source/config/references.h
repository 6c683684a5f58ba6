// Which fields name a resource: the one table, for the validator and for whoever puts resources together.
#pragma once

#include <google/protobuf/descriptor.h>

#include <span>
#include <string_view>

namespace egret {

// A kind of resource: where it lives in the bootstrap, and what one of them is called in an error.
struct ResourceList {
  std::string_view field;
  std::string_view noun;
};
std::span<const ResourceList> ResourceLists();

struct Reference {
  std::string_view field;        // full name: "egret.config.v1.Listener.chains_of"
  std::string_view list;         // "listeners"
  std::string_view member = {};  // which member of the resource's oneof it must have; empty: any
  bool in_policy = false;        // the policy compiler says where it names nothing
};
// What this field refers to; null: nothing.
const Reference* ReferenceOf(const google::protobuf::FieldDescriptor& field);

}  // namespace egret
