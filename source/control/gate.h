// What speaks against giving a release to more proxies. Pure.
//
// Only what proxies have to say of themselves counts: that they refuse something of it, or fail for causes of their
// own; and, where an operator drew a line, by how many identities decisions are asked for that it changes. Never
// denials: whoever can cause them could otherwise veto a policy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "source/control/change_watch.h"
#include "source/control/hub.h"
#include "source/control/roster.h"

namespace egret {

// More than so many of 100 requests since a proxy was given the release, where there were enough to tell.
inline constexpr uint64_t kMostLocalFailuresPercent = 5;
inline constexpr uint64_t kFewestLocalFailures = 10;

// Of the group's next release, among these proxies of all groups. Empty: nothing.
std::string ReasonToHalt(const std::string& name, const Hub::Group& group, const std::vector<Proxy>& proxies);
// So many identities may see changed decisions, and no more.
std::string ReasonToHalt(const ChangeWatch::Found& found, uint32_t most_identities);

}  // namespace egret
