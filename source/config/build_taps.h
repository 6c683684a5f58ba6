// Protobuf -> the files of taps.
#pragma once

#include <map>
#include <memory>
#include <string_view>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/filters/tap_file.h"

namespace egret {

// By the message of the filter, which may stand in the chains of several listeners.
using Taps = std::map<const filters::http::v1::Tap*, std::shared_ptr<TapFile>>;

// Opens them all: from here on they run out. Of a bootstrap that Validate() found no fault with.
Taps BuildTaps(const config::v1::Bootstrap& bootstrap, std::string_view version);

}  // namespace egret
