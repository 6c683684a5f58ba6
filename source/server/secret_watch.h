// Watches the files that certificates, keys and trust come from. Once they have changed and come to rest they are read
// again, and new handshakes go by them; what cannot be used is told and counted, and what is in force stays. On the
// main thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "source/config/renewable.h"
#include "source/event/task.h"

namespace egret {

class SecretWatch {
 public:
  static constexpr uint64_t kEveryMs = 1000;

  void Watch(std::vector<Renewable> parts);
  // Looks at the files for ever. A change counts once it is the same at two looks: files are replaced one by one.
  Task<void> Run();
  // Reads all of them again at once.
  void RenewAll();

  uint64_t renewed() const { return renewed_; }
  uint64_t failed() const { return failed_; }
  std::vector<TlsExpiry> Expiries() const;

 private:
  struct Watched {
    Renewable part;
    std::string seen;  // at the last look
  };
  void Look(Watched& watched);
  void Renew(Watched& watched);

  std::vector<Watched> watched_;
  uint64_t renewed_ = 0, failed_ = 0;
};

}  // namespace egret
