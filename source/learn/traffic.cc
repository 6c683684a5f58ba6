#include "source/learn/traffic.h"

#include <time.h>

#include <optional>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

// "2026-11-24T16:21:53.099444Z"; 0 where it is none.
int64_t SecondsOf(const std::string& time) {
  tm utc{};
  const char* const end = strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  return end == nullptr ? 0 : timegm(&utc);
}

std::optional<Destination> DestinationOf(std::string_view target) {
  const size_t colon = target.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = ParseDecimal<uint16_t>(target.substr(colon + 1));
  std::string_view host = target.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!port || host.empty()) return std::nullopt;
  return Destination{std::string(host), *port};
}

template <class Set, class Value>
bool AddBounded(Set& set, Value value, size_t most) {
  return set.contains(value) || (set.size() < most && set.insert(std::move(value)).second);
}

void AddRequest(const AccessLine& line, Use& use) {
  AddBounded(use.methods, line.Text("method"), Traffic::kMostMethods);
  if (!use.many_paths && !AddBounded(use.paths, line.Text("path"), Traffic::kMostPaths)) {
    use.many_paths = true;
    use.paths.clear();
  }
}

void AddTunnel(const AccessLine& line, Use& use) {
  const std::string carries = line.Text("carries");
  const bool tls = carries == "tls";
  use.carries.insert(tls ? Use::Carries::kTls : carries == "http" ? Use::Carries::kHttp : Use::Carries::kOther);
  use.blind = use.blind || (tls && !line.Has("inspected"));
  const std::string sni = line.Text("sni");
  if (line.Has("ech"))
    AddBounded(use.ech_names, sni, Traffic::kMostMethods);
  else
    use.without_sni = use.without_sni || (tls && sni.empty());
}

}  // namespace

void Times::Add(const Times& more) {
  count += more.count;
  if (more.first != 0) first = first == 0 ? more.first : std::min(first, more.first);
  last = std::max(last, more.last);
}

void Traffic::Add(std::string_view lines) {
  ForEachAccessLine(lines, [this](const AccessLine& line) { Add(line); });
}

// The use that a line tells of; null: none, and it is counted why.
Use* Traffic::UseOf(const AccessLine& line) {
  if (!line.Has("decision")) return nullptr;
  if (line.outcome() == Outcome::kRefused) return ++refused_, nullptr;
  auto destination = DestinationOf(line.Text("target"));
  if (!destination || line.outcome() == Outcome::kFailed) return ++unreached_, nullptr;
  Uses& uses = by_identity_[line.Text("identity")];
  const auto known = uses.find(*destination);
  if (known != uses.end()) return &known->second;
  if (uses_ == kMostUses) return ++left_out_, nullptr;
  ++uses_;
  return &uses[*std::move(destination)];
}

void Traffic::Add(const AccessLine& line) {
  Use* const use = UseOf(line);
  if (use == nullptr) return;
  const bool request = line.request();
  if (request)
    AddRequest(line, *use);
  else
    AddTunnel(line, *use);
  if (request && line.inside()) return;  // of the tunnel the rest is told with it
  if (request) use->carries.insert(Use::Carries::kHttp);
  const int64_t at = SecondsOf(line.Text("time"));
  use->times.Add({1, at, at});
  times_.Add({1, at, at});
  if (line.Has("next_hop")) return;  // then the parent's address is told
  if (const auto upstream = Endpoint::Parse(line.Text("upstream")))
    AddBounded(use->reached, upstream->address, kMostAddresses);
}

}  // namespace egret
