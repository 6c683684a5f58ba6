// A walk over all that is set in a message.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "source/config/error.h"

namespace egret {

class Visitor {
 public:
  virtual ~Visitor() = default;
  // Before the fields of a message.
  virtual void Enter(const google::protobuf::Message& message, const std::string& path);
  // For each field that is set (a list once, as a whole). False: what lies below it is not visited.
  virtual bool Visit(const google::protobuf::Message& holder, const google::protobuf::FieldDescriptor& field,
                     const std::string& path) = 0;
};

// Depth first, in the order of field numbers. Does not go into protobuf's own types.
void Walk(const google::protobuf::Message& message, const std::string& path, Visitor& visitor);

// The texts of a string field, one or a list, with their paths.
struct TextAt {
  std::string text;
  std::string path;
};
std::vector<TextAt> TextsOf(const google::protobuf::Message& holder, const google::protobuf::FieldDescriptor& field,
                            const std::string& path);

}  // namespace egret
