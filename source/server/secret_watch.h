// Watches the files that certificates, keys and trust come from. Once they have changed and come to rest they are read
// again, and new handshakes go by them; what cannot be used is told and counted, and what is in force stays. On the
// main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/config/renewable.h"
#include "source/event/task.h"

namespace egret {

class SecretWatch {
 public:
  static constexpr uint64_t kEveryMs = 1000;

  // `renewed` is called whenever something was read again and is in force.
  explicit SecretWatch(std::function<void()> renewed) : on_renewed_(std::move(renewed)) {}

  // From here on these, made of these secrets; what is known of those that were watched before stays.
  void Watch(std::shared_ptr<const SecretTable> secrets, const std::vector<std::shared_ptr<const Renewable>>& parts);
  // Looks at the files for ever. A change counts once it is the same at two looks: files are replaced one by one.
  Task<void> Run();
  // Reads all of them again at once.
  void RenewAll();

  uint64_t renewed() const { return renewed_; }
  uint64_t failed() const { return failed_; }
  std::vector<TlsExpiry> Expiries() const;

 private:
  struct Watched {
    std::shared_ptr<const Renewable> part;
    std::string read;  // the stamp of its files when they were read
    std::string seen;  // and at the last look
  };
  std::string StampNow(const Watched& watched) const { return StampOf(secrets_->FilesOf(watched.part->secrets)); }
  void Look(Watched& watched);
  void Renew(Watched& watched);

  const std::function<void()> on_renewed_;
  std::shared_ptr<const SecretTable> secrets_;
  std::vector<Watched> watched_;
  uint64_t renewed_ = 0, failed_ = 0;
};

}  // namespace egret
