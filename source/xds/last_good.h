// What a server pushed last and was in force, on disk, for a start without a server. Secrets are never among it.
#pragma once

#include <chrono>
#include <string>

#include "source/base/result.h"
#include "source/xds/choose.h"
#include "source/xds/read_resource.h"

namespace egret {

class LastGood {
 public:
  using Time = std::chrono::system_clock::time_point;

  // `directory`: of the proxy's own.
  LastGood(std::string directory, std::chrono::milliseconds max_age)
      : directory_(std::move(directory)), max_age_(max_age) {}

  // Whole or not at all, readable by its owner only.
  std::optional<Problem> Save(const Bodies& bodies, Time now) const;
  // Judged anew, as if it had just come.
  Result<Bodies, Problem> Load(const ReadRules& rules, Time now) const;

 private:
  std::string Path() const;

  const std::string directory_;
  const std::chrono::milliseconds max_age_;
};

}  // namespace egret
