// Whole files into memory.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/config/scalar.h"

namespace egret {

enum class FileKind { kRegular, kAny };

// At most `most` bytes. Blocks: on a pipe until its writer ends. The error says what the system said.
Result<std::string, Unfit> ReadWholeFile(const std::string& path, size_t most, FileKind kind = FileKind::kRegular);

// Changes whenever one of the files does: another file, another size or time, or gone.
std::string StampOf(const std::vector<std::string>& files);

}  // namespace egret
