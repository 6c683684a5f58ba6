#include "source/xds/choose.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
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

class Chooser {
 public:
  Chooser(const Bodies& own, const Slots& slots, const Bodies& in_force)
      : own_(own), slots_(slots), in_force_(in_force) {}

  Choice Run() {
    for (const auto& [key, body] : own_) fresh_[key] = body;
    for (const auto& [key, body] : slots_)
      if (body && !own_.contains(key)) fresh_[key] = body;
    DropWaiting();
    for (const auto& [key, body] : own_) Take(key);
    for (const auto& [key, body] : slots_)
      if (key.type == ResourceType::kListener) Take(key);
    for (const auto& [key, body] : own_) AddWanted(key);
    for (const auto& [key, body] : slots_)
      if (key.type == ResourceType::kListener) AddWanted(key);
    return std::move(choice_);
  }

 private:
  // Whether a new body may count on this one.
  bool Available(const ResourceKey& key) const {
    if (fresh_.contains(key)) return true;
    return (own_.contains(key) || slots_.contains(key)) && in_force_.contains(key);
  }

  // Takes out of the new bodies those that wait for something, and those that wait for them.
  void DropWaiting() {
    std::vector<ResourceKey> open;
    for (const auto& [key, body] : fresh_)
      if (!AllAvailable(*body)) open.push_back(key);
    if (open.empty()) return;
    std::map<ResourceKey, std::vector<ResourceKey>> users;
    for (const auto& [key, body] : fresh_)
      for (const ResourceKey& reference : body->references) users[reference].push_back(key);
    while (!open.empty()) {
      const ResourceKey key = std::move(open.back());
      open.pop_back();
      if (fresh_.erase(key) == 0) continue;
      choice_.warming.insert(key);
      if (Available(key)) continue;  // by what is in force
      for (const ResourceKey& user : users[key])
        if (fresh_.contains(user)) open.push_back(user);
    }
  }

  bool AllAvailable(const ResourceBody& body) const {
    return std::all_of(body.references.begin(), body.references.end(),
                       [&](const ResourceKey& key) { return Available(key); });
  }

  // A root, or what something that is taken refers to: then what is in force is kept, though it was removed.
  void Take(const ResourceKey& root) {
    std::vector<ResourceKey> open = {root};
    while (!open.empty()) {
      const ResourceKey key = std::move(open.back());
      open.pop_back();
      if (choice_.bodies.contains(key)) continue;
      const BodyPtr body = BodyOf(key);
      if (!body) continue;
      choice_.bodies.emplace(key, body);
      open.insert(open.end(), body->references.begin(), body->references.end());
    }
  }

  BodyPtr BodyOf(const ResourceKey& key) const {
    if (const auto fresh = fresh_.find(key); fresh != fresh_.end()) return fresh->second;
    const auto kept = in_force_.find(key);
    return kept == in_force_.end() ? nullptr : kept->second;
  }

  // Follows new bodies, though they wait, and those in force.
  void AddWanted(const ResourceKey& root) {
    std::vector<ResourceKey> open = {root};
    while (!open.empty()) {
      const ResourceKey key = std::move(open.back());
      open.pop_back();
      if (!seen_.insert(key).second) continue;
      for (const Bodies* bodies : {&own_, static_cast<const Bodies*>(&slots_), &std::as_const(choice_.bodies)}) {
        const auto found = bodies->find(key);
        if (found == bodies->end() || !found->second) continue;
        for (const ResourceKey& reference : found->second->references) {
          if (!own_.contains(reference)) Want(reference, key);
          open.push_back(reference);
        }
      }
    }
  }

  void Want(const ResourceKey& key, const ResourceKey& user) {
    choice_.wanted.insert(key);
    if (slots_.contains(key)) return;
    auto& users = choice_.missing[key];
    if (users.empty() || users.back() != user) users.push_back(user);
  }

  const Bodies& own_;
  const Slots& slots_;
  const Bodies& in_force_;
  Bodies fresh_;  // new bodies that can be used
  std::set<ResourceKey> seen_;
  Choice choice_;
};

}  // namespace

Bodies OwnBodies(const Bootstrap& bootstrap) {
  Bodies own;
  for (const ResourceType type : kResourceTypes) {
    const FieldDescriptor& list = ListField(type);
    for (int i = 0; i < bootstrap.GetReflection()->FieldSize(bootstrap, &list); ++i) {
      const Message& one = bootstrap.GetReflection()->GetRepeatedMessage(bootstrap, &list, i);
      auto body = std::make_shared<ResourceBody>();
      body->key = {type, OwnName(one)};
      std::unique_ptr<Message> copy(one.New());
      copy->CopyFrom(one);
      body->message = std::move(copy);
      body->references = ReferencesIn(one);
      own.emplace(body->key, std::move(body));
    }
  }
  return own;
}

Choice Choose(const Bodies& own, const Slots& slots, const Bodies& in_force) {
  return Chooser(own, slots, in_force).Run();
}

bool SameMessages(const Bodies& a, const Bodies& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.first == other.first && one.second->message == other.second->message;
  });
}

}  // namespace egret
