// Protobuf -> who has which address. A set that changes takes the place of the one before without a chain being built.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/auth/workloads.h"
#include "source/base/current.h"
#include "source/config/renewable.h"

namespace egret {

struct WorkloadTable {
  std::string message;  // what it was made of
  std::shared_ptr<Current<Workloads>> current;
};
using WorkloadTables = std::map<std::string, WorkloadTable, std::less<>>;

// Of a validated configuration. Sets of `before` that have changed get their new workloads by commit: then whoever has
// lost an address is not known by it any more.
WorkloadTables MakeWorkloadTables(const config::v1::Bootstrap& bootstrap, const WorkloadTables& before,
                                  std::vector<Commit>& commits);

}  // namespace egret
