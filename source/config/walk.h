// A walk over all that is set in a message.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "source/config/error.h"

namespace egret {

class Visitor {
 public:
  virtual ~Visitor() = default;
  // False: messages of this type, and all in them, are passed by.
  virtual bool Seeks(const google::protobuf::Descriptor& type);
  // False: this message, and all in it, is passed by.
  virtual bool Enters(const google::protobuf::Message& message);
  // Before the fields of a message.
  virtual void Enter(const google::protobuf::Message& message, const std::string& path);
  // For each field that is set (a list once, as a whole). False: what lies below it is not visited.
  virtual bool Visit(const google::protobuf::Message& holder, const google::protobuf::FieldDescriptor& field,
                     const std::string& path) = 0;
};

// Depth first, in the order of field numbers. Does not go into protobuf's own types.
void Walk(const google::protobuf::Message& message, const std::string& path, Visitor& visitor);

// In which messages something can be found: those of the types that `is_sought` is true of, and those that may hold
// one.
class Within {
 public:
  using Type = google::protobuf::Descriptor;
  explicit Within(std::function<bool(const Type&)> is_sought) : is_sought_(std::move(is_sought)) {}

  // Not on two threads at once.
  bool operator()(const Type& type);

 private:
  const std::function<bool(const Type&)> is_sought_;
  std::unordered_map<const Type*, bool> known_;
};

// The texts of a string field, one or a list, with their paths.
struct TextAt {
  std::string text;
  std::string path;
};
std::vector<TextAt> TextsOf(const google::protobuf::Message& holder, const google::protobuf::FieldDescriptor& field,
                            const std::string& path);

}  // namespace egret
