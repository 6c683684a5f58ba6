#include "source/chain/live_facts.h"

#include <utility>

#include "source/base/check.h"
#include "source/chain/worker.h"

namespace egret {

void AddHello(Facts& facts, std::string_view sni, bool ech, const HelloFacts* hello) {
  facts.sni = sni.empty() ? Fact<std::string_view>::Absent() : Fact<std::string_view>(sni);
  facts.ech = ech;
  if (hello == nullptr) return;
  if (!hello->ja3.empty()) facts.ja3 = std::string_view(hello->ja3);
  facts.ja4 = std::string_view(hello->ja4);
}

LiveFacts::LiveFacts(Binding binding, std::optional<IpAddress> peer, PolicyStack stack, const Facts& facts,
                     std::shared_ptr<const Identity> identity)
    : stack_(std::move(stack)),
      identity_(std::move(identity)),
      shown_(std::move(binding.shown)),
      source_(facts.source),
      peer_(peer) {
  const bool only_peer = peer_ && binding.resolved.size() == 1 && binding.resolved.front() == *peer_;
  if (!only_peer) resolved_ = std::move(binding.resolved);
  if (facts.protocol.known()) protocol_ = facts.protocol.value();
}

Facts LiveFacts::FactsWith(const ExchangeRecord& record, int64_t now) const {
  Facts facts;
  facts.source = source_;
  facts.identity = IdentityFact(identity_.get(), now);
  facts.now = now;
  if (asked == nullptr) {
    AddHello(facts, record.sni, record.ech, record.hello.get());
    if (protocol_) facts.protocol = *protocol_;
    return facts;
  }
  if (asked->in_tunnel) {
    AddHello(facts, asked->sni, asked->ech, record.hello.get());
  } else {
    facts.ja3 = facts.ja4 = Fact<std::string_view>::Absent();  // no ClientHello but ours
  }
  facts.protocol = asked->secure ? Protocol::kTls : Protocol::kHttp;
  facts.method = asked->head.method;
  facts.path = asked->head.path;
  facts.headers = asked->head.fields();
  return facts;
}

Decision LiveFacts::Judge(Worker& worker, const ExchangeRecord& record) const {
  Result<Target, Fault> target = ParseAuthority(record.target, std::nullopt);
  CHECK(target.ok());  // the record says it in its canonical form
  Binding binding;
  binding.target = std::move(*target);
  binding.remote = !peer_;
  binding.resolved = resolved_;
  if (peer_ && resolved_.empty()) binding.resolved.assign(1, *peer_);
  binding.shown = shown_;
  Facts facts = FactsWith(record, worker.unix_seconds());
  facts.target = &binding.target;
  const Policy::Live live = asked == nullptr ? Policy::Live::kRelayed : Policy::Live::kRequest;
  return worker.policy().Reconsider(binding, peer_, stack_, facts, live);
}

}  // namespace egret
