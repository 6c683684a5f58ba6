#include "source/control/candidate.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "source/config/validate.h"
#include "source/xds/blame.h"
#include "source/xds/compose.h"
#include "source/xds/node.h"
#include "source/xds/read_resource.h"
#include "source/xds/rejection.h"

namespace egret {
namespace {

using control::v1::Rejection;
using Rejections = std::vector<Rejection>;

Rejection Of(std::string_view why, std::string_view remedy) {
  return ToRejection("", "", "", {.why = std::string(why), .remedy = std::string(remedy)});
}

bool IsPreviewed(ResourceType type) { return type == ResourceType::kEgressPolicy || type == ResourceType::kDomainSet; }

class Candidate {
 public:
  explicit Candidate(GroupConfig now) : now_(std::move(now)), bodies_(now_.bodies) {}

  Result<Anys, Rejections> Make(const Anys& candidate) {
    for (const google::protobuf::Any& any : candidate) Read(any);
    if (rejections_.empty()) CheckTogether();
    if (!rejections_.empty()) return std::move(rejections_);
    return Changed();
  }

 private:
  void Read(const google::protobuf::Any& any) {
    const auto type = ParseTypeUrl(any.type_url());
    if (!type || !IsPreviewed(*type)) {
      rejections_.push_back(ToRejection(any.type_url(), "", "",
                                        {.why = "no matter of a preview", .remedy = "leave policies and domain sets"}));
      return;
    }
    ReadResult read = ReadUnnamed(*type, any, ReadRulesOf(now_.bootstrap.xds()));
    const std::string name = read.body ? read.body->key.name : "";
    for (const ConfigError& error : read.errors)
      if (!error.warning()) rejections_.push_back(ToRejection(any.type_url(), name, "", error));
    if (read.body && now_.own.contains(read.body->key))
      rejections_.push_back(ToRejection(any.type_url(), name, "",
                                        {.field = "name",
                                         .value = name,
                                         .why = "the name is the bootstrap's",
                                         .remedy = "preview what the group's files may change"}));
    if (read.body) bodies_[read.body->key] = std::move(read.body);
  }

  // What the group's files have against themselves is none of the candidate's faults.
  void CheckTogether() {
    const std::vector<Blame> before = Judge(now_.bodies);
    std::set<std::pair<std::optional<ResourceKey>, std::string>> known;
    for (const Blame& blame : before) known.emplace(blame.resource, blame.error.ToString());
    for (const Blame& blame : Judge(bodies_)) {
      if (known.contains({blame.resource, blame.error.ToString()})) continue;
      const bool named = blame.resource.has_value();
      rejections_.push_back(
          ToRejection(named ? TypeUrl(blame.resource->type) : "", named ? blame.resource->name : "", "", blame.error));
    }
  }

  std::vector<Blame> Judge(const Bodies& bodies) const {
    Bodies all = now_.own;
    all.insert(bodies.begin(), bodies.end());
    const auto together = Compose(now_.bootstrap, all);
    return BlameFor(*together, Validate(*together));
  }

  Result<Anys, Rejections> Changed() const {
    auto changed = PreviewedChanges(Publish(now_.own, now_.bodies), Publish(now_.own, bodies_));
    if (!changed)
      return Rejections{Of("more than 8 MiB would be sent to every proxy", "preview it on one proxy, by its admin")};
    if (changed->empty())
      return Rejections{Of("the group's files hold just that", "name a folder that holds something else")};
    return *std::move(changed);
  }

  const GroupConfig now_;
  Bodies bodies_;
  Rejections rejections_;
};

}  // namespace

Result<Anys, Rejections> MakeCandidate(const GroupFiles& files, const Anys& candidate) {
  GroupConfig now = ReadGroup(files);
  if (HasErrors(now.errors))
    return Rejections{
        Of("what is in the group's files now is not valid", "mend that first: egretctl status says what")};
  return Candidate(std::move(now)).Make(candidate);
}

}  // namespace egret
