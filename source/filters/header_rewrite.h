// header_rewrite: sets, appends or removes header fields of requests and responses, as configured.
#pragma once

#include <string>
#include <vector>

#include "source/chain/filter.h"

namespace egret {

struct HeaderOperation {
  enum class Kind : uint8_t { kSet, kAppend, kRemove };
  Kind kind;
  std::string name;
  std::string value;
};

class HeaderRewriteFilter final : public HttpFilter {
 public:
  HeaderRewriteFilter(std::vector<HeaderOperation> request, std::vector<HeaderOperation> response);
  Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  std::vector<HeaderOperation> request_, response_;
};

}  // namespace egret
