#include "source/config/workload_tables.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace egret {
namespace {

using config::v1::WorkloadSet;

WorkloadSpec SpecOf(const WorkloadSet::Workload& workload) {
  WorkloadSpec spec;
  for (const std::string& text : workload.addresses())
    if (const std::optional<IpAddress> address = IpAddress::Parse(text)) spec.addresses.push_back(*address);
  spec.namespace_ = workload.namespace_();
  spec.service_account = workload.service_account();
  spec.labels.assign(workload.labels().begin(), workload.labels().end());
  std::sort(spec.labels.begin(), spec.labels.end());  // a map has no order
  spec.groups.assign(workload.groups().begin(), workload.groups().end());
  return spec;
}

std::shared_ptr<const Workloads> WorkloadsOf(const WorkloadSet& set, const Workloads* before) {
  std::vector<WorkloadSpec> specs;
  for (const WorkloadSet::Workload& workload : set.workloads()) specs.push_back(SpecOf(workload));
  return Workloads::Make(specs, before);
}

}  // namespace

WorkloadTables MakeWorkloadTables(const config::v1::Bootstrap& bootstrap, const WorkloadTables& before,
                                  std::vector<Commit>& commits) {
  WorkloadTables tables;
  for (const WorkloadSet& set : bootstrap.workload_sets()) {
    WorkloadTable& table = tables[set.name()];
    table.message = set.SerializeAsString();
    const auto known = before.find(set.name());
    if (known == before.end()) {
      table.current = std::make_shared<Current<Workloads>>(WorkloadsOf(set, nullptr));
      continue;
    }
    table.current = known->second.current;
    if (known->second.message == table.message) continue;
    commits.push_back([current = table.current, next = WorkloadsOf(set, table.current->Get().get())] {
      const std::shared_ptr<const Workloads> last = current->Get();
      current->Set(next);
      last->WithdrawAllBut(*next);
    });
  }
  return tables;
}

}  // namespace egret
