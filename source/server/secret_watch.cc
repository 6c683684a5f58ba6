#include "source/server/secret_watch.h"

#include <algorithm>
#include <optional>

#include "source/base/log.h"
#include "source/event/wait.h"

namespace egret {

void SecretWatch::Watch(std::vector<Renewable> parts) {
  for (Renewable& part : parts) {
    std::string stamp = part.stamp;
    watched_.push_back({std::move(part), std::move(stamp)});
  }
}

Task<void> SecretWatch::Run() {
  for (;;) {
    co_await Sleep(kEveryMs);
    for (Watched& watched : watched_) Look(watched);
  }
}

void SecretWatch::Look(Watched& watched) {
  std::string now = StampOf(watched.part.files);
  const bool at_rest = now == watched.seen;
  watched.seen = std::move(now);
  if (at_rest && watched.seen != watched.part.stamp) Renew(watched);
}

void SecretWatch::RenewAll() {
  for (Watched& watched : watched_) Renew(watched);
}

void SecretWatch::Renew(Watched& watched) {
  // Before they are read, so that a change meanwhile is seen.
  watched.part.stamp = watched.seen = StampOf(watched.part.files);
  const std::optional<Problem> problem = watched.part.renew();
  if (problem) {
    ++failed_;
    Log(LogComponent::kTls, LogLevel::kWarning, watched.part.what, ": ", problem->text,
        "; what was read before stays in force");
    return;
  }
  ++renewed_;
  Log(LogComponent::kTls, LogLevel::kInfo, watched.part.what, ": certificates read again");
  for (const TlsExpiry& expiry : watched.part.expiries())
    if (!expiry.ca_sha256.empty())
      Log(LogComponent::kTls, LogLevel::kInfo, watched.part.what, ": SHA-256 ", expiry.ca_sha256);
}

std::vector<TlsExpiry> SecretWatch::Expiries() const {
  std::vector<TlsExpiry> all;
  for (const Watched& watched : watched_) {
    for (TlsExpiry& expiry : watched.part.expiries()) {
      const auto same = [&](const TlsExpiry& other) { return other.name == expiry.name; };
      if (std::none_of(all.begin(), all.end(), same)) all.push_back(std::move(expiry));
    }
  }
  return all;
}

}  // namespace egret
