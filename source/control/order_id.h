// What an order to proxies is called, so that what they send is known to be of it.
#pragma once

#include <string>
#include <string_view>

namespace egret {

// `kind`, and 64 random bits.
std::string NewOrderId(std::string_view kind);

}  // namespace egret
