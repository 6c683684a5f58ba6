// Which decisions of an access log come out otherwise by another configuration.
#pragma once

#include <cstdint>
#include <string_view>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/chain/change_table.h"
#include "source/config/error.h"

namespace egret {

struct DecisionDiff {
  ChangeTable table;
  uint64_t judged = 0;
  uint64_t left_out = 0;  // lines that no policy was asked about, or that do not say enough
};

// `log`: lines of JSON. Both configurations are valid. The errors: a policy
// that does not compile.
Result<DecisionDiff, std::vector<ConfigError>> DiffDecisions(const config::v1::Bootstrap& before,
                                                             const config::v1::Bootstrap& after, std::string_view log);

}  // namespace egret
