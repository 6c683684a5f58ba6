// Protobuf -> body_rewrite.
#pragma once

#include <memory>

#include "egret/filters/http/v1/filters.pb.h"
#include "source/chain/filter.h"

namespace egret {

// Of a message that Validate() found no fault with.
std::unique_ptr<const HttpFilter> BuildBodyRewrite(const filters::http::v1::BodyRewrite& message);

}  // namespace egret
