#include "source/xds/pushed_config.h"

#include <algorithm>
#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/xds/node.h"

namespace egret {
namespace {

using State = ResourceTable::State;

constexpr size_t kMostLines = 10;  // of the log, for one response
constexpr PushedConfig::Ms kAgain = 1000;

template <class Warning>
void Warn(const Warning& text) {
  Log(LogComponent::kConfig, LogLevel::kWarning, "xds: ", text);
}

std::set<ResourceKey> KeysOf(const Bodies& bodies) {
  std::set<ResourceKey> keys;
  for (const auto& [key, body] : bodies) keys.insert(key);
  return keys;
}

std::set<uint64_t> Together(const std::vector<uint64_t>& some, const std::vector<uint64_t>& more) {
  std::set<uint64_t> all(some.begin(), some.end());
  all.insert(more.begin(), more.end());
  return all;
}

std::string LineOf(const Rejection& rejection) {
  const std::string& url = rejection.type_url();
  const ConfigError error{
      .field = rejection.field(), .value = rejection.value(), .why = rejection.reason(), .remedy = rejection.remedy()};
  return Cat("refused: ", url.substr(url.rfind('.') + 1), " ",
             rejection.name().empty() ? "" : ShownValue(rejection.name()), ": ", error.ToString());
}

}  // namespace

PushedConfig::PushedConfig(std::shared_ptr<const config::v1::Bootstrap> bootstrap, ConfigSink& sink,
                           std::string_view release)
    : bootstrap_(std::move(bootstrap)),
      types_(WireTypesOf(*bootstrap_)),
      in_force_(bootstrap_, sink),
      table_(ReadRulesOf(bootstrap_->xds()), KeysOf(in_force_.own())),
      protocol_(NodeOf(*bootstrap_, release), [this](const WireType& type) { return table_.Versions(type); }) {}

void PushedConfig::Start(Ms now) {
  now_ = now;
  Settle();
  Ask();
}

std::vector<DiscoveryRequest> PushedConfig::Begin() { return protocol_.Begin(); }

std::vector<DiscoveryRequest> PushedConfig::Take(const std::vector<DiscoveryResponse>& responses, Ms now) {
  now_ = now;
  std::vector<Answer> answers;
  for (const DiscoveryResponse& response : responses) {
    ++status_.responses;
    const WireType* type = protocol_.TypeOf(response.type_url());
    if (type == nullptr) {
      TellOnce(response.type_url(),
               Cat("ignored: a response of a type that was not asked for: ", ShownValue(response.type_url())));
      continue;
    }
    answered_.insert(*type);
    auto taken = table_.Take(*type, response, now, [&](const auto& name) { return protocol_.IsAsked(*type, name); });
    status_.unknown_fields += taken.unknown;
    if (!taken.unasked.empty())
      TellOnce(type->url,
               Cat("ignored: resources that were not asked for, among them ",
                   ToString({type->type.value_or(ResourceType::kListener), ShownValue(taken.unasked.front())})));
    answers.push_back({&response, taken.batch, std::move(taken.rejections)});
  }
  Settle();

  std::vector<DiscoveryRequest> requests;
  for (Answer& answer : answers) {
    if (const auto conflict = conflicts_.find(answer.batch); conflict != conflicts_.end())
      answer.rejections.insert(answer.rejections.end(), conflict->second.begin(), conflict->second.end());
    ++(answer.rejections.empty() ? status_.accepted : status_.rejected[answer.response->type_url()]);
    Tell(answer);
    requests.push_back(protocol_.Answer(*answer.response, answer.rejections));
  }
  for (DiscoveryRequest& request : Ask()) requests.push_back(std::move(request));
  return requests;
}

void PushedConfig::OfferFallback(ConfigSource source, Bodies bodies) {
  std::erase_if(bodies, [&](const auto& one) { return in_force_.own().contains(one.first); });
  fallback_ = std::move(bodies);
  fallback_source_ = source;
}

std::vector<DiscoveryRequest> PushedConfig::TakeFallback(ConfigSource source, Bodies bodies, Ms now) {
  now_ = now;
  OfferFallback(source, std::move(bodies));
  if (source_ != ConfigSource::kXds) Settle();
  return Ask();
}

std::vector<DiscoveryRequest> PushedConfig::Tick(Ms now) {
  now_ = now;
  const bool expired = table_.Expire(now);
  const bool due = now >= in_force_.Due().value_or(INT64_MAX) || now >= next_retry_;
  if (expired || due || source_ != ConfigSource::kXds) Settle();
  return Ask();
}

std::optional<PushedConfig::Ms> PushedConfig::NextTick() const {
  Ms next = table_.NextExpiry().value_or(INT64_MAX);
  // One that is due and still there could not be taken out: not again at once.
  if (const auto due = in_force_.Due()) next = std::min(next, std::max(*due, now_ + kAgain));
  if (!conflicts_.empty()) next = std::min(next, next_retry_);
  for (const auto& [key, since] : missing_since_)
    if (since + kMissingAfter > now_) next = std::min(next, since + kMissingAfter);
  return next == INT64_MAX ? std::nullopt : std::optional(next);
}

Slots PushedConfig::SlotsWith(const std::set<uint64_t>& trial) const {
  if (source_ == ConfigSource::kXds) return table_.SlotsWith(trial);
  return fallback_.value_or(Bodies());
}

void PushedConfig::Settle() {
  if (source_ != ConfigSource::kXds) Refresh();
  // The server decides from its first word on, or, where something else is in force, once it has said all.
  if (source_ != ConfigSource::kXds) {
    if (fallback_ ? IsAnswered() : !answered_.empty())
      source_ = ConfigSource::kXds;
    else if (fallback_)
      source_ = fallback_source_;
  }
  const std::vector<uint64_t> before = table_.BatchesThat(State::kConflict);
  const uint64_t applied = in_force_.applied();
  const bool changed = TryPending() || in_force_.applied() != applied;
  if (source_ == ConfigSource::kXds && !before.empty() && (changed || now_ >= next_retry_)) {
    const std::vector<uint64_t> after = table_.BatchesThat(State::kConflict);
    std::set<uint64_t> fresh(after.begin(), after.end());
    for (const uint64_t batch : before) fresh.erase(batch);
    RetryConflicts(fresh);
    next_retry_ = now_ + kRetryConflictsEvery;
  }
  std::erase_if(conflicts_, [&](const auto& one) { return !table_.Has(one.first); });
  // Where everything is used, what was tried last is what there is to see.
  if (source_ == ConfigSource::kXds && table_.AllUsed())
    TellMissing();
  else
    Refresh();
}

// What is wanted and missing, seen as if everything that may be used were.
void PushedConfig::Refresh() {
  choice_ = in_force_.Look(
      table_.SlotsWith(Together(table_.BatchesThat(State::kPending), table_.BatchesThat(State::kConflict))));
  TellMissing();
}

void PushedConfig::TellMissing() {
  std::erase_if(missing_since_, [&](const auto& one) { return !choice_.missing.contains(one.first); });
  for (const auto& [key, users] : choice_.missing) missing_since_.try_emplace(key, now_);
}

// Whether the server has said something about everything that was asked for, as far as it ever will.
bool PushedConfig::IsAnswered() const {
  return !types_.empty() && answered_.contains(types_.front()) &&
         std::all_of(choice_.missing.begin(), choice_.missing.end(),
                     [&](const auto& one) { return IsMissing(one.first); });
}

// True: something new is used.
bool PushedConfig::TryPending() {
  const std::vector<uint64_t> pending =
      source_ == ConfigSource::kXds ? table_.BatchesThat(State::kPending) : std::vector<uint64_t>();
  const std::vector<Blame> blames = in_force_.Try(SlotsWith({pending.begin(), pending.end()}), choice_, now_);
  status_.errors.clear();
  if (blames.empty()) {
    for (const uint64_t batch : pending) table_.Use(batch);
    return !pending.empty();
  }
  bool any = false;
  if (pending.size() == 1) Park(pending.front(), blames);
  if (pending.size() > 1)
    for (const uint64_t batch : pending) any = TryOne(batch) || any;
  // What is left without them, where something else changed.
  for (const Blame& blame : pending.empty() ? blames : in_force_.Try(SlotsWith({}), choice_, now_))
    status_.errors.push_back(blame.error);
  return any;
}

bool PushedConfig::TryOne(uint64_t batch) {
  const std::vector<Blame> blames = in_force_.Try(SlotsWith({batch}), choice_, now_);
  if (!blames.empty()) {
    Park(batch, blames);
    return false;
  }
  table_.Use(batch);
  conflicts_.erase(batch);
  return true;
}

void PushedConfig::RetryConflicts(const std::set<uint64_t>& but) {
  for (const uint64_t batch : table_.BatchesThat(State::kConflict))
    if (!but.contains(batch)) TryOne(batch);
}

void PushedConfig::Park(uint64_t batch, const std::vector<Blame>& blames) {
  std::map<ResourceKey, std::vector<ConfigError>> by_resource;
  std::vector<Rejection>& rejections = conflicts_[batch];
  rejections.clear();
  next_retry_ = std::max(next_retry_, now_ + kRetryConflictsEvery);
  for (const Blame& blame : blames) {
    if (!blame.resource) {
      rejections.push_back(ToRejection("", "", "", blame.error));
      continue;
    }
    by_resource[*blame.resource].push_back(blame.error);
    rejections.push_back(ToRejection(TypeUrl(blame.resource->type), blame.resource->name, "", blame.error));
  }
  table_.Park(batch, by_resource);
}

std::vector<DiscoveryRequest> PushedConfig::Ask() {
  if (asked_ && *asked_ == choice_.wanted) return {};
  asked_ = choice_.wanted;
  // Across types, too: first what is wanted anew, then what is not wanted any more.
  std::vector<DiscoveryRequest> requests, partings;
  for (const WireType& type : types_) {
    const std::set<std::string> names = NamesOf(type);
    for (DiscoveryRequest& request : protocol_.Want(type, names))
      (request.resource_names_unsubscribe().empty() ? requests : partings).push_back(std::move(request));
    table_.Retain(type, names);
  }
  for (DiscoveryRequest& request : partings) requests.push_back(std::move(request));
  return requests;
}

std::set<std::string> PushedConfig::NamesOf(const WireType& type) const {
  if (!type.type || *type.type == ResourceType::kListener) return {"*"};
  std::set<std::string> names;
  for (const ResourceKey& key : choice_.wanted)
    if (key.type == *type.type) names.insert(key.name);
  return names;
}

// Whether it is not only late.
bool PushedConfig::IsMissing(const ResourceKey& key) const {
  const WireType native = NativeType(key.type);
  if (std::find(types_.begin(), types_.end(), native) == types_.end())
    return types_.empty() || types_.front().type || answered_.contains(types_.front());
  if (table_.IsAnswered(native, key.name)) return true;
  const auto since = missing_since_.find(key);
  return since != missing_since_.end() && now_ - since->second >= kMissingAfter;
}

Bodies PushedConfig::Pushed() const {
  Bodies pushed = in_force_.bodies();
  std::erase_if(pushed, [&](const auto& one) { return in_force_.own().contains(one.first); });
  return pushed;
}

void PushedConfig::TellOnce(const std::string& about, std::string text) {
  std::string& told = told_[about];
  if (told != text) Warn(text);
  told = std::move(text);
}

// The log says each distinct failure of a resource once, until it is taken.
void PushedConfig::Tell(const Answer& answer) {
  if (answer.rejections.empty()) {
    for (const auto& resource : answer.response->resources())
      told_.erase(Cat(answer.response->type_url(), " ", resource.name()));
    return;
  }
  std::map<std::string, std::vector<std::string>> lines;  // by resource
  for (const Rejection& rejection : answer.rejections)
    lines[Cat(rejection.type_url(), " ", rejection.name())].push_back(LineOf(rejection));
  size_t written = 0, more = 0;
  for (const auto& [resource, its_lines] : lines) {
    std::string all;
    for (const std::string& line : its_lines) Append(all, line, "\n");
    if (std::exchange(told_[resource], all) == all) continue;
    for (const std::string& line : its_lines) {
      if (++written <= kMostLines)
        Warn(line);
      else
        ++more;
    }
  }
  if (more > 0) Warn(Cat("... and ", more, " more"));
}

}  // namespace egret
