#include "source/xds/last_good.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "egret/control/v1/last_good.pb.h"
#include "source/base/hex.h"
#include "source/base/strings.h"
#include "source/config/file.h"
#include "source/config/replace_file.h"
#include "source/xds/check_alone.h"

namespace egret {
namespace {

using control::v1::KeptResource;

constexpr std::string_view kHead = "egret last good 1 ";
constexpr size_t kMostBytes = size_t{1} << 30;

Result<BodyPtr, Problem> Read(const KeptResource& kept, const ReadRules& rules) {
  const auto type = ParseTypeUrl(kept.resource().type_url());
  if (!type || *type == ResourceType::kSecret) return Problem{"holds a type that is never kept"};
  const auto message = NewResource(*type);
  if (!message->ParseFromString(kept.resource().value())) return Problem{"holds a resource that cannot be read"};
  ReadResult read = ReadResource(NativeType(*type), OwnName(*message), kept.version(), kept.resource(), rules);
  if (!read.body || HasErrors(read.errors)) return Problem{ToString(read.errors)};
  return BodyPtr(std::move(read.body));
}

}  // namespace

std::string LastGood::Path() const { return Cat(directory_, "/last-good"); }

std::optional<Problem> LastGood::Save(const Bodies& bodies, Time now) const {
  control::v1::LastGood set;
  set.mutable_at()->set_seconds(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  for (const auto& [key, body] : bodies) {
    if (key.type == ResourceType::kSecret) continue;
    KeptResource& kept = *set.add_resources();
    kept.set_version(body->version);
    kept.mutable_resource()->PackFrom(*body->message);
  }
  const std::string rest = set.SerializeAsString();
  return ReplaceFile(Path(), Cat(kHead, ToHex(Sha256(rest)), "\n", rest));
}

Result<Bodies, Problem> LastGood::Load(const ReadRules& rules, Time now) const {
  const auto text = ReadWholeFile(Path(), kMostBytes);
  if (!text) return Problem{Cat(Path(), ": ", text.error().why)};
  std::string_view rest = *text;
  const std::string_view head = SplitFirst(rest, '\n');
  control::v1::LastGood set;
  if (head != Cat(kHead, ToHex(Sha256(rest))) || !set.ParseFromString(std::string(rest)))
    return Problem{Cat(Path(), ": not whole, or not what was written")};
  const auto age = now - Time(std::chrono::seconds(set.at().seconds()));
  if (age > max_age_ || age < -max_age_) return Problem{Cat(Path(), ": older than last_good.max_age")};
  Bodies bodies;
  std::vector<BodyPtr> list;
  for (const KeptResource& kept : set.resources()) {
    auto body = Read(kept, rules);
    if (!body) return Problem{Cat(Path(), ": ", body.error().text)};
    list.push_back(*body);
    bodies[(*body)->key] = *body;
  }
  for (const auto& errors : CheckAlone(list))
    if (!errors.empty()) return Problem{Cat(Path(), ": ", errors.front().ToString())};
  return bodies;
}

}  // namespace egret
