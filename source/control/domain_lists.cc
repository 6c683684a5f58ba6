#include "source/control/domain_lists.h"

#include <google/protobuf/descriptor.h>

#include <utility>

#include "source/base/strings.h"
#include "source/config/references.h"
#include "source/control/content_hash.h"

namespace egret {
namespace {

using config::v1::DomainSet;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kLongestName = 128;  // that a resource may have
// So that a list which grows by a name keeps its parts, their number is a power of two; on average each holds at most
// this, which leaves room for some to hold more.
constexpr size_t kNamesInPart = 40'000;

std::string WithHash(std::string_view name, std::string_view hash) {
  return Cat(name.substr(0, kLongestName - 1 - hash.size()), "@", hash);
}

// FNV-1a: which part a name belongs to has to be the same everywhere and always.
size_t PartOf(std::string_view name, size_t parts) {
  uint64_t hash = 14695981039346656037U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return static_cast<size_t>(hash >> 32) % parts;
}

// Each text of a field, to be changed.
template <class Change>
void ChangeTexts(Message& holder, const FieldDescriptor& field, const Change& change) {
  const Reflection& reflection = *holder.GetReflection();
  if (!field.is_repeated()) {
    reflection.SetString(&holder, &field, change(reflection.GetString(holder, &field)));
    return;
  }
  for (int i = 0; i < reflection.FieldSize(holder, &field); ++i)
    reflection.SetRepeatedString(&holder, &field, i, change(reflection.GetRepeatedString(holder, &field, i)));
}

template <class Change>
void ChangeReferences(Message& message, const Change& change) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (const Reference* reference = ReferenceOf(*field)) {
      if (reference->list == ListOf(ResourceType::kDomainSet)) ChangeTexts(message, *field, change);
      continue;
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (!field->is_repeated()) {
      ChangeReferences(*reflection.MutableMessage(&message, field), change);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      ChangeReferences(*reflection.MutableRepeatedMessage(&message, field, i), change);
  }
}

}  // namespace

DomainLists::DomainLists(const Bodies& bodies) {
  for (const auto& [key, body] : bodies)
    if (key.type == ResourceType::kDomainSet) NameFor(key.name, bodies);
}

// Names of what it includes are part of a list's content, so those come first.
const std::string& DomainLists::NameFor(const std::string& name, const Bodies& bodies) {
  if (const auto known = names_.find(name); known != names_.end()) return known->second;
  const auto found = bodies.find({ResourceType::kDomainSet, name});
  if (found == bodies.end()) return names_.emplace(name, name).first->second;
  DomainSet set = static_cast<const DomainSet&>(*found->second->message);
  for (std::string& include : *set.mutable_includes()) include = NameFor(include, bodies);
  if (set.domains_size() > kMostNamesInOne) Split(set);
  return names_.emplace(name, Add(std::move(set))).first->second;
}

void DomainLists::Split(DomainSet& set) {
  size_t count = 1;
  while (static_cast<size_t>(set.domains_size()) > count * kNamesInPart) count *= 2;
  std::vector<DomainSet> parts(count);
  for (std::string& domain : *set.mutable_domains()) {
    const size_t part = PartOf(domain, count);
    parts[part].add_domains(std::move(domain));
  }
  set.clear_domains();
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].domains().empty()) continue;
    parts[i].set_name(Cat(set.name(), ".", i));
    set.add_includes(Add(std::move(parts[i])));
  }
}

std::string DomainLists::Add(DomainSet set) {
  set.set_name(WithHash(set.name(), ContentHash(StableBytes(set))));
  published_.push_back(std::move(set));
  return published_.back().name();
}

void DomainLists::Rename(Message& resource) const {
  ChangeReferences(resource, [&](const std::string& name) {
    const auto found = names_.find(name);
    return found == names_.end() ? name : found->second;
  });
}

}  // namespace egret
