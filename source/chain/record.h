// What is remembered of one exchange (and of the tunnel it may become), from the first byte to its line in the access
// log. An object of its own, so that a tunnel keeps one record and not its request. It owns copies of what it logs;
// written by the worker's thread. The log line is written when it ends, however it ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/counter.h"
#include "source/base/failure.h"
#include "source/base/list.h"
#include "source/policy/decision.h"
#include "source/tls/tls_facts.h"

namespace egret {

// The decision as it is told to people: the same names in the reply, the log and the metrics.
struct DecisionRecord {
  std::string_view action;  // static: "allow", "deny", "challenge"; empty: none was made
  std::string_view stage;   // static: "target", "address", "hello", "request"
  std::string policy;
  std::string rule;
  std::string_view reason;                               // static
  std::string audit;                                     // "would_allow" or "would_deny" and the AUDIT rule, or empty
  Decision::Verdict verdict = Decision::Verdict::kDeny;  // means something where there is an action
};

class Worker;

// Whoever runs what a record is of, as far as it can be ended from outside.
class Running {
 public:
  // Whether the policy in force still allows it, on what is known of it: denied, or kContinue. The latter, too, where
  // it has not been decided on yet.
  virtual Decision Reconsider(Worker& worker) const = 0;
  // The first cause counts. Frees nothing at once: it ends in one of the loop's next turns.
  virtual void End(Failure why) = 0;

 protected:
  ~Running() = default;
};

// While it lives it is on its worker's list: what an operator sees, and what drain and revocation walk.
struct ExchangeRecord : ListNode {
  enum class Kind : uint8_t {
    kRequest,
    kTunnel,
    kConnection,  // that ended before it could ask for anything
  };

  Kind kind = Kind::kRequest;
  uint64_t started_unix_us = 0;
  uint64_t started_ms = 0;  // the loop's clock
  std::string request_id;
  std::string parent_id;  // of the tunnel that this request came through
  std::string listener;
  std::string source;  // client address and port
  std::string identity;
  std::string_view protocol;  // static: "HTTP/1.0", "HTTP/1.1", "HTTP/2"
  std::string method;
  std::string target;                // canonical host:port
  std::string original_destination;  // of a transparent connection: the address it wanted to reach
  std::string path;                  // without the query: it may hold secrets
  std::string user_agent;
  std::shared_ptr<const TlsFacts> client_tls;  // of the connection to the proxy; null: in clear
  std::string tls_detail;                      // why a handshake failed, in the TLS library's words
  std::string sni;
  std::shared_ptr<const HelloFacts> hello;  // of the ClientHello that a tunnel begins with; null: none, or nobody asks
  bool ech = false;                         // that ClientHello has an encrypted one in it, real or noise
  std::string carries;                      // what a tunnel carries: "tls", "http", "other"
  std::string upstream;                     // address that was dialled
  std::string_view upstream_protocol;       // static: "HTTP/1.1", "HTTP/2"; of requests
  std::string_view upstream_tls_version;    // static: "TLSv1.3"; empty: in clear, or a tunnel
  std::string upstream_key;                 // of the certificate there: SHA-256 of its public key, in hex
  std::string next_hop;                     // name of the parent proxy
  std::vector<std::string> attempts;        // failed dials before it: "address: detail"
  std::string_view inspected;               // static: how a tunnel's TLS was ended here: "eager", "live", "lazy" ...
  std::string_view inside_tls_version;      // static: of that TLS
  int status = 0;
  DecisionRecord decision;
  Failure failure;
  std::string close_reason;     // a tunnel's: "client_fin", "origin_rst", "idle_timeout" ...
  uint64_t received_bytes = 0;  // from the client, on the wire
  uint64_t sent_bytes = 0;      // to the client, on the wire
  int64_t dns_ms = -1;          // -1: did not happen
  int64_t connect_ms = -1;
  int64_t inspect_ms = -1;  // from the verdict until the client's TLS was ended here
  int64_t first_byte_ms = -1;
  bool upstream_reused = false;
  bool upstream_tls_resumed = false;
  bool inside_tls_resumed = false;
  bool open_tunnel = false;  // counted among those that are open
  uint32_t previewed = 0;    // number of the preview that was told of it last

  // While it runs; null before and after.
  Running* running = nullptr;
  const Counter* live_received = nullptr;  // bytes that a relay has moved so far
  const Counter* live_sent = nullptr;
  const Gauge* live_held = nullptr;  // bytes that a relay has read and not yet passed on

  uint64_t bytes_held() const { return live_held != nullptr ? static_cast<uint64_t>(live_held->Read()) : 0; }
  uint64_t bytes_moved() const {
    return received_bytes + sent_bytes + (live_received != nullptr ? live_received->Read() : 0) +
           (live_sent != nullptr ? live_sent->Read() : 0);
  }

  // What is to be given back when the record dies: at the real end of the exchange, or of the tunnel it became.
  void Hold(std::shared_ptr<const void> token) { held.push_back(std::move(token)); }
  std::vector<std::shared_ptr<const void>> held;

  void Fail(Failure why) {  // the first cause is the one that is told
    if (!failure) failure = why;
  }
};

// One line of JSON, with its line end. `event`: "end", or "open" for a tunnel that has just been answered.
void AppendLogLine(std::string& out, const ExchangeRecord& record, std::string_view event, uint64_t duration_ms);
// The same of a decision that has just been made: who asked for what, and the decision.
void AppendDecisionLine(std::string& out, const ExchangeRecord& record, uint64_t unix_us);

// Owns a record and writes its line to the access log when it dies, however that comes.
class RecordHolder {
 public:
  RecordHolder() = default;
  explicit RecordHolder(Worker& worker);  // a fresh one, its start stamped
  RecordHolder(RecordHolder&& other) noexcept : worker_(other.worker_), record_(std::move(other.record_)) {}
  RecordHolder& operator=(RecordHolder&& other) noexcept;
  ~RecordHolder() { Finish(); }

  ExchangeRecord& operator*() const { return *record_; }
  ExchangeRecord* operator->() const { return record_.get(); }
  explicit operator bool() const { return record_ != nullptr; }

  // What it is of is a tunnel from here on: counted, as one that is open until the record dies, and with a line of its
  // own that says that it was opened.
  void OpenTunnel();
  // Writes the closing line now.
  void Finish();

 private:
  Worker* worker_ = nullptr;
  std::unique_ptr<ExchangeRecord> record_;
};

}  // namespace egret
