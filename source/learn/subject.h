// What an egress record is about: a file, by the SHA-256 of what it holds.
#pragma once

#include <string>

#include "source/base/result.h"
#include "source/learn/egress_record.h"

namespace egret {

// Reads it, whatever its size. Its name is that of the file, without folders.
Result<EgressRecord::Subject, Problem> SubjectOf(const std::string& path);

}  // namespace egret
