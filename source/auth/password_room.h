// Where passwords are checked against their hashes: a few threads of low priority and a bounded queue, for all workers,
// since one check takes as long as thousands of requests. What was found right is remembered for a while, under a keyed
// hash; those who ask the same at the same time wait for one check.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "source/auth/keyed_hash.h"
#include "source/auth/verdict_cache.h"
#include "source/event/pending.h"

namespace egret {

enum class PasswordVerdict : uint8_t {
  kRight,
  kWrong,
  kBusy,  // not looked at: too many wait already
};

class PasswordRoom {
 public:
  struct Limits {
    size_t threads = 2;
    size_t queue = 64;  // checks that wait for a thread
    size_t remembered = 65536;
    uint64_t remembered_ms = 600'000;
  };

  PasswordRoom() : PasswordRoom(Limits()) {}
  explicit PasswordRoom(const Limits& limits);
  ~PasswordRoom();  // waits for the checks that are under way
  PasswordRoom(const PasswordRoom&) = delete;
  PasswordRoom& operator=(const PasswordRoom&) = delete;

  // Whether it is known to be right. `now_ms` of a clock that all callers share.
  bool Knows(const std::string& hash, std::string_view password, uint64_t now_ms);

  // On a loop's thread, which gets the answer. `decoy`: nobody has this hash; it takes the time, is not remembered and
  // is answered with kWrong.
  void Check(const std::string& hash, std::string_view password, bool decoy, uint64_t now_ms,
             const Pending<PasswordVerdict>& answer);

 private:
  struct Asker {
    std::shared_ptr<Mailbox> loop;
    std::shared_ptr<Pending<PasswordVerdict>::State> state;
  };
  struct Job {
    std::string hash, password;
    bool decoy;
    uint64_t now_ms;
    std::vector<Asker> askers;
  };
  using Jobs = std::map<KeyedHash::Value, Job>;

  void Run();
  static bool IsRight(const Job& job);
  void Tell(const Job& job, PasswordVerdict verdict);

  const Limits limits_;
  const KeyedHash hasher_;
  VerdictCache<std::monostate> right_;
  std::mutex mutex_;
  std::condition_variable filled_;
  bool closed_ = false;
  Jobs jobs_;                           // that wait or are under way
  std::deque<Jobs::iterator> waiting_;  // in the order in which they came
  std::vector<std::thread> threads_;
};

}  // namespace egret
