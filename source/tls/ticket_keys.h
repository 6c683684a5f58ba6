// The keys under which session tickets are encrypted (RFC 5077 4): one set for the whole process, so that a client may
// resume on any worker and listener. A fresh key is taken every hour; what the older ones have encrypted is still read
// until the session would have ended anyway, then they are forgotten. Thread-safe.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace egret {

class TicketKeys {
 public:
  static constexpr std::chrono::seconds kEvery{3600};
  static constexpr std::chrono::seconds kSessionLife{7200};  // of a session, from its handshake

  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> aes;
    std::array<unsigned char, 32> hmac;
    int64_t made = 0;  // seconds, CLOCK_MONOTONIC
  };

  static TicketKeys& OfProcess();
  TicketKeys() = default;
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // For new tickets, as of `now`.
  Key Current(int64_t now);
  // The key of that name, and whether it is the one for new tickets. Nothing: it is unknown, or forgotten.
  struct Found {
    Key key;
    bool current;
  };
  std::optional<Found> Find(const unsigned char* name, int64_t now);
  size_t size() const;

  // Sets the library's callback.
  static void Use(SSL_CTX* context);

 private:
  void Rotate(int64_t now);

  mutable std::mutex mutex_;
  std::deque<Key> keys_;  // the newest first
};

}  // namespace egret
