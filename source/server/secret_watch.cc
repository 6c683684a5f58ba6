#include "source/server/secret_watch.h"

#include <algorithm>
#include <map>
#include <utility>

#include "source/base/log.h"
#include "source/event/wait.h"

namespace egret {

void SecretWatch::Watch(std::shared_ptr<const SecretTable> secrets,
                        const std::vector<std::shared_ptr<const Renewable>>& parts) {
  std::vector<Watched> next;
  std::map<const Renewable*, Watched> known;
  for (Watched& watched : watched_) known.emplace(watched.part.get(), std::move(watched));
  for (const auto& part : parts) {
    const auto at = known.find(part.get());
    const bool as_before = at != known.end() && !secrets->Changed(part->secrets, *secrets_);
    // What was just made of other secrets has files of its own; a change since then is seen at the next look but one.
    std::string stamp = at == known.end() ? part->stamp : StampOf(secrets->FilesOf(part->secrets));
    next.push_back(as_before ? std::move(at->second) : Watched{part, stamp, stamp});
  }
  watched_ = std::move(next);
  secrets_ = std::move(secrets);
}

Task<void> SecretWatch::Run() {
  for (;;) {
    co_await Sleep(kEveryMs);
    for (Watched& watched : watched_) Look(watched);
  }
}

void SecretWatch::Look(Watched& watched) {
  std::string now = StampNow(watched);
  const bool at_rest = now == watched.seen;
  watched.seen = std::move(now);
  if (at_rest && watched.seen != watched.read) Renew(watched);
}

void SecretWatch::RenewAll() {
  for (Watched& watched : watched_) Renew(watched);
}

void SecretWatch::Renew(Watched& watched) {
  // Before they are read, so that a change meanwhile is seen.
  watched.read = watched.seen = StampNow(watched);
  const Result<Commit, Problem> made = watched.part->make(*secrets_);
  if (!made) {
    ++failed_;
    Log(LogComponent::kTls, LogLevel::kWarning, watched.part->what, ": ", made.error().text,
        "; what was read before stays in force");
    return;
  }
  (*made)();
  ++renewed_;
  on_renewed_();
  Log(LogComponent::kTls, LogLevel::kInfo, watched.part->what, ": read again");
  for (const TlsExpiry& expiry : watched.part->expiries())
    if (!expiry.ca_sha256.empty())
      Log(LogComponent::kTls, LogLevel::kInfo, watched.part->what, ": SHA-256 ", expiry.ca_sha256);
}

std::vector<TlsExpiry> SecretWatch::Expiries() const {
  std::vector<TlsExpiry> all;
  for (const Watched& watched : watched_) {
    for (TlsExpiry& expiry : watched.part->expiries()) {
      const auto same = [&](const TlsExpiry& other) { return other.name == expiry.name; };
      if (std::none_of(all.begin(), all.end(), same)) all.push_back(std::move(expiry));
    }
  }
  return all;
}

}  // namespace egret
