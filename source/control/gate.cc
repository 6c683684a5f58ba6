#include "source/control/gate.h"

#include "source/base/strings.h"

namespace egret {
namespace {

// What it refused of the release before, and this one has as well, is nothing new.
bool IsOfRelease(const control::v1::Rejection& rejection, const Hub::Group& group) {
  const PublishedResource* const before = group.publication->Find(rejection.type_url(), rejection.name());
  return rejection.version().empty() || before == nullptr || before->version != rejection.version();
}

std::string RefusalOf(const Proxy& proxy, const Hub::Group& group) {
  for (const control::v1::Rejection& rejection : proxy.Rejections()) {
    if (!IsOfRelease(rejection, group)) continue;
    const std::string& url = rejection.type_url();
    return Cat(proxy.id, " refuses ", url.substr(url.rfind('.') + 1), url.empty() ? "" : " ", rejection.name(), " ",
               rejection.field(), ": ", rejection.reason());
  }
  return "";
}

std::string FailureOf(const Proxy& proxy) {
  if (proxy.local_failures < kFewestLocalFailures ||
      proxy.local_failures * 100 <= proxy.requests * kMostLocalFailuresPercent)
    return "";
  return Cat(proxy.id, " has failed ", proxy.local_failures, " times for a cause of its own, in ", proxy.requests,
             " requests");
}

std::string Identities(size_t count) { return Cat(count, count == 1 ? " identity" : " identities"); }

}  // namespace

std::string ReasonToHalt(const std::string& name, const Hub::Group& group, const std::vector<Proxy>& proxies) {
  if (!group.next || !group.publication) return "";
  for (const Proxy& proxy : proxies) {
    if (proxy.group != name || proxy.offered != group.next->version || proxy.streams == 0) continue;
    std::string reason = RefusalOf(proxy, group);
    if (reason.empty()) reason = FailureOf(proxy);
    if (!reason.empty()) return reason;
  }
  return "";
}

std::string ReasonToHalt(const ChangeWatch::Found& found, uint32_t most_identities) {
  if (found.identities <= most_identities) return "";
  return Cat("it changes decisions of ", Identities(found.identities), ", and ", most_identities,
             " may be: ", found.changed, " of ", found.compared, " decisions; ", found.example);
}

}  // namespace egret
