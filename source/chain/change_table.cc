#include "source/chain/change_table.h"

#include <algorithm>
#include <utility>

namespace egret {
namespace {

void Write(const PolicyChange::Side& side, JsonWriter& out) {
  out.BeginObject();
  out.Member("verdict", side.verdict);
  out.MemberIf("policy", side.policy);
  out.MemberIf("rule", side.rule);
  out.EndObject();
}

}  // namespace

void WriteChange(const PolicyChange& change, const ChangeCount& count, JsonWriter& out) {
  out.Member("who", change.who);
  out.Member("target", change.target);
  out.MemberIf("method", change.method);
  out.Member("stage", change.stage);
  out.Key("live");
  Write(change.live, out);
  out.Key("candidate");
  Write(change.candidate, out);
  out.Member("count", count.count);
  out.Member("first_unix", count.first_unix);
  out.Member("last_unix", count.last_unix);
}

void ChangeCount::Add(const ChangeCount& more) {
  first_unix = count == 0 ? more.first_unix : std::min(first_unix, more.first_unix);
  last_unix = std::max(last_unix, more.last_unix);
  count += more.count;
}

bool ChangeTable::Add(PolicyChange change, const ChangeCount& more) {
  for (std::string* text : {&change.who, &change.target, &change.method})
    if (text->size() > kMostBytes) text->resize(kMostBytes);
  auto at = rows_.find(change);
  if (at == rows_.end()) {
    if (rows_.size() == kMostRows) {
      overflow_ += more.count;
      return false;
    }
    at = rows_.try_emplace(std::move(change)).first;
  }
  at->second.Add(more);
  return true;
}

}  // namespace egret
