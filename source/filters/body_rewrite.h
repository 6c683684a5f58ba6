// body_rewrite: changes the content of requests and responses of some media types, as configured. What can be changed
// while it passes streams; only patterns need the whole, of which a bounded part is held. A compressed content is
// decoded and goes on as it is read. What cannot be changed (a range, an unknown coding, no-transform, too much of it)
// passes byte for byte, or is refused.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "source/chain/body_rewrites.h"
#include "source/chain/filter.h"
#include "source/filters/content_changes.h"

namespace egret {

struct BodyRewriteOptions {
  std::shared_ptr<const ContentChanges> request, response;  // never null
  std::vector<std::string> types;                           // in lower case: "text/html", "text/*"
  bool refuse = false;                                      // what should be changed and cannot be
};

class BodyRewriteFilter final : public HttpFilter {
 public:
  explicit BodyRewriteFilter(BodyRewriteOptions options);
  [[clang::coro_wrapper]] Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  Task<Response> Rewrite(Exchange& exchange, HttpNext next) const;
  // A failure is one to answer with.
  Task<Failure> ChangeRequest(Exchange& exchange, bool may_transform) const;
  Task<Failure> ChangeResponse(Exchange& exchange, Response& response, bool may_transform) const;

  BodyRewriteOptions options_;
};

}  // namespace egret
