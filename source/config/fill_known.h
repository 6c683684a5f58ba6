// protobuf's own types that are written as one value: Duration, Timestamp, Struct, Value, ListValue.
#pragma once

#include <google/protobuf/message.h>

#include <optional>

#include "source/config/scalar.h"
#include "source/config/tree.h"

namespace egret {

// Gives why the node does not fit. A null is right only inside a Struct or ListValue.
std::optional<Unfit> FillKnown(const Node& node, google::protobuf::Message& into);

}  // namespace egret
