// A message as text again.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace egret {

// protobuf's JSON with the field names of the .proto files: what Load reads as kJson, to an equal message.
std::string ToCanonicalJson(const google::protobuf::Message& message);

// protobuf's text format: what Load reads as kTextproto, to an equal message.
std::string ToTextproto(const google::protobuf::Message& message);

}  // namespace egret
