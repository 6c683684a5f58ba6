// One scalar into one field.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <optional>

#include "source/config/scalar.h"
#include "source/config/tree.h"

namespace egret {

// Sets the field, or appends to it where it is repeated. Gives why the node does not fit; then nothing is changed.
std::optional<Unfit> FillScalar(const Node& node, const google::protobuf::FieldDescriptor& field,
                                google::protobuf::Message& into);

}  // namespace egret
