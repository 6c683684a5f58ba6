// What the pages tell of pushed configuration.
#pragma once

#include <string>
#include <string_view>

#include "source/base/json.h"
#include "source/xds/push_status.h"

namespace egret {

// Lines for /ready while it is not: what is waited for.
std::string WaitsFor(const PushStatus& pushed);
// Puts what is known of each resource into a JSON object that is whole, as its member `pushed`.
void AddPushed(const PushStatus& pushed, std::string& json);

// One resource as an object.
void WriteResource(const ResourceStatus& resource, std::string_view type, JsonWriter& out);
// All but the resources, as members of an object that was begun.
void WritePushState(const PushStatus& pushed, JsonWriter& out);

}  // namespace egret
