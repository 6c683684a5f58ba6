// Policies and requests from arbitrary bytes: whatever compiles decides without a crash, a denial gives no permit, what
// is allowed passed the guard, and an explanation can be made of it all.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/policy/compile.h"
#include "source/policy/explain.h"
#include "source/policy/policy.h"

namespace egret {
namespace {

// Reads choices and short texts from the input; past its end all are zero.
class Source {
 public:
  Source(const uint8_t* data, size_t size) : left_(reinterpret_cast<const char*>(data), size) {}

  uint8_t Byte() {
    if (left_.empty()) return 0;
    const auto out = static_cast<uint8_t>(left_.front());
    left_.remove_prefix(1);
    return out;
  }
  bool Yes() { return (Byte() & 1u) != 0; }
  // Up to the next line feed.
  std::string Text() {
    const size_t end = std::min(left_.find('\n'), left_.size());
    std::string out(left_.substr(0, end));
    left_.remove_prefix(std::min(end + 1, left_.size()));
    return out;
  }
  std::vector<std::string> Texts() {
    std::vector<std::string> out;
    for (unsigned count = Byte() % 4; count > 0; --count) out.push_back(Text());
    return out;
  }

 private:
  std::string_view left_;
};

RuleSpec Rule(Source& in, size_t index) {
  RuleSpec out;
  out.name = "r" + std::to_string(index);
  out.action = in.Yes() ? RuleSpec::Action::kAllow : RuleSpec::Action::kDeny;
  const uint8_t parts = in.Byte();
  if ((parts & 1u) != 0) out.to.domains = in.Texts();
  if ((parts & 2u) != 0) out.to.cidrs = in.Texts();
  if ((parts & 4u) != 0) out.to.resolved_cidrs = in.Texts();
  if ((parts & 8u) != 0) out.to.ports = {static_cast<uint32_t>(in.Byte() << 8 | in.Byte())};
  if ((parts & 16u) != 0) out.to.protocols = {static_cast<Protocol>(in.Byte() % 3)};
  if ((parts & 32u) != 0)
    out.http = HttpSpec{in.Texts(), in.Texts(), in.Texts(), in.Texts(), {{in.Text(), in.Texts()}}};
  if ((parts & 64u) != 0) out.reaches_private = in.Texts();
  if ((parts & 128u) != 0) {
    out.mode = in.Yes() ? RuleSpec::Mode::kAudit : RuleSpec::Mode::kEnforce;
    out.inspection = static_cast<RuleSpec::Inspection>(in.Byte() % 3);
    out.from.users = in.Texts();
    out.to.domain_sets = {"set"};
  }
  return out;
}

PolicySetSpec Spec(Source& in) {
  PolicySetSpec out;
  for (const char* name : {"a", "b"}) {
    PolicySpec policy;
    policy.name = name;
    if (in.Yes()) policy.otherwise = PolicySpec::Otherwise::kAbstain;
    for (unsigned count = in.Byte() % 4; count > 0; --count) policy.rules.push_back(Rule(in, policy.rules.size()));
    out.policies.push_back(std::move(policy));
  }
  out.domain_sets = {{"set", in.Texts(), {}, {}}};
  out.guard.also_refuse = in.Texts();
  return out;
}

void Walk(const Policy& policy, const Target& target, const Facts& known, Facts facts, Ask ask) {
  const PolicyStack stack(std::vector<std::string>{"a", "b"});
  facts.target = &target;
  if (ask == Ask::kRequest) facts = known;
  facts.resolved = {};
  const auto admission = policy.DecideTarget(stack, facts, ask);
  CHECK(admission.permit.has_value() != admission.decision.denied());
  if (!admission.permit) return;
  facts.resolved = known.resolved;
  const auto address = policy.DecideAddress(*admission.permit, facts);
  CHECK(address.permit.has_value() != address.decision.denied());
  if (!address.permit) return;
  for (const IpAddress& vetted : address.permit->addresses()) {
    const Finding finding = policy.guard().Judge(vetted, target.port);
    CHECK(!finding || finding.exemptible);
  }
  if (ask == Ask::kRequest) return;
  facts.protocol = known.protocol;
  facts.sni = known.sni;
  const auto hello = policy.DecideHello(address.permit->binding(), stack, facts);
  CHECK((hello.relay || hello.inspect) != hello.decision.denied());
  policy.DecideRequest(address.permit->binding(), stack, known);
  ToText(Explain(policy, stack, {ask, known, {}}));
  ToJson(Explain(policy, stack, {ask, known, {}}));
}

void Run(Source in) {
  const auto compiled = Compile(Spec(in));
  if (!compiled) {
    CHECK(!compiled.error().empty());
    return;
  }
  const auto target = ParseAuthority(in.Text(), 443);
  if (!target) return;
  const std::string method = in.Text(), path = in.Text(), value = in.Text(), sni = in.Text(), user = in.Text();
  const std::vector<Field> fields = {{"x-env", value}};
  std::vector<IpAddress> addresses;
  for (const auto& text : in.Texts())
    if (const auto address = IpAddress::Parse(text)) addresses.push_back(*address);
  Identity who;
  who.user = user;
  Facts nothing;
  nothing.identity = in.Yes() ? Fact<const Identity*>(&who) : Fact<const Identity*>();
  Facts known = nothing;
  known.target = &*target;
  known.resolved = std::span<const IpAddress>(addresses);
  known.protocol = static_cast<Protocol>(in.Byte() % 3);
  known.sni = std::string_view(sni);
  known.method = std::string_view(method);
  known.path = std::string_view(path);
  known.headers = std::span<const Field>(fields);
  Walk(**compiled, *target, known, nothing, Ask::kTunnel);
  Walk(**compiled, *target, known, nothing, Ask::kRequest);
}

}  // namespace
}  // namespace egret

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  egret::Run(egret::Source(data, size));
  return 0;
}
