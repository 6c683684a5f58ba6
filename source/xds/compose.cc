#include "source/xds/compose.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/descriptor.h>

#include <string>
#include <utility>

namespace egret {
namespace {

using config::v1::Bootstrap;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor& ListField(ResourceType type) {
  return *Bootstrap::descriptor()->FindFieldByName(std::string(ListOf(type)));
}

// A message on an arena frees none of its parts itself, so that its lists may hold what is not its own.
struct Shared {
  google::protobuf::Arena arena;
  std::vector<BodyPtr> bodies;
};

}  // namespace

Composer::Composer(const Bootstrap& bootstrap) : bare_(bootstrap) {
  for (const ResourceType type : kResourceTypes) {
    const FieldDescriptor& list = ListField(type);
    for (int i = 0; i < bootstrap.GetReflection()->FieldSize(bootstrap, &list); ++i)
      order_.push_back({type, OwnName(bootstrap.GetReflection()->GetRepeatedMessage(bootstrap, &list, i))});
    bare_.GetReflection()->ClearField(&bare_, &list);
  }
  own_.insert(order_.begin(), order_.end());
}

std::shared_ptr<Bootstrap> Composer::With(const Bodies& bodies) const {
  const auto shared = std::make_shared<Shared>();
  Bootstrap& effective = *google::protobuf::Arena::CreateMessage<Bootstrap>(&shared->arena);
  effective.CopyFrom(bare_);
  shared->bodies.reserve(bodies.size());
  const auto add = [&](const BodyPtr& body) {
    // It is only ever read.
    effective.GetReflection()->UnsafeArenaAddAllocatedMessage(&effective, &ListField(body->key.type),
                                                              const_cast<Message*>(body->message.get()));
    shared->bodies.push_back(body);
  };
  for (const ResourceKey& key : order_)
    if (const auto found = bodies.find(key); found != bodies.end()) add(found->second);
  for (const auto& [key, body] : bodies)
    if (!own_.contains(key)) add(body);
  return {shared, &effective};
}

}  // namespace egret
