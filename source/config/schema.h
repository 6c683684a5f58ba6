// What the loader and the validator know about message types beyond their fields.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

namespace egret {

// By its name in the .proto or its name in protobuf JSON (max_age, maxAge); null if there is none.
const google::protobuf::FieldDescriptor* FieldOf(const google::protobuf::Descriptor& type, std::string_view key);
std::vector<std::string> FieldNames(const google::protobuf::Descriptor& type);

// A message that holds one filter, and what can be written there as a name alone.
bool IsFilter(const google::protobuf::Descriptor& type);
bool IsBareFilter(const google::protobuf::FieldDescriptor& field);
std::vector<std::string> FilterNames(const google::protobuf::Descriptor& type);

// "address, internal".
std::string MemberNames(const google::protobuf::OneofDescriptor& oneof);

// Names of the values that can be written: all but the UNSPECIFIED ones.
std::vector<std::string> ValueNames(const google::protobuf::EnumDescriptor& type);

// Whether the value must not appear in an error, log or dump.
bool IsSecret(const google::protobuf::FieldDescriptor& field);

// google.protobuf.Duration, Timestamp, Struct, Value, ListValue: written as one value and not as a map of their fields.
bool IsKnownType(const google::protobuf::Descriptor& type);

// The message type of that full name, if it is linked in and not one of protobuf's own; else null.
const google::protobuf::Message* PrototypeOf(std::string_view full_name);

}  // namespace egret
