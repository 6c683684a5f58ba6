// One resource of the wire, read and judged as far as its bytes go: type, name, unknown fields, what it may name on
// this host. What it means is for check_alone.h.
#pragma once

#include <google/protobuf/any.pb.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/config/error.h"
#include "source/xds/resource.h"

namespace egret {

// What of a pushed resource is a local matter (Bootstrap.xds).
struct ReadRules {
  bool accept_unknown = false;          // outside policies, domain sets, workload sets and secrets
  std::vector<std::string> file_roots;  // folders below which it may name files
};

// How resources of one subscription travel.
struct WireType {
  std::string url;                        // of the subscription and of each Any
  std::optional<ResourceType> type = {};  // none: within TypedExtensionConfig, of any type but Secret

  friend auto operator<=>(const WireType&, const WireType&) = default;
};
WireType NativeType(ResourceType type);
WireType ExtensionConfigType();
std::string_view CarrierUrl();  // of the same

struct ReadResult {
  std::shared_ptr<ResourceBody> body;  // none: it could not be read
  std::vector<ConfigError> errors;     // paths within the resource; what is unknown and was taken: warnings
};

// `name`: that of the envelope.
ReadResult ReadResource(const WireType& type, std::string_view name, std::string_view version,
                        const google::protobuf::Any& any, const ReadRules& rules);
// One that came without an envelope.
ReadResult ReadUnnamed(ResourceType type, const google::protobuf::Any& any, const ReadRules& rules);

}  // namespace egret
