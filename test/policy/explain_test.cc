// Explanations: every stage, what is missing, and what would help.
#include "source/policy/explain.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/policy/support.h"

namespace egret {
namespace {

// The policies of the tour's gateway.
PolicySetSpec Tour() {
  RuleSpec packages = Allow("ci-packages", {"pypi.org", "*.pythonhosted.org"});
  packages.from.groups = {"ci"};
  packages.http = {{"GET", "HEAD"}, {}, {}, {}, {}};
  RuleSpec vendors = Allow("pinned-vendors", {".apple.com"});
  vendors.inspection = RuleSpec::Inspection::kNever;
  RuleSpec registry = Allow("internal-registry", {"registry.corp.example"});
  registry.to.ports = {5000};
  RuleSpec telnet = Deny("would-close-telnet");
  telnet.to.ports = {23};
  telnet.mode = RuleSpec::Mode::kAudit;
  RuleSpec paste = Deny("no-paste-sites", {".pastebin.com"});
  paste.message = "Paste sites are closed.";
  PolicySetSpec out{
      {OnePolicy("guardrails", {paste}), OnePolicy("prod", {packages, vendors, registry, telnet})}, {}, {}};
  out.policies[0].otherwise = PolicySpec::Otherwise::kAbstain;
  return out;
}

class Explained {
 public:
  explicit Explained(std::string_view target, const PolicySetSpec& spec = Tour()) : spec_(spec), target_(To(target)) {
    alice_.user = "alice";
    alice_.groups = {"ci"};
    question.facts.source = Ip("10.1.1.1");
    question.facts.identity = &alice_;
    question.facts.target = &target_;
    question.facts.resolved = std::span<const IpAddress>(addresses);
  }
  Explanation Run() { return Explain(*MustCompile(spec_), Stack({"guardrails", "prod"}), question); }

  std::vector<IpAddress> addresses = {Ip("8.8.8.8")};
  Question question;

 private:
  PolicySetSpec spec_;
  Target target_;
  Identity alice_;
};

const RuleReport& ReportOf(const StageReport& stage, std::string_view rule) {
  for (const RuleReport& report : stage.rules)
    if (report.rule == rule) return report;
  ADD_FAILURE() << rule;
  return stage.rules.front();
}

TEST(Explain, EveryStageTellsWhatIsKnownAndWhatIsMissing) {
  Explained explained("pypi.org:443");
  explained.question.facts.protocol = Protocol::kTls;
  explained.question.facts.method = std::string_view("POST");
  explained.question.facts.path = std::string_view("/simple/");
  const Explanation out = explained.Run();
  ASSERT_EQ(out.stages.size(), 4u);
  EXPECT_EQ(out.stages[0].asked, "CONNECT pypi.org:443 from 10.1.1.1 as alice");
  const RuleReport& packages = ReportOf(out.stages[0], "ci-packages");
  EXPECT_EQ(packages.match, Match::kUnknown);
  EXPECT_EQ(packages.why, (std::vector<std::string>{"protocol", "http.methods"}));
  EXPECT_EQ(ReportOf(out.stages[0], "pinned-vendors").why, (std::vector<std::string>{"host"}));
  EXPECT_TRUE(ReportOf(out.stages[0], "would-close-telnet").audit);
  EXPECT_EQ(out.stages[2].decision.verdict, Decision::Verdict::kInspect);
  EXPECT_EQ(out.stages[3].asked, "POST /simple/");
  EXPECT_EQ(out.stages[3].decision.rule, "otherwise");
  EXPECT_EQ(ReportOf(out.stages[3], "ci-packages").why, (std::vector<std::string>{"http.methods"}));
  ASSERT_FALSE(out.changes.empty());
  EXPECT_EQ(
      out.changes[0],
      "rule ci-packages of policy prod would allow it with \"POST\" added to http.methods (or ask with GET, HEAD)");
}

TEST(Explain, TheTextReadsLikeATable) {
  Explained explained("pypi.org:443");
  explained.question.facts.protocol = Protocol::kTls;
  explained.question.facts.method = std::string_view("POST");
  explained.question.facts.path = std::string_view("/simple/");
  const std::string text = ToText(explained.Run());
  for (const char* line : {"T  CONNECT pypi.org:443 from 10.1.1.1 as alice  outcomes {allow, deny}  go on\n",
                           "     prod/ci-packages  unknown: protocol, http.methods\n",
                           "     prod/pinned-vendors  false: host\n", "A  resolved to 8.8.8.8", "H  TLS, SNI pypi.org",
                           "INSPECT\n", "R  POST /simple/", "403 rule=prod/otherwise", "would help: rule ci-packages"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
}

TEST(Explain, JsonHasTheSame) {
  Explained explained("x.pastebin.com:443");
  const std::string json = ToJson(explained.Run());
  for (const char* part : {R"("stage":"target")", R"("verdict":"deny")", R"("fault":"policy_denied")",
                           R"("rule":"no-paste-sites")", R"("message":"Paste sites are closed.")", R"("changes":[)"})
    EXPECT_NE(json.find(part), std::string::npos) << part << "\n" << json;
}

struct Row {
  std::string target;
  std::string change;  // the first that is offered
};

TEST(Explain, TheSmallestChangeComesFirst) {
  const std::vector<Row> rows = {
      {"pypi.org:8443",
       "rule ci-packages of policy prod would allow it with \"8443\" added to to.ports (or ask with port 80, 443)"},
      {"registry.corp.example:443",
       "rule internal-registry of policy prod would allow it with \"443\" added to to.ports (or ask with port 5000)"},
      {"other.example:443",
       "rule ci-packages of policy prod would allow it with \"other.example\" added to to.domains"},
      {"8.8.8.8:443", "rule ci-packages of policy prod would allow it with \"8.8.8.8\" added to to.cidrs"},
      {"x.pastebin.com:443", "rule no-paste-sites of policy guardrails would have to be narrowed or removed"},
  };
  for (const Row& row : rows) {
    const Explanation out = Explained(row.target).Run();
    ASSERT_FALSE(out.changes.empty()) << row.target;
    EXPECT_EQ(out.changes.front(), row.change) << row.target;
  }
}

// What is offered for a rule really allows it.
TEST(Explain, AChangeThatIsOfferedAllows) {
  PolicySetSpec spec = Tour();
  EXPECT_EQ(Explained("registry.corp.example:443", spec).Run().stages.back().decision.verdict,
            Decision::Verdict::kDeny);
  spec.policies[1].rules[2].to.ports.push_back(443);
  const Explanation out = Explained("registry.corp.example:443", spec).Run();
  EXPECT_FALSE(out.stages.back().decision.denied());
  EXPECT_EQ(out.missing, std::vector<std::string>{"protocol"});
}

TEST(Explain, ARefusedAddressNamesTheRemedy) {
  Explained explained("registry.corp.example:5000");
  explained.addresses = {Ip("10.20.0.1")};
  explained.question.facts.resolved = std::span<const IpAddress>(explained.addresses);
  const Explanation out = explained.Run();
  ASSERT_EQ(out.changes.size(), 1u);
  EXPECT_NE(out.changes[0].find("reaches_private: [\"10.0.0.0/8\"] in rule internal-registry"), std::string::npos)
      << out.changes[0];
}

TEST(Explain, WithoutAddressesItSaysSoAndGoesOn) {
  Explained explained("pypi.org:443");
  explained.question.facts.resolved = {};
  explained.question.facts.protocol = Protocol::kTls;
  const Explanation out = explained.Run();
  ASSERT_EQ(out.stages.size(), 2u);
  EXPECT_EQ(out.stages[1].stage, Stage::kHello);
  EXPECT_EQ(out.missing, (std::vector<std::string>{"resolved", "request"}));
}

TEST(Explain, AMissingCredentialAWrongSniAndAForbiddenLookAreSaid) {
  Explained nobody("pypi.org:443");
  nobody.question.facts.identity = {};
  EXPECT_NE(nobody.Run().changes.at(0).find("a credential: rule ci-packages"), std::string::npos);
  Explained sni("pypi.org:443");
  sni.question.facts.protocol = Protocol::kTls;
  sni.question.facts.sni = std::string_view("evil.example");
  EXPECT_EQ(sni.Run().changes.at(0), "a ClientHello whose server name is pypi.org");
  PolicySetSpec spec = Tour();
  RuleSpec post = Deny("no-post");
  post.http = {{"POST"}, {}, {}, {}, {}};
  spec.policies[0].rules.push_back(post);
  Explained pinned("x.apple.com:443", spec);
  pinned.question.facts.protocol = Protocol::kTls;
  const Explanation out = pinned.Run();
  EXPECT_EQ(out.stages.back().decision.fault, Fault::kNeedsInspection);
  EXPECT_NE(out.changes.at(0).find("NEVER removed"), std::string::npos);
}

TEST(Explain, WhatAClientHelloShowsInThePlaceOfTheNameIsAdvisedOn) {
  const auto advice = [](Fact<std::string_view> sni, bool ech) {
    Explained explained("x.apple.com:443");
    explained.question.facts.protocol = Protocol::kTls;
    explained.question.facts.sni = sni;
    explained.question.facts.ech = ech;
    return explained.Run().changes;
  };
  const std::string right = "a ClientHello whose server name is x.apple.com";
  EXPECT_EQ(advice(Fact<std::string_view>::Absent(), false),
            (std::vector<std::string>{right, "without_sni in every rule that allows x.apple.com"}));
  EXPECT_EQ(advice(std::string_view("ech.example"), true),
            (std::vector<std::string>{
                right, "\"ech.example\" added to ech_outer_names of every rule that allows x.apple.com"}));
  EXPECT_EQ(advice(std::string_view("ech.example"), false), std::vector<std::string>{right});
}

TEST(Explain, ANameOnALiteralIsJudgedOnceItsAddressesAreSaid) {
  PolicySetSpec spec = Tour();
  RuleSpec literal = Allow("literal");
  literal.to.cidrs = {"8.8.8.8"};
  spec.policies[1].rules.push_back(literal);
  Explained open("8.8.8.8:443", spec);
  open.question.facts.protocol = Protocol::kTls;
  open.question.facts.sni = std::string_view("x.apple.com");
  const Explanation unsaid = open.Run();
  EXPECT_EQ(unsaid.missing, std::vector<std::string>{"resolved"});
  EXPECT_EQ(unsaid.stages.back().stage, Stage::kAddress);
  open.question.sni_resolved = std::span<const IpAddress>(open.addresses);
  EXPECT_EQ(open.Run().stages.back().decision.verdict, Decision::Verdict::kRelay);
  open.question.facts.sni = std::string_view("evil.example");
  EXPECT_EQ(open.Run().stages.back().decision.fault, Fault::kPolicyDenied);
}

TEST(Explain, AFingerprintIsShownOrMissed) {
  PolicySetSpec spec = Tour();
  RuleSpec bot = Deny("bot");
  bot.from.ja4 = {"t12i000000_000000000000_000000000000"};
  spec.policies[0].rules.push_back(bot);
  Explained unknown("x.apple.com:443", spec);
  unknown.question.facts.protocol = Protocol::kTls;
  const Explanation open = unknown.Run();
  EXPECT_TRUE(open.stages.back().decision.can_allow && open.stages.back().decision.can_deny);
  EXPECT_EQ(ReportOf(open.stages.back(), "bot").why, std::vector<std::string>{"from.ja4"});
  Explained shown("x.apple.com:443", spec);
  shown.question.facts.protocol = Protocol::kTls;
  shown.question.facts.ja4 = std::string_view("t13d1516h2_8daaf6152771_e5627efa2ab1");
  const Explanation out = shown.Run();
  EXPECT_EQ(out.stages.back().asked, "TLS, SNI x.apple.com, t13d1516h2_8daaf6152771_e5627efa2ab1");
  EXPECT_EQ(out.stages.back().decision.verdict, Decision::Verdict::kRelay);
  EXPECT_EQ(ReportOf(out.stages[1], "bot").match, Match::kUnknown);
  EXPECT_EQ(ReportOf(out.stages.back(), "bot").match, Match::kFalse);
}

TEST(Explain, APlainRequestEndsAtAddress) {
  Explained explained("pypi.org:80");
  explained.question.ask = Ask::kRequest;
  explained.question.facts.method = std::string_view("GET");
  explained.question.facts.path = std::string_view("/simple/../x");
  explained.question.facts.headers = std::span<const Field>();
  const Explanation out = explained.Run();
  ASSERT_EQ(out.stages.size(), 2u);
  EXPECT_EQ(out.stages[0].asked, "GET http://pypi.org/simple/../x from 10.1.1.1 as alice");
  EXPECT_EQ(out.stages[1].decision.verdict, Decision::Verdict::kForward);
}

}  // namespace
}  // namespace egret
