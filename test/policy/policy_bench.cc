// What a decision costs as the number of names grows (performance.md: under 1 us, flat from 10 to 1,000,000 names).
//
//   bazel run --config=opt //test/policy:policy_bench
#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "source/policy/compile.h"
#include "source/policy/policy.h"

namespace egret {
namespace {

std::string NameAt(uint64_t i) {
  return "host" + std::to_string(i * 2654435761u % 4294967296u) + ".zone" + std::to_string(i % 5000) + ".example.com";
}

RuleSpec Rule(std::string name, RuleSpec::Action action) {
  RuleSpec out;
  out.name = std::move(name);
  out.action = action;
  return out;
}

// A list that is closed to everybody before a policy with a handful of rules, as platforms have it.
std::shared_ptr<const Policy> PolicyOf(int64_t names) {
  static std::map<int64_t, std::shared_ptr<const Policy>> made;
  auto& policy = made[names];
  if (policy) return policy;
  PolicySetSpec spec;
  spec.domain_sets = {{"closed", {}, {}, {}}};
  for (int64_t i = 0; i < names; ++i)
    spec.domain_sets[0].file_domains.push_back("*." + NameAt(static_cast<uint64_t>(i)));
  PolicySpec rails{"rails",
                   {Rule("closed", RuleSpec::Action::kDeny)},
                   PolicySpec::Otherwise::kAbstain,
                   PolicySpec::Mode::kEnforce,
                   {}};
  rails.rules[0].to.domain_sets = {"closed"};
  PolicySpec prod{"prod", {}, PolicySpec::Otherwise::kDeny, PolicySpec::Mode::kEnforce, {}};
  RuleSpec get = Rule("get", RuleSpec::Action::kAllow);
  get.to.domains = {"pypi.org", "*.pythonhosted.org"};
  get.http = HttpSpec{{"GET", "HEAD"}, {}, {}, {}, {}};
  RuleSpec build = Rule("build", RuleSpec::Action::kAllow);
  build.from.groups = {"ci"};
  build.to.domains = {".example.com"};
  prod.rules = {get, build, Rule("web", RuleSpec::Action::kAllow)};
  spec.policies = {rails, prod};
  auto compiled = Compile(spec);
  if (!compiled) std::abort();
  return policy = *compiled;
}

// Names that are listed, names below them, and names that are not: no two alike in a row, so that the cache holds none.
std::vector<Target> Targets(int64_t names) {
  std::vector<Target> out;
  std::mt19937_64 random(1);
  for (int i = 0; i < 50000; ++i) {
    const uint64_t at = random() % static_cast<uint64_t>(names);
    const char* prefix = i % 3 == 0 ? "www." : "";
    const std::string host = i % 3 == 2 ? "other" + std::to_string(random() % 1000000) + ".example.org" : NameAt(at);
    out.push_back(*ParseAuthority(prefix + host + ":443", std::nullopt));
  }
  return out;
}

class Fixture {
 public:
  explicit Fixture(int64_t names) : policy(PolicyOf(names)), targets(Targets(names)) {
    who.user = "alice";
    who.groups = {"dev", "ci"};
    facts.source = *IpAddress::Parse("10.1.2.3");
    facts.identity = &who;
    facts.now = 1000;
  }
  const Target& Next() { return targets[at = (at + 1) % targets.size()]; }

  std::shared_ptr<const Policy> policy;
  std::vector<Target> targets;
  size_t at = 0;
  Identity who;
  Facts facts;
  const PolicyStack stack{std::vector<std::string>{"rails", "prod"}};
};

void DecideTarget(benchmark::State& state) {
  Fixture fixture(state.range(0));
  for (auto _ : state) {
    fixture.facts.target = &fixture.Next();
    benchmark::DoNotOptimize(fixture.policy->DecideTarget(fixture.stack, fixture.facts, Ask::kTunnel));
  }
}

// T and A of a plain request: all that it costs.
void DecideRequest(benchmark::State& state) {
  Fixture fixture(state.range(0));
  const std::vector<IpAddress> addresses = {*IpAddress::Parse("8.8.8.8"), *IpAddress::Parse("2606:4700::1")};
  const std::vector<Field> fields = {{"accept", "*/*"}, {"user-agent", "curl/8"}};
  for (auto _ : state) {
    fixture.facts.target = &fixture.Next();
    fixture.facts.resolved = {};
    fixture.facts.method = std::string_view("GET");
    fixture.facts.path = std::string_view("/simple/requests/");
    fixture.facts.headers = std::span<const Field>(fields);
    auto target = fixture.policy->DecideTarget(fixture.stack, fixture.facts, Ask::kRequest);
    if (!target.permit) continue;
    fixture.facts.resolved = std::span<const IpAddress>(addresses);
    benchmark::DoNotOptimize(fixture.policy->DecideAddress(*target.permit, fixture.facts));
  }
}

// R: one more request in an inspected tunnel, or on a pooled link.
void AdmitPooled(benchmark::State& state) {
  Fixture fixture(state.range(0));
  const std::vector<Field> fields = {{"accept", "*/*"}, {"user-agent", "curl/8"}};
  const IpAddress peer = *IpAddress::Parse("8.8.8.8");
  const Target target = *ParseAuthority("pypi.org:443", std::nullopt);
  fixture.facts.target = &target;
  fixture.facts.protocol = Protocol::kTls;
  auto admitted = fixture.policy->DecideTarget(fixture.stack, fixture.facts, Ask::kTunnel);
  fixture.facts.method = std::string_view("GET");
  fixture.facts.path = std::string_view("/simple/requests/");
  fixture.facts.headers = std::span<const Field>(fields);
  for (auto _ : state) benchmark::DoNotOptimize(fixture.policy->Admit(*admitted.permit, fixture.facts, peer));
}

void CanonicalTarget(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(ParseAuthority("Files.PythonHosted.org:443", std::nullopt));
}

// Off the loop, when a set changes.
void CompileNames(benchmark::State& state) {
  PolicySetSpec spec;
  spec.domain_sets = {{"closed", {}, {}, {}}};
  for (int64_t i = 0; i < state.range(0); ++i)
    spec.domain_sets[0].file_domains.push_back("*." + NameAt(static_cast<uint64_t>(i)));
  for (auto _ : state) benchmark::DoNotOptimize(Compile(spec).ok());
}

BENCHMARK(DecideTarget)->Arg(10)->Arg(1000)->Arg(100000)->Arg(1000000);
BENCHMARK(DecideRequest)->Arg(10)->Arg(1000)->Arg(100000)->Arg(1000000);
BENCHMARK(AdmitPooled)->Arg(10)->Arg(1000000);
BENCHMARK(CanonicalTarget);
BENCHMARK(CompileNames)->Arg(1000000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace egret
