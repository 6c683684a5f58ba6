// The decision procedure, stage by stage.
#include "source/policy/policy.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "test/policy/support.h"

namespace egret {
namespace {

using Verdict = Decision::Verdict;

static_assert(!std::is_copy_constructible_v<Admission> && !std::is_default_constructible_v<Admission>);
static_assert(!std::is_copy_constructible_v<DialPermit> && !std::is_default_constructible_v<DialPermit>);
static_assert(!std::is_copy_constructible_v<RequestPermit> && !std::is_constructible_v<RequestPermit, Target>);

const std::vector<IpAddress> kPublic = {Ip("8.8.8.8"), Ip("2606:4700::1")};

// One connection's way through the stages.
class Session {
 public:
  Session(std::shared_ptr<const Policy> policy, std::string_view target, Ask ask = Ask::kTunnel,
          PolicyStack stack = Stack())
      : target_(To(target)), ask_(ask), policy_(std::move(policy)), stack_(std::move(stack)) {
    facts.source = Ip("10.9.9.9");
    facts.identity = Fact<const Identity*>::Absent();
    facts.target = &target_;
    facts.now = 1000;
  }

  Session& Request(std::string_view method, std::string_view path, std::vector<Field> fields = {}) {
    fields_ = std::move(fields);
    facts.method = method;
    facts.path = path;
    facts.headers = std::span<const Field>(fields_);
    return *this;
  }
  Session& As(const Identity& identity) {
    facts.identity = &identity;
    return *this;
  }
  Session& Resolves(std::vector<IpAddress> addresses) {
    addresses_ = std::move(addresses);
    return *this;
  }

  Decision T() {
    auto ruling = policy_->DecideTarget(stack_, facts, ask_);
    EXPECT_EQ(ruling.permit.has_value(), !ruling.decision.denied());
    admission = std::move(ruling.permit);
    return ruling.decision;
  }
  Decision A() {
    if (!admission) T();
    if (!admission) return {};
    facts.resolved = std::span<const IpAddress>(addresses_);
    auto ruling = policy_->DecideAddress(*admission, facts);
    EXPECT_EQ(ruling.permit.has_value(), !ruling.decision.denied());
    EXPECT_EQ(ruling.request.has_value(), ask_ == Ask::kRequest && !ruling.decision.denied());
    if (ruling.request) EXPECT_TRUE(ruling.request->Fits({ruling.permit->id(), {}, {}}));
    permit = std::move(ruling.permit);
    return ruling.decision;
  }
  // The name that a literal's tunnel shows, as its filter finds it out.
  void Shows(std::string_view name, std::vector<IpAddress> at) {
    shown_ = std::make_shared<const ShownName>(ShownName{*ParseServerName(name, target_.port), std::move(at)});
  }
  Decision H(Protocol protocol, std::string_view sni = {}) {
    if (!permit) A();
    if (!permit) return {};
    facts.protocol = protocol;
    if (protocol == Protocol::kTls) facts.sni = sni.empty() ? Fact<std::string_view>::Absent() : sni;
    auto ruling = policy_->DecideHello(binding(), stack_, facts);
    EXPECT_EQ(ruling.relay.has_value(), ruling.decision.verdict == Verdict::kRelay);
    EXPECT_EQ(ruling.inspect.has_value(), ruling.decision.verdict == Verdict::kInspect);
    return ruling.decision;
  }
  Decision R(std::string_view method, std::string_view path, std::vector<Field> fields = {}) {
    Request(method, path, std::move(fields));
    auto ruling = policy_->DecideRequest(binding(), stack_, facts);
    EXPECT_EQ(ruling.permit.has_value(), !ruling.decision.denied());
    return ruling.decision;
  }
  Decision Reconsider(const Policy& newer, Policy::Live live) {
    return newer.Reconsider(binding(), permit->addresses().front(), stack_, facts, live);
  }

  Facts facts;
  std::optional<Admission> admission;
  std::optional<DialPermit> permit;

 private:
  Binding binding() const {
    Binding out = permit->binding();
    out.shown = shown_;
    return out;
  }

  std::shared_ptr<const ShownName> shown_;
  Target target_;
  std::vector<Field> fields_;
  std::vector<IpAddress> addresses_ = kPublic;
  Ask ask_;
  std::shared_ptr<const Policy> policy_;
  PolicyStack stack_;
};

RuleSpec WithHttp(RuleSpec rule, std::vector<std::string> methods, std::vector<std::string> prefixes = {}) {
  rule.http.emplace();
  rule.http->methods = std::move(methods);
  rule.http->path_prefixes = std::move(prefixes);
  return rule;
}

TEST(Policy, P15_NoPolicyDeniesEverything) {
  const auto policy = MustCompile({});
  const Decision decision = Session(policy, "example.com:443", Ask::kTunnel, PolicyStack()).T();
  EXPECT_EQ(decision.verdict, Verdict::kDeny);
  EXPECT_EQ(decision.reason, "nothing_allows");
  EXPECT_EQ(Session(Rules({}), "example.com:443").T().rule, "otherwise");
  EXPECT_EQ(Session(policy, "example.com:443", Ask::kTunnel, Stack({"gone"})).T().reason, "unknown_policy");
}

TEST(Policy, D17_AnAllowWithoutPortsMeans80And443) {
  const auto policy = Rules({Allow("web")});
  EXPECT_EQ(Session(policy, "example.com:443").T().verdict, Verdict::kContinue);
  EXPECT_EQ(Session(policy, "example.com:80").T().verdict, Verdict::kContinue);
  for (const auto target : {"example.com:22", "example.com:25", "example.com:6379", "example.com:8443"})
    EXPECT_EQ(Session(policy, target).T().fault, Fault::kPolicyDenied) << target;
}

TEST(Policy, AnAllowWithoutHostsTakesNoLiteral) {
  const auto policy = Rules({Allow("web")});
  EXPECT_EQ(Session(policy, "8.8.8.8:443").T().verdict, Verdict::kDeny);
  EXPECT_EQ(Session(policy, "[2606:4700::1]:443").T().verdict, Verdict::kDeny);
  RuleSpec literal = Allow("dns");
  literal.to.cidrs = {"8.8.8.0/24", "2606:4700::/32"};
  const auto open = Rules({literal});
  EXPECT_EQ(Session(open, "8.8.8.8:443").A().verdict, Verdict::kContinue);
  EXPECT_EQ(Session(open, "[2606:4700::1]:443").A().verdict, Verdict::kContinue);
  EXPECT_EQ(Session(open, "8.8.9.8:443").T().verdict, Verdict::kDeny);
  EXPECT_EQ(Session(open, "example.com:443").T().verdict, Verdict::kDeny) << "cidrs never match names";
}

TEST(Policy, P01_OneTargetHasOneVerdictHoweverSpelt) {
  const auto policy = Rules({Allow("a", {"example.com"})});
  for (const auto spelling : {"example.com:443", "EXAMPLE.com:443", "example.com.:443"})
    EXPECT_EQ(Session(policy, spelling).T().verdict, Verdict::kContinue) << spelling;
  EXPECT_EQ(Session(policy, "example.com:444").T().verdict, Verdict::kDeny);
}

TEST(Policy, P06_PatternsInRulesMatchByLabels) {
  const auto policy = Rules({Allow("r", {"*.below.example", ".both.example", "exact.example"})});
  const std::vector<std::pair<std::string, bool>> rows = {
      {"below.example", false},      {"a.below.example", true},
      {"a.b.below.example", true},   {"evil-below.example", false},
      {"below.example.evil", false}, {"both.example", true},
      {"x.both.example", true},      {"evilboth.example", false},
      {"exact.example", true},       {"x.exact.example", false},
      {"exact.example.com", false},  {"exact-example", false},
      {"exactxexample", false},      {"example", false},
  };
  for (const auto& [name, allowed] : rows)
    EXPECT_EQ(Session(policy, name + ":443").T().verdict == Verdict::kContinue, allowed) << name;
}

TEST(Policy, DomainSetsHoldWhatTheyInclude) {
  PolicySetSpec spec;
  spec.domain_sets = {{"outer", {"a.example"}, {}, {"inner"}}, {"inner", {"*.b.example"}, {"c.example"}, {}}};
  RuleSpec rule = Allow("r");
  rule.to.domain_sets = {"outer"};
  spec.policies = {OnePolicy("p", {rule})};
  const auto policy = MustCompile(spec);
  for (const auto name : {"a.example:443", "x.b.example:443", "c.example:443"})
    EXPECT_EQ(Session(policy, name).T().verdict, Verdict::kContinue) << name;
  EXPECT_EQ(Session(policy, "b.example:443").T().verdict, Verdict::kDeny);
}

TEST(Policy, TheFirstRuleThatMatchesDecides) {
  const auto policy = Rules({Deny("no-bad", {"bad.example.com"}), Allow("all", {".example.com"})});
  const Decision denied = Session(policy, "bad.example.com:443").T();
  EXPECT_EQ(denied.verdict, Verdict::kDeny);
  EXPECT_EQ(denied.rule, "no-bad");
  EXPECT_EQ(denied.policy, "p");
  EXPECT_EQ(denied.reason, "rule");
  EXPECT_EQ(Session(policy, "good.example.com:443").T().rule, "all");
}

TEST(Policy, ATunnelIsRelayedOnlyWhereEveryRequestWouldBeAllowed) {
  const auto policy = Rules({Allow("all", {"relay.example"}), WithHttp(Allow("get", {"inspect.example"}), {"GET"})});
  EXPECT_EQ(Session(policy, "relay.example:443").H(Protocol::kTls, "relay.example").verdict, Verdict::kRelay);
  Session inspected(policy, "inspect.example:443");
  EXPECT_EQ(inspected.H(Protocol::kTls, "inspect.example").verdict, Verdict::kInspect);
  EXPECT_EQ(inspected.R("GET", "/").verdict, Verdict::kForward);
  const Decision post = inspected.R("POST", "/");
  EXPECT_EQ(post.fault, Fault::kPolicyDenied);
  EXPECT_EQ(post.rule, "otherwise");
  EXPECT_EQ(post.stage, Stage::kRequest);
  EXPECT_EQ(Session(policy, "relay.example:80").H(Protocol::kHttp).verdict, Verdict::kInspect) << "clear HTTP is read";
  EXPECT_EQ(Session(policy, "relay.example:443").H(Protocol::kOther).verdict, Verdict::kDeny);
}

TEST(Policy, OtherProtocolsNeedARuleThatNamesThem) {
  RuleSpec ssh = Allow("ssh", {"git.example"});
  ssh.to.ports = {22};
  ssh.to.protocols = {Protocol::kOther};
  const auto policy = Rules({ssh});
  EXPECT_EQ(Session(policy, "git.example:22").H(Protocol::kOther).verdict, Verdict::kRelay);
  EXPECT_EQ(Session(policy, "git.example:22").H(Protocol::kTls, "git.example").verdict, Verdict::kDeny);
}

TEST(Policy, InspectionIsSteeredByTheFirstDeciderThatSays) {
  RuleSpec never = Allow("pinned", {".apple.com"});
  never.inspection = RuleSpec::Inspection::kNever;
  RuleSpec required = Allow("read", {"read.example"});
  required.inspection = RuleSpec::Inspection::kRequired;
  const auto deny_post = WithHttp(Deny("no-post"), {"POST"});
  const auto policy = MustCompile({{OnePolicy("p", {never, required}), OnePolicy("guard", {deny_post})}, {}, {}});
  EXPECT_EQ(Session(policy, "x.apple.com:443").H(Protocol::kTls, "x.apple.com").verdict, Verdict::kRelay);
  EXPECT_EQ(Session(policy, "read.example:443").H(Protocol::kTls, "read.example").verdict, Verdict::kInspect);

  PolicySetSpec spec{{OnePolicy("guard", {deny_post}), OnePolicy("p", {never})}, {}, {}};
  spec.policies[0].otherwise = PolicySpec::Otherwise::kAbstain;
  const auto mixed = MustCompile(spec);
  const Decision decision =
      Session(mixed, "x.apple.com:443", Ask::kTunnel, Stack({"guard", "p"})).H(Protocol::kTls, "x.apple.com");
  EXPECT_EQ(decision.fault, Fault::kNeedsInspection);
  EXPECT_EQ(decision.rule, "no-post");
}

TEST(Policy, AnyPolicyOfTheStackCanForbidAndOneMustAllow) {
  PolicySetSpec spec{
      {OnePolicy("guardrails", {Deny("no-paste", {".paste.example"})}), OnePolicy("p", {Allow("all")})}, {}, {}};
  spec.policies[0].otherwise = PolicySpec::Otherwise::kAbstain;
  spec.policies[0].rules[0].message = "Paste sites are closed.";
  const auto policy = MustCompile(spec);
  const PolicyStack stack = Stack({"guardrails", "p"});
  const Decision denied = Session(policy, "x.paste.example:443", Ask::kTunnel, stack).T();
  EXPECT_EQ(denied.policy, "guardrails");
  EXPECT_EQ(denied.rule, "no-paste");
  EXPECT_EQ(denied.message, "Paste sites are closed.");
  const Decision allowed = Session(policy, "x.example:443", Ask::kTunnel, stack).H(Protocol::kTls, "x.example");
  EXPECT_EQ(allowed.verdict, Verdict::kRelay);
  EXPECT_EQ(allowed.policy, "p");
  EXPECT_EQ(Session(policy, "x.example:443", Ask::kTunnel, Stack({"guardrails"})).T().reason, "nothing_allows");
}

TEST(Policy, AChallengeComesOnlyWhereTheIdentityCouldMatter) {
  RuleSpec ci = Allow("ci", {"ci.example"});
  ci.from.groups = {"ci"};
  const auto policy = Rules({ci, Allow("all", {"open.example"})});
  Session unknown(policy, "ci.example:443");
  unknown.facts.identity = {};
  const Decision challenged = unknown.T();
  EXPECT_EQ(challenged.verdict, Verdict::kChallenge);
  EXPECT_EQ(challenged.fault, Fault::kAuthRequired);
  EXPECT_EQ(challenged.rule, "ci");
  Session open(policy, "open.example:443");
  open.facts.identity = {};
  EXPECT_EQ(open.T().verdict, Verdict::kContinue);
  Session nowhere(policy, "other.example:443");
  nowhere.facts.identity = {};
  EXPECT_EQ(nowhere.T().verdict, Verdict::kDeny) << "403: no credential would help";
  EXPECT_EQ(Session(policy, "ci.example:443").T().verdict, Verdict::kDeny) << "anonymous for good";
  Identity member;
  member.groups = {"ci", "dev"};
  EXPECT_EQ(Session(policy, "ci.example:443").As(member).T().verdict, Verdict::kContinue);
}

TEST(Policy, EveryListOfFromMustHold) {
  RuleSpec rule = Allow("r", {"x.example"});
  rule.from.cidrs = {"10.0.0.0/8"};
  rule.from.users = {"alice", "bob"};
  rule.from.spiffe_ids = {"spiffe://prod/ns/build/*", "spiffe://prod/one"};
  rule.from.namespaces = {"build"};
  rule.from.service_accounts = {"build/ci"};
  rule.from.claims = {{"aud", {"egret"}}};
  rule.from.at_least = Assurance::kToken;
  const auto policy = Rules({rule});
  Identity good;
  good.user = "bob";
  good.spiffe_id = "spiffe://prod/ns/build/sa/ci";
  good.namespace_ = "build";
  good.service_account = "build/ci";
  good.claims = {{"iss", {"x"}}, {"aud", {"other", "egret"}}};
  good.assurance = Assurance::kCertificate;
  const auto allowed = [&](auto change) {
    Identity identity = good;
    change(identity);
    return Session(policy, "x.example:443").As(identity).T().verdict == Verdict::kContinue;
  };
  EXPECT_TRUE(allowed([](Identity&) {}));
  EXPECT_TRUE(allowed([](Identity& i) { i.spiffe_id = "spiffe://prod/one"; }));
  EXPECT_FALSE(allowed([](Identity& i) { i.user = "eve"; }));
  EXPECT_FALSE(allowed([](Identity& i) { i.user = ""; }));
  EXPECT_FALSE(allowed([](Identity& i) { i.spiffe_id = "spiffe://prod/ns/buildx/sa"; }));
  EXPECT_FALSE(allowed([](Identity& i) { i.spiffe_id = "spiffe://prod/ns/build/"; }));
  EXPECT_FALSE(allowed([](Identity& i) { i.spiffe_id = "spiffe://prod/ns/build"; }));
  EXPECT_FALSE(allowed([](Identity& i) { i.namespace_ = ""; }));
  EXPECT_FALSE(allowed([](Identity& i) { i.service_account = "build/other"; }));
  EXPECT_FALSE(allowed([](Identity& i) { i.claims.pop_back(); }));
  EXPECT_FALSE(allowed([](Identity& i) { i.assurance = Assurance::kSourceAddress; }));
  Session elsewhere(policy, "x.example:443");
  elsewhere.facts.source = Ip("192.0.2.1");
  EXPECT_EQ(elsewhere.As(good).T().verdict, Verdict::kDeny);
}

TEST(Policy, D05_MixedAnswersAreRefusedOrFiltered) {
  const std::vector<IpAddress> mixed = {Ip("10.0.0.1"), Ip("8.8.8.8"), Ip("127.0.0.1"), Ip("8.8.4.4")};
  PolicySetSpec spec{{OnePolicy("p", {Allow("all")})}, {}, {}};
  Session refused(MustCompile(spec), "x.example:443");
  const Decision decision = refused.Resolves(mixed).A();
  EXPECT_EQ(decision.fault, Fault::kAddressProhibited);
  EXPECT_EQ(decision.reason, "private");
  EXPECT_EQ(decision.rule, "address_guard");
  spec.guard.mixed_answers = AddressGuardSpec::MixedAnswers::kFilter;
  Session filtered(MustCompile(spec), "x.example:443");
  EXPECT_EQ(filtered.Resolves(mixed).A().verdict, Verdict::kContinue);
  EXPECT_EQ(filtered.permit->addresses(), (std::vector<IpAddress>{Ip("8.8.8.8"), Ip("8.8.4.4")}));
  EXPECT_EQ(filtered.permit->binding().resolved, mixed);
  Session none(MustCompile(spec), "x.example:443");
  EXPECT_EQ(none.Resolves({Ip("10.0.0.1"), Ip("127.0.0.1")}).A().fault, Fault::kAddressProhibited);
  EXPECT_EQ(Session(MustCompile(spec), "x.example:443").Resolves({}).A().reason, "no_addresses");
}

TEST(Policy, T22_AConnectionThatWantedToReachThisProxyIsRefused) {
  PolicySetSpec spec;
  spec.policies = {OnePolicy("p", {Allow("all")})};
  spec.guard.own = {*Endpoint::Parse("192.0.2.1:15001")};
  const auto policy = MustCompile(spec);
  const auto refused = policy->JudgeLoop(*Endpoint::Parse("192.0.2.1:15001"), false);
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused->denied());
  EXPECT_EQ(refused->reason, "own_listener");
  EXPECT_TRUE(policy->JudgeLoop(*Endpoint::Parse("192.0.2.2:15001"), true));
  EXPECT_FALSE(policy->JudgeLoop(*Endpoint::Parse("192.0.2.1:443"), false));
  EXPECT_FALSE(policy->JudgeLoop(*Endpoint::Parse("10.0.0.1:15001"), false));  // the other guards come later
}

TEST(Policy, APermitIsNarrowedToOneOfItsAddressesOnly) {
  PolicySetSpec spec;
  spec.policies = {OnePolicy("p", {Allow("all")})};
  const auto policy = MustCompile(spec);
  Facts facts;
  const Target target = To("a.example:443");
  facts.target = &target;
  const std::vector<IpAddress> resolved = {Ip("9.1.1.1"), Ip("9.2.2.2")};
  facts.resolved = std::span<const IpAddress>(resolved);
  const auto admission = policy->DecideTarget(PolicyStack({"p"}), facts, Ask::kTunnel);
  ASSERT_TRUE(admission.permit);
  AddressRuling ruling = policy->DecideAddress(*admission.permit, facts);
  ASSERT_TRUE(ruling.permit);
  EXPECT_FALSE(ruling.permit->Narrow(Ip("9.3.3.3")));
  EXPECT_EQ(ruling.permit->addresses(), resolved);
  EXPECT_TRUE(ruling.permit->Narrow(Ip("9.2.2.2")));
  EXPECT_EQ(ruling.permit->addresses(), std::vector<IpAddress>{Ip("9.2.2.2")});
}

TEST(Policy, D13_LocalhostIsRefusedWithTheRemedyAndCanBeOpened) {
  RuleSpec web = Allow("web", {"localhost"});
  web.to.ports = {8000};
  const Decision refused = Session(Rules({web}), "localhost:8000").Resolves({Ip("127.0.0.1")}).A();
  EXPECT_EQ(refused.reason, "loopback");
  EXPECT_EQ(
      refused.message,
      "127.0.0.1 is refused: loopback. To open it, write reaches_private: [\"127.0.0.0/8\"] in rule web of policy "
      "p.");
  web.reaches_private = {"127.0.0.0/8"};
  EXPECT_EQ(Session(Rules({web}), "localhost:8000").Resolves({Ip("127.0.0.1")}).A().verdict, Verdict::kContinue);
  PolicySetSpec own{{OnePolicy("p", {web})}, {}, {}};
  own.guard.own = {*Endpoint::Parse("0.0.0.0:8000")};
  EXPECT_EQ(Session(MustCompile(own), "localhost:8000").Resolves({Ip("127.0.0.1")}).A().reason, "own_listener");
}

TEST(Policy, D14_MetadataStaysRefusedUnderAllowAll) {
  RuleSpec all = Allow("all");
  all.to.cidrs = {"0.0.0.0/0", "::/0"};
  all.to.domains = {"metadata.google.internal"};
  all.reaches_private = {"0.0.0.0/0", "::/0"};
  const auto policy = Rules({all});
  EXPECT_EQ(Session(policy, "169.254.169.254:80").A().reason, "metadata");
  EXPECT_EQ(Session(policy, "[::ffff:169.254.169.254]:80").A().reason, "metadata");
  EXPECT_EQ(Session(policy, "metadata.google.internal:80").Resolves({Ip("169.254.169.254")}).A().reason, "metadata");
  EXPECT_EQ(Session(policy, "10.1.1.1:80").A().verdict, Verdict::kContinue);
}

TEST(Policy, ARangeIsOpenOnlyIfEveryAllowThatMayDecideNamesIt) {
  RuleSpec registry = Allow("registry", {"r.example"});
  registry.reaches_private = {"10.20.0.0/16"};
  const auto other = WithHttp(Allow("get", {"r.example"}), {"GET"});
  const std::vector<IpAddress> inside = {Ip("10.20.0.1")};
  EXPECT_EQ(Session(Rules({registry}), "r.example:443").Resolves(inside).A().verdict, Verdict::kContinue);
  EXPECT_EQ(Session(Rules({registry}), "r.example:443").Resolves({Ip("10.21.0.1")}).A().reason, "private");
  // "get" may still decide, and does not open the range.
  const Decision refused = Session(Rules({other, registry}), "r.example:443").Resolves(inside).A();
  EXPECT_EQ(refused.reason, "private");
  EXPECT_NE(refused.message.find("rule get"), std::string::npos) << refused.message;
  EXPECT_EQ(refused.message.find("rule registry"), std::string::npos) << refused.message;
}

TEST(Policy, OfSeveralAddressesAnAllowNeedsAllAndADenyAny) {
  RuleSpec allow = Allow("a", {"x.example"});
  allow.to.resolved_cidrs = {"8.8.8.0/24"};
  const auto allowing = Rules({allow});
  EXPECT_EQ(Session(allowing, "x.example:443").Resolves({Ip("8.8.8.1"), Ip("8.8.8.2")}).A().verdict,
            Verdict::kContinue);
  EXPECT_EQ(Session(allowing, "x.example:443").Resolves({Ip("8.8.8.1"), Ip("8.8.4.2")}).A().verdict, Verdict::kDeny);
  RuleSpec deny = Deny("d");
  deny.to.resolved_cidrs = {"8.8.8.0/24"};
  const auto denying = Rules({deny, Allow("all")});
  EXPECT_EQ(Session(denying, "x.example:443").Resolves({Ip("1.1.1.1"), Ip("8.8.8.2")}).A().rule, "d");
  EXPECT_EQ(Session(denying, "x.example:443").Resolves({Ip("1.1.1.1")}).A().verdict, Verdict::kContinue);
  EXPECT_EQ(Session(denying, "8.8.8.8:443").T().rule, "d") << "a literal has resolved to itself";
}

TEST(Policy, APlainRequestIsSettledAtAddress) {
  const auto policy = Rules({WithHttp(Allow("get", {"x.example"}), {"GET"}, {"/a"})});
  Session get(policy, "x.example:80", Ask::kRequest);
  get.Request("GET", "/a/b");
  EXPECT_EQ(get.T().verdict, Verdict::kContinue);
  const Decision forwarded = get.A();
  EXPECT_EQ(forwarded.verdict, Verdict::kForward);
  EXPECT_EQ(forwarded.rule, "get");
  EXPECT_EQ(Session(policy, "x.example:80", Ask::kRequest).Request("GET", "/b").T().verdict, Verdict::kDeny);
  EXPECT_EQ(Session(policy, "x.example:80", Ask::kRequest).Request("POST", "/a").T().verdict, Verdict::kDeny);
  Session unread(policy, "x.example:80", Ask::kRequest);
  EXPECT_EQ(unread.A().reason, "undecided") << "facts that must be known are not";
}

TEST(Policy, P02_AnAmbiguousPathMatchesNoAllowAndEveryDenyThatOneReadingMatches) {
  const auto deny = WithHttp(Deny("admin", {"x.example"}), {}, {"/admin"});
  const auto allow = WithHttp(Allow("public", {"x.example"}), {}, {"/public"});
  const auto policy = Rules({deny, allow, Allow("rest", {"y.example"})});
  const auto rule = [&](std::string_view path) {
    const Decision decision = Session(policy, "x.example:80", Ask::kRequest).Request("GET", path).T();
    return decision.verdict == Verdict::kDeny ? decision.rule : "forward";
  };
  EXPECT_EQ(rule("/public"), "forward");
  EXPECT_EQ(rule("/public/x%20y;z"), "forward");
  EXPECT_EQ(rule("/publicx"), "otherwise");
  for (const auto path :
       {"/public/../admin", "/public/%2e%2e/admin", "/public/..%2fadmin", "/public/..;/admin", "//admin", "/%61dmin",
        "/%2561dmin", "/public\\..\\admin", "/admin%00", "/admin;x/y", "/%c0%afadmin"})
    EXPECT_EQ(rule(path), "admin") << path;
  for (const auto path :
       {"/public/./x", "/public//x", "/public/%2e%2e/public", "/public/%", "/public/%00", "/public/a%2fb"})
    EXPECT_EQ(rule(path), "otherwise") << path;
}

TEST(Policy, PathsAreExactPrefixesOfSegmentsOrWholeExpressions) {
  RuleSpec rule = Allow("r", {"x.example"});
  rule.http = {{}, {"/exact", "*"}, {"/repos/acme", "/dir/"}, {"/v[0-9]+/.*", "/only"}, {}};
  const auto policy = Rules({rule});
  const std::vector<std::pair<std::string, bool>> rows = {
      {"/exact", true},        {"/exact/", false},      {"/Exact", false},  {"*", true},       {"/repos/acme", true},
      {"/repos/acme/x", true}, {"/repos/acme2", false}, {"/repos", false},  {"/dir/", true},   {"/dir/x", true},
      {"/dir", false},         {"/v1/x", true},         {"/v1", false},     {"/xv1/x", false}, {"/only", true},
      {"/onlyx", false},       {"/v1/%C3%A9", true},    {"/v%31/x", false},
  };
  for (const auto& [path, allowed] : rows)
    EXPECT_EQ(Session(policy, "x.example:80", Ask::kRequest).Request("GET", path).T().verdict == Verdict::kContinue,
              allowed)
        << path;
}

TEST(Policy, AnExpressionIsNotGotRoundByEscapesNorByOddBytes) {
  RuleSpec no_dots = Allow("r", {"x.example"});
  no_dots.http = {{}, {}, {}, {"/files/[^.]*"}, {}};
  EXPECT_EQ(Session(Rules({no_dots}), "x.example:80", Ask::kRequest).Request("GET", "/files/a%2ejsp").T().verdict,
            Verdict::kDeny);
  RuleSpec deny = Deny("d");
  deny.http = {{}, {}, {}, {"/admin.*"}, {}};
  const auto policy = Rules({deny, Allow("all")});
  for (const auto path : {"/admin\xff", "/admin%ff", "/admin%0ax", "/admin\nx"})
    EXPECT_EQ(Session(policy, "x.example:80", Ask::kRequest).Request("GET", path).T().rule, "d") << path;
}

TEST(Policy, P03_EveryValueOfARepeatedHeaderCounts) {
  RuleSpec allow = Allow("a", {"x.example"});
  allow.http = {{}, {}, {}, {}, {{"X-Env", {"dev", "test"}}}};
  RuleSpec deny = Deny("d", {"y.example"});
  deny.http = {{}, {}, {}, {}, {{"X-Env", {"prod"}}}};
  RuleSpec present = Allow("p", {"z.example"});
  present.http = {{}, {}, {}, {}, {{"X-Env", {}}}};
  const auto policy = Rules({allow, deny, present, Allow("rest", {"y.example"})});
  const auto allowed = [&](std::string_view target, std::vector<Field> fields) {
    return Session(policy, target, Ask::kRequest).Request("GET", "/", std::move(fields)).T().verdict ==
           Verdict::kContinue;
  };
  EXPECT_TRUE(allowed("x.example:80", {{"x-env", "dev"}}));
  EXPECT_TRUE(allowed("x.example:80", {{"X-ENV", "dev"}, {"other", "y"}, {"x-env", "test"}}));
  EXPECT_TRUE(allowed("x.example:80", {{"x-env", "dev, test"}}));
  EXPECT_FALSE(allowed("x.example:80", {{"x-env", "dev"}, {"x-env", "prod"}}));
  EXPECT_FALSE(allowed("x.example:80", {{"x-env", "prod"}, {"x-env", "dev"}}));
  EXPECT_FALSE(allowed("x.example:80", {{"x-env", "dev, prod"}}));
  EXPECT_FALSE(allowed("x.example:80", {{"x_env", "dev"}}));
  EXPECT_FALSE(allowed("x.example:80", {}));
  EXPECT_TRUE(allowed("y.example:80", {}));
  EXPECT_TRUE(allowed("y.example:80", {{"x-env", "dev"}}));
  EXPECT_FALSE(allowed("y.example:80", {{"x-env", "dev"}, {"x-env", "prod"}}));
  EXPECT_FALSE(allowed("y.example:80", {{"x-env", "dev,prod"}}));
  EXPECT_TRUE(allowed("z.example:80", {{"x-env", "anything"}}));
  EXPECT_FALSE(allowed("z.example:80", {}));
}

TEST(Policy, T10_TheSniMustBeTheTarget) {
  RuleSpec literal = Allow("lit");
  literal.to.cidrs = {"8.8.8.8"};
  const auto policy = Rules({Allow("named", {".example.com"}), literal});
  const auto reason = [&](std::string_view target, std::string_view sni) {
    const Decision decision = Session(policy, target).H(Protocol::kTls, sni);
    if (decision.verdict == Verdict::kDeny) EXPECT_EQ(TextOf(decision.fault).detail, decision.reason);
    return decision.verdict == Verdict::kDeny ? decision.reason : std::string_view("relay");
  };
  EXPECT_EQ(reason("a.example.com:443", "a.example.com"), "relay");
  EXPECT_EQ(reason("a.example.com:443", "A.EXAMPLE.com"), "relay");
  EXPECT_EQ(reason("a.example.com:443", "b.example.com"), "sni_mismatch");
  EXPECT_EQ(reason("a.example.com:443", "a.example.com.evil.example"), "sni_mismatch");
  EXPECT_EQ(reason("a.example.com:443", ""), "sni_missing");
  EXPECT_EQ(reason("a.example.com:443", "a.example.com:443"), "sni_malformed");
  EXPECT_EQ(reason("a.example.com:443", "8.8.8.8"), "sni_mismatch");
  EXPECT_EQ(reason("8.8.8.8:443", ""), "relay");
  EXPECT_EQ(reason("8.8.8.8:443", "8.8.8.8"), "relay");
  EXPECT_EQ(reason("8.8.8.8:443", "8.8.4.4"), "sni_mismatch");
  EXPECT_EQ(reason("8.8.8.8:443", "a.example.com"), "sni_address_mismatch");
}

TEST(Policy, T10_ANameShownOnALiteralMustBeAllowedAndResolveThere) {
  RuleSpec literal = Allow("lit");
  literal.to.cidrs = {"8.8.8.8"};
  const auto policy = Rules({Allow("named", {"a.example"}), literal});
  const auto shows = [&](std::string_view name, std::vector<IpAddress> at) {
    Session session(policy, "8.8.8.8:443");
    session.A();
    session.Shows(name, std::move(at));
    return session.H(Protocol::kTls, name);
  };
  const std::vector<IpAddress> here = {Ip("1.1.1.1"), Ip("8.8.8.8")};
  EXPECT_EQ(shows("a.example", here).verdict, Verdict::kRelay);
  EXPECT_EQ(shows("b.example", here).fault, Fault::kPolicyDenied);
  EXPECT_EQ(shows("a.example", {Ip("1.1.1.1")}).fault, Fault::kSniAddressMismatch);
}

TEST(Policy, T10_RequestsInALiteralsTunnelPassTheRulesForTheNameItShows) {
  RuleSpec literal = Allow("lit");
  literal.to.cidrs = {"8.8.8.8"};
  const auto policy = Rules({WithHttp(Allow("named", {"a.example"}), {"GET"}), literal});
  Session session(policy, "8.8.8.8:443");
  session.A();
  session.Shows("a.example", {Ip("8.8.8.8")});
  EXPECT_EQ(session.H(Protocol::kTls, "a.example").verdict, Verdict::kInspect);
  EXPECT_EQ(session.R("GET", "/").verdict, Verdict::kForward);
  EXPECT_EQ(session.R("POST", "/").verdict, Verdict::kDeny);
  session.Request("POST", "/");
  EXPECT_EQ(session.Reconsider(*policy, Policy::Live::kRequest).verdict, Verdict::kDeny);
}

TEST(Policy, T10_ARuleMayLetTheNameBeLeftOut) {
  RuleSpec old = Allow("old-clients", {"a.example", "b.example"});
  old.without_sni = true;
  const auto policy = Rules({old});
  EXPECT_EQ(Session(policy, "a.example:443").H(Protocol::kTls).verdict, Verdict::kRelay);
  EXPECT_EQ(Session(policy, "a.example:443").H(Protocol::kTls, "b.example").fault, Fault::kSniMismatch);
  // Every rule that may allow it has to say so.
  const auto both = Rules({WithHttp(Allow("get", {"a.example"}), {"GET"}), old});
  EXPECT_EQ(Session(both, "a.example:443").H(Protocol::kTls).fault, Fault::kSniMissing);
  EXPECT_EQ(Session(both, "b.example:443").H(Protocol::kTls).verdict, Verdict::kRelay);
  const auto denied = Rules({Deny("no", {"a.example"}), old});
  EXPECT_EQ(Session(denied, "a.example:443").T().rule, "no");
}

TEST(Policy, M17_TheNameBeforeAnEncryptedHelloIsTheTargetOrOneThatARuleGives) {
  RuleSpec fronted = Allow("fronted", {"a.example"});
  fronted.ech_outer_names = {"ech.example", "*.outer.example"};
  const auto policy = Rules({fronted, Allow("rest", {".example"})});
  const auto fault = [&](std::string_view target, std::string_view sni, bool ech) {
    Session session(policy, target);
    session.facts.ech = ech;
    return session.H(Protocol::kTls, sni).fault;
  };
  EXPECT_EQ(fault("a.example:443", "a.example", true), Fault::kNone);  // noise, or its own outer name
  EXPECT_EQ(fault("a.example:443", "ech.example", true), Fault::kNone);
  EXPECT_EQ(fault("a.example:443", "X.outer.example", true), Fault::kNone);
  EXPECT_EQ(fault("a.example:443", "outer.example", true), Fault::kEchOuterName);
  EXPECT_EQ(fault("a.example:443", "8.8.8.8", true), Fault::kSniMismatch);
  EXPECT_EQ(fault("a.example:443", "ech.example", false), Fault::kSniMismatch);
  EXPECT_EQ(fault("a.example:443", "", true), Fault::kSniMissing);
  EXPECT_EQ(fault("b.example:443", "ech.example", true), Fault::kEchOuterName);
}

constexpr std::string_view kCurl = "t13d1516h2_8daaf6152771_e5627efa2ab1";
constexpr std::string_view kBot = "t12i000000_000000000000_000000000000";

TEST(Policy, AFingerprintIsUnknownBeforeTheHelloAndAbsentWithoutTls) {
  RuleSpec curl = Allow("curl", {".example"});
  curl.from.ja4 = {std::string(kCurl)};
  const auto policy = Rules({curl});
  EXPECT_TRUE(policy->UsesFingerprints());
  EXPECT_FALSE(Rules({Allow("any")})->UsesFingerprints());
  Session session(policy, "a.example:443");
  EXPECT_EQ(session.T().verdict, Verdict::kContinue);
  EXPECT_EQ(session.A().verdict, Verdict::kContinue);
  session.facts.ja4 = kCurl;
  EXPECT_EQ(session.H(Protocol::kTls, "a.example").verdict, Verdict::kRelay);
  session.facts.ja4 = kBot;
  EXPECT_EQ(session.H(Protocol::kTls, "a.example").verdict, Verdict::kDeny);
  session.facts.ja4 = {};
  EXPECT_EQ(session.H(Protocol::kHttp).verdict, Verdict::kDeny);
  Session plain(policy, "a.example:80", Ask::kRequest);
  EXPECT_EQ(plain.Request("GET", "/").T().verdict, Verdict::kDeny);
}

TEST(Policy, ADenyByFingerprintIsNotGotRoundWhereNobodyMadeOne) {
  RuleSpec bot = Deny("bot");
  bot.from.ja3 = {"de350869b8c85de67a350c8d186f11e6"};
  const auto policy = Rules({bot, Allow("any")});
  Session session(policy, "a.example:443");
  EXPECT_EQ(session.A().verdict, Verdict::kContinue);
  session.facts.ja3 = std::string_view(bot.from.ja3.front());
  const Decision denied = session.H(Protocol::kTls, "a.example");
  EXPECT_EQ(denied.rule, "bot");
  session.facts.ja3 = std::string_view("ada70206e40642a3e4461f35503241d5");
  EXPECT_EQ(session.H(Protocol::kTls, "a.example").verdict, Verdict::kRelay);
  // Unknown, as after a change of policies: nothing is relayed, and no request passes.
  session.facts.ja3 = {};
  EXPECT_EQ(session.H(Protocol::kTls, "a.example").verdict, Verdict::kInspect);
  EXPECT_EQ(session.R("GET", "/").reason, "undecided");
  session.facts.ja3 = Fact<std::string_view>::Absent();
  EXPECT_EQ(session.H(Protocol::kTls, "a.example").verdict, Verdict::kRelay);
}

TEST(Policy, AnInnerRequestGoesToTheTunnelsTargetOnly) {
  const auto policy = Rules({WithHttp(Allow("get", {".example"}), {"GET"})});
  Session session(policy, "a.example:443");
  ASSERT_EQ(session.H(Protocol::kTls, "a.example").verdict, Verdict::kInspect);
  for (const auto other : {"b.example:443", "a.example:8443", "8.8.8.8:443"}) {
    const Target elsewhere = To(other);
    session.facts.target = &elsewhere;
    EXPECT_EQ(session.R("GET", "/").fault, Fault::kMisdirected) << other;
  }
  const Target same = To("A.example:443");
  session.facts.target = &same;
  EXPECT_EQ(session.R("GET", "/").verdict, Verdict::kForward);
}

TEST(Policy, APooledLinkIsTakenIfItsPeerPasses) {
  RuleSpec rule = Allow("a", {"x.example"});
  rule.to.resolved_cidrs = {"8.8.8.0/24", "10.0.0.0/8"};
  const auto policy = Rules({rule});
  Session session(policy, "x.example:80", Ask::kRequest);
  session.Request("GET", "/").T();
  ASSERT_TRUE(session.admission);
  const auto good = policy->Admit(*session.admission, session.facts, Ip("8.8.8.8"));
  EXPECT_EQ(good.decision.verdict, Verdict::kForward);
  ASSERT_TRUE(good.permit);
  EXPECT_TRUE(good.permit->Fits({0, Ip("8.8.8.8"), {}}));
  EXPECT_FALSE(good.permit->Fits({0, Ip("8.8.8.9"), {}}));
  EXPECT_FALSE(good.permit->Fits({0, Ip("8.8.8.8"), "parent"}));
  EXPECT_EQ(policy->Admit(*session.admission, session.facts, Ip("1.1.1.1")).decision.fault, Fault::kPolicyDenied);
  EXPECT_EQ(policy->Admit(*session.admission, session.facts, Ip("10.0.0.1")).decision.reason, "private");
  const Target other = To("y.example:80");
  session.facts.target = &other;
  EXPECT_EQ(policy->Admit(*session.admission, session.facts, Ip("8.8.8.8")).decision.fault, Fault::kMisdirected);
}

TEST(Policy, AParentThatResolvesIsDialledByItsConfiguredTargetOnly) {
  RuleSpec rule = Allow("a", {"x.example", "localhost", "metadata.google.internal"});
  rule.to.cidrs = {"0.0.0.0/0"};
  const auto policy = Rules({rule});
  const auto hop = ConfiguredTarget::FromConfig("parent", To("10.0.0.1:3128"));
  const auto remote = [&](std::string_view target) {
    Session session(policy, target);
    session.T();
    return policy->DecideRemote(*session.admission, session.facts, hop);
  };
  const auto good = remote("x.example:443");
  EXPECT_EQ(good.decision.verdict, Verdict::kContinue);
  EXPECT_EQ(good.decision.reason, "resolved_by_parent");
  EXPECT_TRUE(good.permit->addresses().empty());
  EXPECT_EQ(good.permit->next_hop()->target().ToString(), "10.0.0.1:3128");
  EXPECT_EQ(remote("10.0.0.1:443").decision.reason, "private") << "literals are judged here";
  EXPECT_EQ(remote("8.8.8.8:443").decision.verdict, Verdict::kContinue);
  EXPECT_EQ(remote("localhost:443").decision.reason, "loopback");
  EXPECT_EQ(remote("metadata.google.internal:80").decision.reason, "metadata");
  Session plain(policy, "x.example:80", Ask::kRequest);
  plain.Request("GET", "/").T();
  const auto pooled = policy->AdmitRemote(*plain.admission, plain.facts, hop);
  ASSERT_TRUE(pooled.permit);
  EXPECT_TRUE(pooled.permit->Fits({9, Ip("10.0.0.1"), "parent"}));
  EXPECT_FALSE(pooled.permit->Fits({0, Ip("10.0.0.1"), ""}));
}

TEST(Policy, PermitsBindWhatWasDialled) {
  const auto policy = Rules({Allow("a", {"x.example"})});
  Session one(policy, "x.example:443"), two(policy, "x.example:443");
  one.A(), two.A();
  EXPECT_NE(one.permit->id(), two.permit->id());
  EXPECT_EQ(one.permit->generation(), policy->generation());
  EXPECT_EQ(one.permit->rule(), "a");
  Facts facts = one.facts;
  facts.protocol = Protocol::kTls;
  facts.sni = std::string_view("x.example");
  const auto ruling = policy->DecideHello(one.permit->binding(), Stack(), facts);
  ASSERT_TRUE(ruling.relay);
  EXPECT_TRUE(ruling.relay->Fits({one.permit->id(), {}, {}}));
  EXPECT_FALSE(ruling.relay->Fits({two.permit->id(), {}, {}}));
}

TEST(Policy, ATunnelThatCanOnlyBeInspectedMayBeAnsweredEarly) {
  const auto policy = Rules({WithHttp(Allow("get", {"i.example"}), {"GET"}), Allow("all", {"r.example"})});
  Session inspected(policy, "i.example:443"), relayed(policy, "r.example:443");
  inspected.T(), relayed.T();
  EXPECT_TRUE(policy->OnlyInspects(*inspected.admission, inspected.facts, Ip("8.8.8.8")));
  EXPECT_FALSE(policy->OnlyInspects(*inspected.admission, inspected.facts, Ip("10.0.0.1")));
  EXPECT_FALSE(policy->OnlyInspects(*relayed.admission, relayed.facts, Ip("8.8.8.8")));
}

TEST(Policy, P13_AnAuditRuleIsRecordedAndChangesNothing) {
  RuleSpec would_deny = Deny("soon", {"x.example"});
  would_deny.mode = RuleSpec::Mode::kAudit;
  RuleSpec would_allow = Allow("maybe", {"y.example"});
  would_allow.mode = RuleSpec::Mode::kAudit;
  RuleSpec would_inspect = WithHttp(Deny("post", {"z.example"}), {"POST"});
  would_inspect.mode = RuleSpec::Mode::kAudit;
  const auto policy = Rules({would_deny, would_allow, would_inspect, Allow("all", {"x.example", "z.example"})});
  const Decision relayed = Session(policy, "x.example:443").H(Protocol::kTls, "x.example");
  EXPECT_EQ(relayed.verdict, Verdict::kRelay);
  EXPECT_EQ(relayed.rule, "all");
  EXPECT_EQ(relayed.audit, Decision::Audit::kWouldDeny);
  EXPECT_EQ(relayed.audit_rule, "soon");
  const Decision denied = Session(policy, "y.example:443").T();
  EXPECT_EQ(denied.verdict, Verdict::kDeny);
  EXPECT_EQ(denied.audit, Decision::Audit::kWouldAllow);
  EXPECT_EQ(denied.audit_rule, "maybe");
  const Decision read = Session(policy, "z.example:443").H(Protocol::kTls, "z.example");
  EXPECT_EQ(read.verdict, Verdict::kRelay) << "an audit rule causes no decryption";
  EXPECT_EQ(read.audit, Decision::Audit::kWouldInspect);
  Session post(policy, "z.example:80", Ask::kRequest);
  const Decision forwarded = post.Request("POST", "/").A();
  EXPECT_EQ(forwarded.verdict, Verdict::kForward);
  EXPECT_EQ(forwarded.audit, Decision::Audit::kWouldDeny);
  EXPECT_EQ(Session(policy, "z.example:80", Ask::kRequest).Request("GET", "/").A().audit, Decision::Audit::kNone);
}

TEST(Policy, APolicySaysWhetherItHasToLookInside) {
  RuleSpec required = Allow("r", {"x.example"});
  required.inspection = RuleSpec::Inspection::kRequired;
  RuleSpec audited = WithHttp(Deny("d"), {"POST"});
  audited.mode = RuleSpec::Mode::kAudit;
  const auto policy = MustCompile({{OnePolicy("asks", {required}), OnePolicy("http", {WithHttp(Deny("d"), {"POST"})}),
                                    OnePolicy("plain", {Allow("a"), audited})},
                                   {},
                                   {}});
  EXPECT_TRUE(policy->NeedsInspection("asks"));
  EXPECT_TRUE(policy->NeedsInspection("http"));
  EXPECT_FALSE(policy->NeedsInspection("plain"));
  EXPECT_EQ(policy->Names(), (std::vector<std::string_view>{"asks", "http", "plain"}));
  EXPECT_TRUE(policy->Has("plain"));
  EXPECT_FALSE(policy->Has("other"));
}

TEST(Policy, AnAuditedPolicyLetsThroughUntilItsEnd) {
  PolicySetSpec spec{
      {OnePolicy("p", {Allow("a", {"x.example"})}), OnePolicy("rails", {Deny("d", {"x.example"})})}, {}, {}};
  for (PolicySpec& policy : spec.policies) {
    policy.mode = PolicySpec::Mode::kAudit;
    policy.audit_until = 2000;
  }
  spec.policies[1].otherwise = PolicySpec::Otherwise::kAbstain;
  const auto policy = MustCompile(spec);
  Session audited(policy, "other.example:443");
  const Decision relayed = audited.H(Protocol::kTls, "other.example");
  EXPECT_EQ(relayed.verdict, Verdict::kRelay);
  EXPECT_EQ(relayed.reason, "audited");
  EXPECT_EQ(relayed.audit, Decision::Audit::kWouldDeny);
  EXPECT_EQ(relayed.audit_rule, "otherwise");
  EXPECT_EQ(Session(policy, "other.example:443").Resolves({Ip("10.0.0.1")}).A().reason, "private") << "guards stand";
  Session later(policy, "other.example:443");
  later.facts.now = 2000;
  EXPECT_EQ(later.T().verdict, Verdict::kDeny);
  EXPECT_EQ(Session(policy, "x.example:443", Ask::kTunnel, Stack({"rails"})).T().verdict, Verdict::kDeny)
      << "a policy that only forbids allows nothing by being audited";
  EXPECT_EQ(Session(policy, "x.example:443", Ask::kTunnel, Stack({"rails", "p"})).T().verdict, Verdict::kContinue);
}

TEST(Policy, ARuleHoldsInItsWindowOnly) {
  RuleSpec rule = Allow("a", {"x.example"});
  rule.not_before = 100;
  rule.not_after = 200;
  const auto policy = Rules({rule});
  const auto verdict = [&](int64_t now) {
    Session session(policy, "x.example:443");
    session.facts.now = now;
    return session.T().verdict;
  };
  EXPECT_EQ(verdict(99), Verdict::kDeny);
  EXPECT_EQ(verdict(100), Verdict::kContinue);
  EXPECT_EQ(verdict(200), Verdict::kContinue);
  EXPECT_EQ(verdict(201), Verdict::kDeny);
}

TEST(Policy, ANewerPolicyEndsWhatItNoLongerAllows) {
  const auto before = Rules({Allow("all", {"x.example"})});
  Session tunnel(before, "x.example:443");
  ASSERT_EQ(tunnel.H(Protocol::kTls, "x.example").verdict, Verdict::kRelay);
  using Live = Policy::Live;
  EXPECT_EQ(tunnel.Reconsider(*before, Live::kRelayed).verdict, Verdict::kContinue);
  const auto gone = Rules({Allow("all", {"y.example"})});
  EXPECT_EQ(tunnel.Reconsider(*gone, Live::kRelayed).fault, Fault::kPolicyRevoked);
  EXPECT_EQ(tunnel.Reconsider(*gone, Live::kInspected).reason, "policy_revoked");
  const auto inspected = Rules({WithHttp(Allow("get", {"x.example"}), {"GET"})});
  EXPECT_EQ(tunnel.Reconsider(*inspected, Live::kRelayed).fault, Fault::kInspectionNowRequired);
  EXPECT_EQ(tunnel.Reconsider(*inspected, Live::kInspected).verdict, Verdict::kContinue);
  RuleSpec required = Allow("all", {"x.example"});
  required.inspection = RuleSpec::Inspection::kRequired;
  EXPECT_EQ(tunnel.Reconsider(*Rules({required}), Live::kRelayed).reason, "inspection_now_required");
  PolicySpec audited = OnePolicy("p", {Deny("d", {"x.example"})});
  audited.mode = PolicySpec::Mode::kAudit;
  audited.audit_until = tunnel.facts.now + 1000;
  EXPECT_EQ(tunnel.Reconsider(*MustCompile({{audited}, {}, {}}), Live::kRelayed).verdict, Verdict::kContinue);
  PolicySetSpec guarded{{OnePolicy("p", {Allow("all", {"x.example"})})}, {}, {}};
  guarded.guard.also_refuse = {"8.8.8.0/24"};
  EXPECT_EQ(tunnel.Reconsider(*MustCompile(guarded), Live::kRelayed).fault, Fault::kPolicyRevoked);
  tunnel.Request("POST", "/");
  EXPECT_EQ(tunnel.Reconsider(*inspected, Live::kRequest).fault, Fault::kPolicyRevoked);
  tunnel.Request("GET", "/");
  EXPECT_EQ(tunnel.Reconsider(*inspected, Live::kRequest).verdict, Verdict::kContinue);
}

TEST(Policy, P16_TheNamedRuleIsTheSameAtEveryStageThatDenies) {
  const auto policy = Rules({Deny("d", {"x.example"}), Allow("all")});
  Session session(policy, "x.example:443");
  const Decision at_target = session.T();
  Binding binding;
  binding.target = To("x.example:443");
  binding.resolved = kPublic;
  session.facts.protocol = Protocol::kTls;
  session.facts.sni = std::string_view("x.example");
  const Decision at_hello = policy->DecideHello(binding, Stack(), session.facts).decision;
  session.Request("GET", "/");
  const Decision at_request = policy->DecideRequest(binding, Stack(), session.facts).decision;
  for (const Decision* decision : {&at_target, &at_hello, &at_request}) {
    EXPECT_EQ(decision->fault, Fault::kPolicyDenied);
    EXPECT_EQ(decision->rule, "d");
    EXPECT_EQ(decision->policy, "p");
  }
}

TEST(Policy, ManyRulesAndManyListsOfOneNameStayInOrder) {
  std::vector<RuleSpec> rules;
  for (int i = 0; i < 1500; ++i)
    rules.push_back(Allow("r" + std::to_string(i), {"n" + std::to_string(i % 100) + ".example"}));
  rules.insert(rules.begin() + 1300, Deny("d", {"n5.example", ".n7.example"}));
  for (RuleSpec& rule : rules)
    if (rule.action == RuleSpec::Action::kAllow) rule.from.users = {rule.name};
  const auto policy = Rules(rules);
  Identity user;
  user.user = "r1205";
  EXPECT_EQ(Session(policy, "n5.example:443").As(user).T().rule, "r1205");
  user.user = "r1405";
  EXPECT_EQ(Session(policy, "n5.example:443").As(user).T().rule, "d");
  EXPECT_EQ(Session(policy, "a.n7.example:443").As(user).T().rule, "d");
  user.user = "r1499";
  EXPECT_EQ(Session(policy, "n99.example:443").As(user).T().rule, "r1499");
}

}  // namespace
}  // namespace egret
