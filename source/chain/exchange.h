// Exchange: one request and its response, over either protocol version. It owns everything that two of its tasks touch;
// a filter's frame owns nothing that a task of the nursery uses. Members are declared in the order in which they must
// outlive each other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/chain/connection.h"
#include "source/chain/filter.h"
#include "source/chain/live_facts.h"
#include "source/chain/record.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/http/http1_server.h"
#include "source/policy/policy.h"

namespace egret {

// Where an exchange's response goes: an HTTP/1 connection, an HTTP/2 stream.
class ExchangeSink {
 public:
  virtual ~ExchangeSink() = default;
  virtual Task<Failure> Inform(const Head& interim) = 0;
  virtual Task<Failure> Respond(const Head& head, Body* body) = 0;
  virtual void CloseAfterThis() = 0;
  virtual bool responded() const = 0;         // a final head has begun to go out
  virtual bool request_complete() const = 0;  // its body was read to the end, and nothing follows it yet
  virtual Gate& GoneGate() = 0;
  virtual Gate& PeerDoneGate() = 0;
  virtual Failure WhyGone() const { return {Side::kClient, Fault::kClientGone}; }
};

// Something that several tasks of an exchange share: an upstream call, a filter's state.
class ExchangePart {
 public:
  virtual ~ExchangePart() = default;
};

// How much the refused are told of why; the log always has all.
enum class DenialDetail : uint8_t {
  kNone,  // that it was policy
  kRule,  // and rule, policy and message
  kFull,  // and stage and reason
};

enum class Expectation : uint8_t { kNone, kPending, kAnswered, kRefused };

// Where a request went. No address: a parent resolves the name.
struct SentTo {
  std::optional<IpAddress> peer;
};

class Exchange final : public Running {
 public:
  Exchange(Connection& connection, ExchangeSink& sink, Request received, RecordHolder holder);
  ~Exchange();

  Connection& connection() { return connection_; }
  Worker& worker() { return connection_.worker; }
  ExchangeSink& sink() { return sink_; }
  ExchangeRecord& record() { return *record_; }
  // What runs from here on is not this exchange any more.
  RecordHolder TakeRecord();

  Request request;
  std::optional<Target> target;  // canonical; what is decided on is what is forwarded to
  bool secure = false;           // https: it goes to the target inside TLS
  std::string_view upgrade;      // the protocol that Upgrade asks for; taken off the head
  // Taken off the head. Repeated, none of it can be believed (RFC 9110 5.3).
  std::optional<std::string_view> proxy_authorization;
  bool credentials_repeated = false;
  std::string_view via;  // our pseudonym on this listener
  DenialDetail denial_detail = DenialDetail::kRule;

  // Who asks: whom its connection is known for, until a filter finds out by the request itself. Null: nobody.
  std::shared_ptr<const Identity> identity;
  bool may_identify = false;                // it is nobody only because no credential came, and none is demanded
  std::span<const std::string> challenges;  // Proxy-Authenticate, one each, of a 407; those of the filter

  std::optional<Admission> admission;   // stage T said yes: may be resolved and dialled
  std::optional<RequestPermit> permit;  // stage R said yes, inside a tunnel

  std::optional<SentTo> sent_to;  // the last one to whom it went

  // The request's facts for a decision; refers to the exchange.
  Facts facts() const;
  // For a filter that is about to change the head: what it says now is what it will be judged on again.
  void KeepJudged();
  Decision Reconsider(Worker& worker) const override;
  // What is left of this when it has turned into a tunnel. It went to somebody.
  LiveFacts facts_of_upgrade() const;

  bool connect() const { return request.head.method == "CONNECT"; }
  // The port that the scheme of a plain request implies (RFC 9110 4.2).
  uint16_t default_port() const { return secure ? 443 : 80; }

  // RFC 9110 10.1.1.
  Expectation expectation = Expectation::kNone;
  // For a filter that buffers the body: says 100 Continue itself, and Expect goes no further.
  Task<Failure> AnswerExpect();

  // An interim response, at once and in order: it waits for one that is still being written. Nothing once the final
  // head has begun.
  Task<Failure> Inform(const Head& interim);
  // Nothing that an origin says in interim responses goes to the client but 100 itself, without fields.
  bool bare_interims = false;
  // Open while no interim response is being written.
  Gate& quiet() { return quiet_; }
  // The writing of an interim response was broken off: nothing whole can follow.
  bool cut_short() const { return cut_short_; }

  // Tasks that end with the exchange.
  Nursery& nursery() { return nursery_; }
  void Own(std::unique_ptr<ExchangePart> part) { part_ = std::move(part); }
  ExchangePart* part() { return part_.get(); }

  // The one way to end it from outside: client gone, a limit, drain, an operator. The first cause counts. Frees nothing
  // at once.
  void End(Failure why) override;
  Gate& ending() { return ending_; }
  Failure why() const { return why_; }

  // Watches the client while the exchange runs; ends it when no byte can reach the client any more, or when the client
  // ended its side after a complete request and `fin_grace_ms` went by. `total_ms` 0: no limit.
  void Watch(uint64_t fin_grace_ms, uint64_t total_ms);
  void Unwatch();

 private:
  class Speaking;
  Facts judged() const;
  Binding binding() const;
  const PolicyStack& stack() const;
  struct Watcher : Timer {
    Exchange* exchange = nullptr;
  };
  void OnPeerDone();

  Connection& connection_;
  ExchangeSink& sink_;
  RecordHolder record_;
  Failure why_;
  std::optional<std::vector<Field>> judged_fields_;  // slices of the head
  Gate ending_{false};
  Gate quiet_{true};
  bool cut_short_ = false;
  uint64_t fin_grace_ms_ = 0;
  Watcher gone_, peer_done_, grace_, total_;
  std::unique_ptr<ExchangePart> part_;
  Nursery nursery_;
};

}  // namespace egret
