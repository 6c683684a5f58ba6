#include "source/io/ares_resolver.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "source/event/loop.h"
#include "source/event/wait.h"
#include "source/io/ares_channel.h"
#include "source/io/dns_cache.h"
#include "source/io/resolver_files.h"

namespace egret {
namespace {

using Outcome = Result<Resolved, Fault>;

// RFC 6761 6.3: never a query, whatever a server would say.
bool IsLocalhost(std::string_view name) { return name == "localhost" || name.ends_with(".localhost"); }

std::vector<IpAddress> Loopback() {
  std::array<uint8_t, 16> one{};
  one.back() = 1;
  return {IpAddress::V6(one), IpAddress::V4(0x7f000001)};
}

// Of two families without an address, the fault that says most about what to do.
Fault WorstOf(const std::vector<DnsAnswer::Kind>& kinds) {
  const auto any = [&kinds](DnsAnswer::Kind kind) {
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  };
  if (any(DnsAnswer::kTimeout)) return Fault::kDnsTimeout;
  if (any(DnsAnswer::kFailed)) return Fault::kDnsFailure;
  return any(DnsAnswer::kNoData) ? Fault::kDnsNoAddress : Fault::kDnsNotFound;
}

}  // namespace

class AresResolver::Core {
 public:
  explicit Core(AresResolverOptions options);
  ~Core();

  // What is known without asking anybody.
  std::optional<Outcome> Known(const std::string& name);
  class Flight;
  // The question for this name that is under way, or a new one; null at the limit.
  std::shared_ptr<Flight> AskFor(const std::string& name);

  ResolverCounters counters;
  size_t names() const { return found_.size() + missing_.size(); }

 private:
  void RereadFiles();
  size_t OpenQuestions() const;
  void Landed(Flight& flight);
  std::optional<Outcome> FromCache(const std::string& name);

  AresResolverOptions options_;
  WatchedFile hosts_file_, resolv_conf_;
  HostsTable hosts_;
  uint64_t recheck_at_ = 0;
  DnsCache found_, missing_;
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;
  std::unique_ptr<AresChannel> channel_;
  std::vector<std::unique_ptr<AresChannel>> retired_;  // to servers of before, as long as something is asked there
};

// A name that is being asked for. The table owns it until it lands; those who wait and the questions that are still
// open hold it too, so each of them may go when it likes. A callback only fills it in and opens its gate: nobody's code
// runs inside c-ares.
class AresResolver::Core::Flight final : public DnsReceiver {
 public:
  Flight(Core& core, std::string name) : core_(&core), name_(std::move(name)) {
    timer_.flight = this;
    timer_.run = [](Waiter& self) { static_cast<Clock&>(self).flight->TimeIsUp(); };
  }

  void Start(AresChannel& channel, const AresResolverOptions& options, const std::shared_ptr<Flight>& self) {
    straggler_ms_ = options.straggler_ms;
    deadline_ms_ = Loop::current()->now_ms() + options.timeout_ms;
    Loop::current()->Arm(timer_, options.timeout_ms);
    open_ = (options.ask_v6 ? 1 : 0) + (options.ask_v4 ? 1 : 0);
    const std::string absolute = name_ + '.';
    if (options.ask_v6) channel.Ask(absolute, true, self);
    if (options.ask_v4) channel.Ask(absolute, false, self);
  }

  void Answered(DnsAnswer answer, bool v6) override {
    if (landed()) return;
    --open_;
    if (answer.kind == DnsAnswer::kAddresses) {
      (v6 ? v6_ : v4_) = std::move(answer.addresses);
      ttl_s_ = std::min(ttl_s_, answer.ttl_s);
    } else {
      without_.push_back(answer.kind);
    }
    if (open_ == 0) {
      Land();
    } else if (HasAddresses()) {
      const uint64_t now = Loop::current()->now_ms();
      Loop::current()->Arm(timer_, std::min(straggler_ms_, deadline_ms_ - std::min(deadline_ms_, now)));
    }
  }

  void Abandon() {
    core_ = nullptr;
    if (!landed()) Settle(Fault::kDnsFailure);
  }

  bool landed() const { return arrived_.open(); }
  Gate& arrived() { return arrived_; }
  const Outcome& outcome() const { return *outcome_; }
  const std::string& name() const { return name_; }
  uint32_t ttl_s() const { return ttl_s_; }
  // One family is unknown: it was not answered, or with a failure.
  bool partial() const {
    return open_ > 0 || std::any_of(without_.begin(), without_.end(), [](DnsAnswer::Kind kind) {
             return kind == DnsAnswer::kTimeout || kind == DnsAnswer::kFailed;
           });
  }

 private:
  struct Clock : Timer {
    Flight* flight = nullptr;
  };
  bool HasAddresses() const { return !v6_.empty() || !v4_.empty(); }
  void TimeIsUp() {
    if (!HasAddresses()) without_.push_back(DnsAnswer::kTimeout);
    Land();
  }
  void Land() {
    if (HasAddresses()) {
      Resolved resolved;
      resolved.addresses = std::move(v6_);
      resolved.addresses.insert(resolved.addresses.end(), v4_.begin(), v4_.end());
      Settle(std::move(resolved));
    } else {
      Settle(WorstOf(without_));
    }
    core_->Landed(*this);
  }
  void Settle(Outcome outcome) {
    timer_.Unlink();
    outcome_.emplace(std::move(outcome));
    arrived_.Open();
  }

  Core* core_;  // null once the resolver is gone
  std::string name_;
  Gate arrived_{false};
  std::optional<Outcome> outcome_;
  std::vector<IpAddress> v6_, v4_;
  std::vector<DnsAnswer::Kind> without_;
  uint32_t ttl_s_ = UINT32_MAX;
  int open_ = 0;
  uint64_t straggler_ms_ = 0, deadline_ms_ = 0;
  Clock timer_;
};

AresResolver::Core::Core(AresResolverOptions options)
    : options_(std::move(options)),
      hosts_file_(options_.hosts),
      resolv_conf_(options_.resolv_conf),
      found_(options_.max_names),
      missing_(options_.max_negative_names) {
  if (!options_.servers.empty()) channel_ = std::make_unique<AresChannel>(options_.servers, options_.timeout_ms);
  RereadFiles();
}

AresResolver::Core::~Core() {
  for (auto& [name, flight] : flights_) flight->Abandon();
}

void AresResolver::Core::RereadFiles() {
  recheck_at_ = Loop::current()->now_ms() + options_.recheck_ms;
  if (const auto text = hosts_file_.ReadIfChanged()) hosts_ = ParseHosts(*text);
  if (!options_.servers.empty()) return;
  std::erase_if(retired_, [](const auto& channel) { return channel->open_questions() == 0; });
  const auto text = resolv_conf_.ReadIfChanged();
  if (!text) return;
  // What is open is still answered by whom it was asked of.
  if (channel_ != nullptr) retired_.push_back(std::move(channel_));
  channel_ = std::make_unique<AresChannel>(ParseResolvConf(*text), options_.timeout_ms);
}

size_t AresResolver::Core::OpenQuestions() const {
  size_t open = channel_->open_questions();
  for (const auto& channel : retired_) open += channel->open_questions();
  return open;
}

std::optional<Outcome> AresResolver::Core::Known(const std::string& name) {
  if (const auto literal = IpAddress::Parse(name)) return Resolved{{*literal}, true};
  if (name.empty()) return Fault::kDnsNotFound;
  if (IsLocalhost(name)) return Resolved{Loopback(), true};
  if (Loop::current()->now_ms() >= recheck_at_) RereadFiles();
  if (const auto host = hosts_.find(name); host != hosts_.end()) return Resolved{host->second, true};
  return FromCache(name);
}

std::optional<Outcome> AresResolver::Core::FromCache(const std::string& name) {
  const uint64_t now = Loop::current()->now_ms();
  const DnsRecord* record = found_.Find(name, now);
  if (record == nullptr) record = missing_.Find(name, now);
  if (record == nullptr) return std::nullopt;
  counters.cache_hits.Add();
  if (record->fault != Fault::kNone) return record->fault;
  return Resolved{record->addresses, true};
}

std::shared_ptr<AresResolver::Core::Flight> AresResolver::Core::AskFor(const std::string& name) {
  if (const auto under_way = flights_.find(name); under_way != flights_.end()) {
    counters.joined.Add();
    return under_way->second;
  }
  if (OpenQuestions() >= 2 * options_.max_queries) {
    counters.overloads.Add();
    return nullptr;
  }
  counters.queries.Add();
  auto flight = std::make_shared<Flight>(*this, name);
  flights_.emplace(name, flight);
  flight->Start(*channel_, options_, flight);  // it may land in here: then it is out of the table again
  return flight;
}

void AresResolver::Core::Landed(Flight& flight) {
  const auto in_table = flights_.find(flight.name());
  const std::shared_ptr<Flight> keep = std::move(in_table->second);
  flights_.erase(in_table);
  const std::string& name = flight.name();
  const uint64_t now = Loop::current()->now_ms();
  const Outcome& outcome = flight.outcome();
  if (outcome.ok()) {
    uint64_t ttl_ms = std::clamp(uint64_t{flight.ttl_s()} * 1000, options_.min_ttl_ms, options_.max_ttl_ms);
    if (flight.partial()) ttl_ms = std::min(ttl_ms, options_.min_ttl_ms);  // the other family may yet answer
    if (found_.Put(name, {outcome->addresses, Fault::kNone, now + ttl_ms}, now)) counters.evictions.Add();
  } else {
    counters.failures.Add();
    if (outcome.error() == Fault::kDnsTimeout) counters.timeouts.Add();
    // Only what is said about the name is remembered, not what befell the servers.
    const bool about_name = outcome.error() == Fault::kDnsNotFound || outcome.error() == Fault::kDnsNoAddress;
    if (about_name && missing_.Put(name, {{}, outcome.error(), now + options_.negative_ttl_ms}, now))
      counters.evictions.Add();
  }
}

AresResolver::AresResolver(AresResolverOptions options) : core_(std::make_unique<Core>(std::move(options))) {}
AresResolver::~AresResolver() = default;

Task<Outcome> AresResolver::Resolve(const std::string& canonical_name) {
  if (auto known = core_->Known(canonical_name)) co_return std::move(*known);
  const std::shared_ptr<Core::Flight> flight = core_->AskFor(canonical_name);
  if (flight == nullptr) co_return Fault::kOverload;
  co_await GateAwaiter(flight->arrived());
  co_return flight->outcome();
}

const ResolverCounters& AresResolver::counters() const { return core_->counters; }
size_t AresResolver::names() const { return core_->names(); }

}  // namespace egret
