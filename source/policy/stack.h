// The policies that decide about a connection, in order, by name: a later snapshot's policies of the same names judge
// it from then on. A value that is cheap to copy.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace egret {

class PolicyStack {
 public:
  PolicyStack() = default;  // no policy: everything is denied
  explicit PolicyStack(std::vector<std::string> names)
      : names_(std::make_shared<const std::vector<std::string>>(std::move(names))) {}

  std::span<const std::string> names() const { return names_ ? std::span(*names_) : std::span<const std::string>(); }

 private:
  std::shared_ptr<const std::vector<std::string>> names_;
};

}  // namespace egret
