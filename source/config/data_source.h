// The bytes that a DataSource names.
#pragma once

#include <string>

#include "egret/config/v1/common.pb.h"
#include "source/base/result.h"

namespace egret {

// Reads them now. At most 16 MiB of a file; the problem names what could not be read, never what was in it.
Result<std::string, Problem> ReadDataSource(const config::v1::DataSource& source);

}  // namespace egret
