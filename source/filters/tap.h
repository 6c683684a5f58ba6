// tap: captures exchanges into a HAR file, for somebody who looks for a fault. Every byte passes as it is; what is kept
// of it is bounded, secrets are left out, and it ends by itself. CONNECT is not captured, what is inside may be.
#pragma once

#include <memory>

#include "source/chain/filter.h"
#include "source/filters/tap_file.h"

namespace egret {

class TapFilter final : public HttpFilter {
 public:
  explicit TapFilter(std::shared_ptr<TapFile> file);
  [[clang::coro_wrapper]] Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  Task<Response> Capture(Exchange& exchange, HttpNext next) const;

  std::shared_ptr<TapFile> file_;  // shared by all workers
};

}  // namespace egret
