#include "source/chain/exchange.h"

#include <utility>

#include "source/event/wait.h"

namespace egret {

Exchange::Exchange(Connection& connection, ExchangeSink& sink, Request received, RecordHolder holder)
    : request(std::move(received)),
      identity(connection.identity),
      connection_(connection),
      sink_(sink),
      record_(std::move(holder)) {
  record_->running = this;
  if (request.expects_continue) expectation = Expectation::kPending;
  for (Watcher* watcher : {&gone_, &peer_done_, &grace_, &total_}) watcher->exchange = this;
  gone_.run = [](Waiter& self) {
    Exchange& exchange = *static_cast<Watcher&>(self).exchange;
    exchange.End(exchange.sink_.WhyGone());
  };
  peer_done_.run = grace_.run = [](Waiter& self) { static_cast<Watcher&>(self).exchange->OnPeerDone(); };
  total_.run = [](Waiter& self) { static_cast<Watcher&>(self).exchange->End({Side::kUpstream, Fault::kTotalTimeout}); };
}

Exchange::~Exchange() { nursery_.Clear(); }

RecordHolder Exchange::TakeRecord() {
  record_->running = nullptr;
  return std::move(record_);
}

Facts Exchange::facts() const {
  Facts facts = FactsOf(connection_);
  facts.identity = may_identify ? Fact<const Identity*>() : IdentityFact(identity.get(), facts.now);
  if (target) facts.target = &*target;
  const Head& head = request.head;
  if (connect()) return facts;
  facts.protocol = secure ? Protocol::kTls : Protocol::kHttp;
  if (!connection_.binding) facts.ja3 = facts.ja4 = Fact<std::string_view>::Absent();  // no ClientHello but ours
  facts.method = head.method;
  facts.path = head.path.substr(0, head.path.find('?'));
  facts.headers = head.fields();
  return facts;
}

void Exchange::KeepJudged() {
  const std::span<const Field> fields = request.head.fields();
  if (!judged_fields_) judged_fields_.emplace(fields.begin(), fields.end());
}

Facts Exchange::judged() const {
  Facts out = facts();
  if (judged_fields_ && !connect()) out.headers = std::span<const Field>(*judged_fields_);
  return out;
}

// The tunnel's that it came through, or as if it had one of its own.
Binding Exchange::binding() const {
  if (connection_.binding) return *connection_.binding;
  Binding out;
  out.target = *target;
  out.remote = !sent_to->peer;
  if (sent_to->peer) out.resolved.assign(1, *sent_to->peer);
  return out;
}

const PolicyStack& Exchange::stack() const { return connection_.binding ? *connection_.policies : admission->stack(); }

Decision Exchange::Reconsider(Worker& worker) const {
  const Policy& policy = worker.policy();
  const bool inside = connection_.binding.has_value();
  if (inside ? !permit : !admission) return Kept();  // whatever decides on it will read this policy
  const Facts facts = judged();
  if (inside || sent_to)
    return policy.Reconsider(binding(), sent_to ? sent_to->peer : std::nullopt, stack(), facts, Policy::Live::kRequest);
  // On its way to be dialled.
  Decision out = policy.DecideTarget(stack(), facts, admission->ask()).decision;
  if (out.verdict != Decision::Verdict::kDeny) return Kept();
  out.fault = Fault::kPolicyRevoked;
  return out;
}

LiveFacts Exchange::facts_of_upgrade() const {
  const Facts facts = judged();
  LiveFacts out(binding(), sent_to->peer, stack(), facts, identity);
  auto asked = std::make_unique<LiveFacts::Asked>();
  asked->head.method = asked->head.Keep(facts.method.value());
  asked->head.path = asked->head.Keep(facts.path.value());
  for (const Field& field : facts.headers.value()) asked->head.Add(field.name, field.value);
  asked->secure = secure;
  asked->in_tunnel = connection_.target.has_value();
  asked->ech = facts.ech;
  if (facts.sni.known()) asked->sni = facts.sni.value();
  out.asked = std::move(asked);
  return out;
}

// Holds the client's ear for one interim response.
class Exchange::Speaking {
 public:
  explicit Speaking(Exchange& exchange) : exchange_(exchange) {
    exchange_.quiet_.Close();
    exchange_.cut_short_ = true;
  }
  ~Speaking() { exchange_.quiet_.Open(); }
  Speaking(const Speaking&) = delete;
  Speaking& operator=(const Speaking&) = delete;
  void Said() { exchange_.cut_short_ = false; }

 private:
  Exchange& exchange_;
};

Task<Failure> Exchange::Inform(const Head& interim) {
  while (!quiet_.open()) co_await GateAwaiter(quiet_);
  if (sink_.responded()) co_return Failure{};
  Speaking speaking(*this);
  const Failure failure = co_await sink_.Inform(interim);
  if (!failure) speaking.Said();
  co_return failure;
}

Task<Failure> Exchange::AnswerExpect() {
  if (expectation != Expectation::kPending) co_return Failure{};
  expectation = Expectation::kAnswered;
  request.head.Remove(FieldName::kExpect);
  Head interim;
  interim.status = 100;
  co_return co_await Inform(interim);
}

void Exchange::End(Failure why) {
  if (why_) return;
  why_ = why;
  record_->Fail(why);
  ending_.Open();
}

void Exchange::Watch(uint64_t fin_grace_ms, uint64_t total_ms) {
  fin_grace_ms_ = fin_grace_ms;
  Loop& loop = worker().loop();
  if (total_ms != 0) loop.Arm(total_, total_ms);
  if (sink_.GoneGate().open()) {
    loop.Ready(gone_);
  } else {
    sink_.GoneGate().Hook(gone_);
  }
  if (sink_.PeerDoneGate().open()) {
    loop.Arm(grace_, fin_grace_ms_);
  } else {
    sink_.PeerDoneGate().Hook(peer_done_);
  }
}

void Exchange::Unwatch() {
  for (Watcher* watcher : {&gone_, &peer_done_, &grace_, &total_}) watcher->Unlink();
}

// A killed client sends only FIN, so one that ended its side after a complete request is given a moment and then taken
// for gone. A request that is still coming finds the end itself.
void Exchange::OnPeerDone() {
  const bool grace_over =
      sink_.PeerDoneGate().open() && grace_.due_ms != 0 && worker().loop().now_ms() >= grace_.due_ms;
  if (grace_over && sink_.request_complete()) {
    End({Side::kClient, Fault::kClientGone});
  } else {
    worker().loop().Arm(grace_, fin_grace_ms_);
  }
}

}  // namespace egret
