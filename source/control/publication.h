// What a group's proxies are sent: every resource under the name and version that it has on the wire. Pure, and the
// same on every replica that has the same files: versions are hashes of content, so a proxy that comes from another
// replica, or back after a restart, is sent nothing that it has.
//
// A list of names is published under a name that says its content (`paste-sites@5f2c01aa93e7`), and what refers to it
// refers to that: a policy and its lists change together, in whatever order they arrive. Long lists are published in
// parts, so that a change of one name does not send all of them.
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "source/xds/choose.h"

namespace egret {

struct PublishedResource {
  std::string version;
  google::protobuf::Any any;
};
// By name on the wire.
using PublishedType = std::map<std::string, PublishedResource, std::less<>>;

struct Publication {
  std::string version;                                      // of all of it
  std::map<std::string, PublishedType, std::less<>> types;  // by type URL

  // Null: there is none.
  const PublishedResource* Find(std::string_view type_url, std::string_view name) const;
  // Null: none of that type.
  const PublishedType* TypeOf(std::string_view type_url) const;
};
using PublicationPtr = std::shared_ptr<const Publication>;

// `own`: what the proxies have from their bootstrap; lists that it refers to keep their names as well. Secrets are
// published only where something that is in force for these proxies needs them.
Publication Publish(const Bodies& own, const Bodies& bodies);

// What proxies that have the one have to be sent so that they decide as with the other: policies and lists that it has
// not, or whose content is another one. Nothing: that is more than 8 MiB, which each of them would be sent.
using Anys = google::protobuf::RepeatedPtrField<google::protobuf::Any>;
std::optional<Anys> PreviewedChanges(const Publication& before, const Publication& after);

}  // namespace egret
