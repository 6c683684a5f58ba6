// What is wrong with a policy, all of it; used by the compiler's parts.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/strings.h"

namespace egret {

struct PolicyError {
  std::string path;   // "policies[0].rules[2].to.domains[1]", "domain_sets[3].includes[0]", "guard.also_refuse[0]"
  std::string value;  // what stands there; may be empty
  std::string why;
  std::string remedy;

  std::string ToString() const { return Cat(path, ": \"", value, "\": ", why, remedy.empty() ? "" : "; ", remedy); }
};

class PolicyErrors {
 public:
  static constexpr size_t kMax = 1000;  // of a list that is all wrong, more help nobody

  void Add(std::string path, std::string_view value, std::string_view why, std::string_view remedy = {}) {
    if (list_.size() < kMax)
      list_.push_back({std::move(path), std::string(value), std::string(why), std::string(remedy)});
  }
  bool empty() const { return list_.empty(); }
  std::vector<PolicyError> Take() { return std::move(list_); }

 private:
  std::vector<PolicyError> list_;
};

}  // namespace egret
