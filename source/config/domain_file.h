// The file of a domain set: one name a line, `#` begins a comment.
#pragma once

#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/config/scalar.h"

namespace egret {

struct DomainFile {
  std::vector<std::string> domains;  // as written; not judged
  std::vector<int> lines;            // of each, from 1
};

// Reads the whole file, at most 64 MiB; blocks.
Result<DomainFile, Unfit> ReadDomainFile(const std::string& path);

}  // namespace egret
