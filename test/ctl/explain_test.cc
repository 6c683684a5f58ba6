// egretctl explain: what it prints for each form of a question, and its exit status.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"
#include "test/ctl/ctl.h"

namespace egret {
namespace {

constexpr std::string_view kConfig = R"(
listeners:
- name: gate
  address: "127.0.0.1:3128"
  filters:
  - http_connection:
      filters:
      - egress_policy: {policies: [guardrails, prod]}
      - forward_router: {}
policies:
- name: guardrails
  otherwise: ABSTAIN
  rules:
  - {name: no-paste, action: DENY, to: {domains: [.pastebin.com]}, message: Paste sites are closed.}
  - {name: no-far, action: DENY, to: {domains: [far.example], resolved_cidrs: [8.8.4.0/24]}}
- name: prod
  rules:
  - {name: packages, action: ALLOW, from: {groups: [ci]}, to: {domains: [pypi.org]}, http: {methods: [GET, HEAD]}}
  - {name: vendors, action: ALLOW, to: {domains: [.apple.com, far.example]}}
  - {name: agents, action: ALLOW, to: {domains: [api.example.com]}, http: {headers: [{name: x-team, values: [red]}]}}
- name: shifts
  rules:
  - {name: night, action: ALLOW, to: {domains: [night.example]}, not_before: "2030-01-01T00:00:00Z"}
  - {name: office, action: ALLOW, from: {cidrs: [10.0.0.0/8]}, to: {domains: [office.example]}}
)";

// `egretctl explain --config CONFIG` and these.
Said Explained(std::vector<std::string> arguments) {
  const std::string path = FileOf("explain.yaml", kConfig);
  arguments.insert(arguments.begin(), {"explain", "--config", path});
  return Ctl(arguments);
}

// The same of a file that has policies alone.
Said ExplainedByPolicies(std::vector<std::string> arguments) {
  constexpr std::string_view kPolicies =
      "policies:\n"
      "- {name: first, otherwise: ABSTAIN, rules: [{name: no-evil, action: DENY, to: {domains: [evil.example]}}]}\n"
      "- {name: second, rules: [{name: reads, action: ALLOW, http: {methods: [GET]}}]}\n";
  arguments.insert(arguments.begin(), {"explain", "--config", FileOf("policies.yaml", kPolicies)});
  return Ctl(arguments);
}

bool Has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Explain, ARequestIsExplainedByTheEmbeddedConfiguration) {
  const Said said =
      Ctl({"explain", "GET", "http://pypi.org/simple/?q=1", "--from", "10.0.0.5", "--resolved", "8.8.8.8"});
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.err, "");
  EXPECT_EQ(said.out,
            "policies: web (listener egress)\n"
            "T  GET http://pypi.org/simple/ from 10.0.0.5 as nobody  outcomes {allow}        go on\n"
            "     web/public-web  true\n"
            "A  resolved to 8.8.8.8                       outcomes {allow}        forward, rule=web/public-web\n"
            "     web/public-web  true\n"
            "allowed\n");
}

TEST(Explain, ATunnelIsTakenToCarryTlsAndWithoutAddressesItIsSaidHowToGiveThem) {
  const Said said = Ctl({"explain", "CONNECT", "PyPI.org.:443"});
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.out,
            "policies: web (listener egress)\n"
            "assumed: from 127.0.0.1 (--from), TLS inside (--protocol)\n"
            "T  CONNECT pypi.org:443 from 127.0.0.1 as nobody  outcomes {allow, deny}  go on\n"
            "     web/public-web  unknown: protocol\n"
            "H  TLS, SNI pypi.org                         outcomes {allow}        RELAY, rule=web/public-web\n"
            "     web/public-web  true\n"
            "not known: resolved\n"
            "  --resolved ADDRESS says what pypi.org resolves to; --resolve asks this host's resolver\n"
            "allowed, as far as is known\n");
}

TEST(Explain, ADenialComesWithTheSmallestChange) {
  const Said said = Explained({"--policy", "prod", "--user", "alice", "--group", "ci", "--resolved=8.8.8.8", "CONNECT",
                               "pypi.org:443", "--inner", "POST /simple/"});
  EXPECT_EQ(said.status, 1);
  EXPECT_EQ(said.out,
            "policies: prod\n"
            "assumed: from 127.0.0.1 (--from), TLS inside (--protocol)\n"
            "T  CONNECT pypi.org:443 from 127.0.0.1 as alice  outcomes {allow, deny}  go on\n"
            "     prod/packages  unknown: protocol, http.methods\n"
            "     prod/vendors  false: host\n"
            "     prod/agents  false: host\n"
            "A  resolved to 8.8.8.8                       outcomes {allow, deny}  go on\n"
            "     prod/packages  unknown: protocol, http.methods\n"
            "     prod/vendors  false: host\n"
            "     prod/agents  false: host\n"
            "H  TLS, SNI pypi.org                         outcomes {allow, deny}  INSPECT\n"
            "     prod/packages  unknown: http.methods\n"
            "     prod/vendors  false: host\n"
            "     prod/agents  false: host\n"
            "R  POST /simple/                             outcomes {deny}         403 rule=prod/otherwise "
            "reason=otherwise\n"
            "     prod/packages  false: http.methods\n"
            "     prod/vendors  false: host\n"
            "     prod/agents  false: host, http.headers\n"
            "would help: rule packages of policy prod would allow it with \"POST\" added to http.methods (or ask with "
            "GET, HEAD)\n"
            "would help: rule vendors of policy prod would allow it with \"pypi.org\" added to to.domains\n"
            "would help: rule agents of policy prod would allow it with \"pypi.org\" added to to.domains, and "
            "http.headers widened\n"
            "denied\n");
}

TEST(Explain, AnHttpsUrlIsAConnectWithTheRequestInside) {
  const std::vector<std::string> facts = {"--policy", "prod", "--group", "ci", "--resolved", "8.8.8.8"};
  std::vector<std::string> url = facts;
  url.insert(url.end(), {"HEAD", "https://pypi.org/simple/"});
  std::vector<std::string> connect = facts;
  connect.insert(connect.end(), {"CONNECT", "pypi.org:443", "--protocol", "tls", "--inner", "HEAD /simple/"});
  const Said said = Explained(url);
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.out, Explained(connect).out);
  EXPECT_TRUE(Has(said.out, "R  HEAD /simple/")) << said.out;
}

TEST(Explain, ACurlCommandIsTakenAsPasted) {
  struct Row {
    std::vector<std::string> curl;
    std::string_view request;  // what it comes to
  };
  const std::vector<Row> rows = {
      {{"http://a.example"}, "GET http://a.example/ from"},
      {{"a.example/x"}, "GET http://a.example/x from"},
      {{"-sSL", "-o", "out", "http://a.example:8080/x#top"}, "GET http://a.example:8080/x from"},
      {{"-X", "PUT", "http://a.example/x"}, "PUT http://a.example/x from"},
      {{"-sXPUT", "http://a.example/x"}, "PUT http://a.example/x from"},
      {{"http://a.example/x", "--data-raw", "k=v"}, "POST http://a.example/x from"},
      {{"-d@file", "--get", "http://a.example/x"}, "GET http://a.example/x from"},
      {{"-I", "-x", "http://127.0.0.1:3128", "http://a.example/x"}, "HEAD http://a.example/x from"},
      {{"-T", "file", "http://a.example/x"}, "PUT http://a.example/x from"},
      {{"-F", "f=@file", "--url", "http://a.example/x"}, "POST http://a.example/x from"},
      {{"http://u:p@a.example/a/./b/../c/.."}, "GET http://a.example/a/ from"},
      {{"--path-as-is", "http://a.example/a/../c"}, "GET http://a.example/a/../c from"},
      {{"-U", "alice:secret", "http://a.example/"}, "as alice"},
  };
  for (const Row& row : rows) {
    std::vector<std::string> arguments = {"explain", "--", "curl"};
    arguments.insert(arguments.end(), row.curl.begin(), row.curl.end());
    const Said said = Ctl(arguments);
    EXPECT_TRUE(Has(said.out, row.request)) << row.request << "\n" << said.out << said.err;
    EXPECT_FALSE(Has(said.out, "secret"));
  }
}

TEST(Explain, CurlsHeadersAreSeenByRules) {
  const std::vector<std::string> before = {"--resolved", "8.8.8.8", "curl"};
  const auto curl = [&](std::vector<std::string> rest) {
    rest.insert(rest.begin(), before.begin(), before.end());
    rest.emplace_back("http://api.example.com/");
    return Explained(rest).status;
  };
  EXPECT_EQ(curl({"-H", "X-Team: red"}), 0);
  EXPECT_EQ(curl({"-HX-Team:red"}), 0);
  EXPECT_EQ(curl({"-H", "X-Team: blue"}), 1);
  EXPECT_EQ(curl({"-H", "X-Team;"}), 1);
  EXPECT_EQ(curl({}), 1);
}

constexpr std::string_view kLogged =
    R"({"time":"2026-01-02T03:04:05.000006Z","event":"end","kind":"tunnel","request_id":"1","listener":"gate",)"
    R"("source":"10.0.0.5:40000","method":"CONNECT","target":"www.apple.com:443","status":200,"carries":"tls",)"
    R"("sni":"www.apple.com","upstream":"8.8.8.8:443","received_bytes":5,"duration_ms":3})";

TEST(Explain, ALineOfTheAccessLogIsAQuestion) {
  const Said said = Explained({std::string(kLogged)});
  EXPECT_EQ(said.status, 0);
  EXPECT_TRUE(Has(said.out, "assumed: www.apple.com resolves to what was dialled, 8.8.8.8 (--resolved)\n")) << said.out;
  EXPECT_TRUE(Has(said.out, "T  CONNECT www.apple.com:443 from 10.0.0.5 as nobody ")) << said.out;
  EXPECT_TRUE(Has(said.out, "H  TLS, SNI www.apple.com  ")) << said.out;
  EXPECT_TRUE(Has(said.out, "RELAY, rule=prod/vendors\n")) << said.out;
  EXPECT_TRUE(said.out.ends_with("allowed\n")) << said.out;
}

TEST(Explain, ALogLineMayComeFromStandardInput) {
  const std::string path = FileOf("line.json", Cat(kLogged, "\n"));
  const int old = dup(0);
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(dup2(file, 0), 0);
  const Said said = Explained({"-"});
  dup2(old, 0);
  close(old);
  close(file);
  EXPECT_EQ(said.out, Explained({std::string(kLogged)}).out);
}

TEST(Explain, ALoggedRequestInsideATunnelIsOneInsideATunnel) {
  const Said said = Explained({"--policy", "prod", "--group", "ci",
                               R"({"kind":"request","parent_id":"1","source":"[fd00::5]:1","identity":"alice",)"
                               R"("method":"GET","target":"pypi.org:443","path":"/simple/"})"});
  EXPECT_TRUE(Has(said.out, "T  CONNECT pypi.org:443 from fd00::5 as alice ")) << said.out;
  EXPECT_TRUE(Has(said.out, "R  GET /simple/")) << said.out;
  EXPECT_EQ(said.status, 0);
}

// The log holds no headers and no groups.
TEST(Explain, WhatTheLogDoesNotHoldIsNamed) {
  const std::string line = R"({"kind":"request","source":"10.0.0.5:1","identity":"alice","method":"GET",)"
                           R"("target":"api.example.com:80","path":"/x","upstream":"8.8.8.8:80"})";
  const Said said = Explained({line});
  EXPECT_EQ(said.status, 1);
  EXPECT_TRUE(Has(said.out, "alice is in no group (--group)")) << said.out;
  EXPECT_TRUE(Has(said.out, "     prod/agents  unknown: http.headers\n")) << said.out;
  EXPECT_FALSE(Has(said.out, "would help")) << said.out;
  EXPECT_TRUE(said.out.ends_with("  --header 'NAME: VALUE' gives the header fields\nundecided without these facts\n"))
      << said.out;
  EXPECT_EQ(Explained({line, "--header", "x-team: red"}).status, 0);
}

TEST(Explain, ARuleOnAddressesCannotBeToldWithoutThem) {
  const Said open = Explained({"CONNECT", "far.example:443"});
  EXPECT_EQ(open.status, 1);
  EXPECT_TRUE(Has(open.out, "     guardrails/no-far  unknown: resolved_cidrs\n")) << open.out;
  EXPECT_FALSE(Has(open.out, "RELAY")) << open.out;
  EXPECT_TRUE(open.out.ends_with("undecided without these facts\n")) << open.out;
  EXPECT_EQ(Explained({"CONNECT", "far.example:443", "--resolved", "8.8.4.4"}).status, 1);
  EXPECT_EQ(Explained({"CONNECT", "far.example:443", "--resolved", "8.8.8.8"}).status, 0);
}

TEST(Explain, ATunnelThatMustBeReadAsksForTheRequestInside) {
  const Said said = Explained({"--resolved", "8.8.8.8", "CONNECT", "api.example.com:80"});
  EXPECT_EQ(said.status, 1);
  EXPECT_TRUE(Has(said.out, "HTTP inside (--protocol)")) << said.out;
  EXPECT_TRUE(Has(said.out, "not known: request\n  --inner 'METHOD PATH' says what is asked inside the tunnel\n"))
      << said.out;
}

TEST(Explain, WhatNoChainCanDecryptIsRefusedWhateverTheRulesSay) {
  const std::vector<std::string> question = {"--header", "X-Team: red", "--resolved",
                                             "8.8.8.8",  "GET",         "https://api.example.com/"};
  const Said said = Explained(question);
  EXPECT_EQ(said.status, 1);
  EXPECT_TRUE(said.out.ends_with(
      "no_chain: the policies have to see inside TLS, and no chain of this configuration decrypts it\n"
      "would help: allowing api.example.com without http conditions and inspection: REQUIRED\n"
      "denied\n"))
      << said.out;
  std::vector<std::string> rules_alone = question;
  rules_alone.insert(rules_alone.begin(), {"--policy", "guardrails,prod"});
  EXPECT_EQ(Explained(rules_alone).status, 0);
}

TEST(Explain, WhereSeveralPoliciesDenyEachHasToChange) {
  const Said said = Explained({"http://x.pastebin.com/"});
  EXPECT_EQ(said.status, 1);
  EXPECT_TRUE(Has(said.out, "     says: Paste sites are closed.\n")) << said.out;
  EXPECT_TRUE(Has(said.out,
                  "would help: rule no-paste of policy guardrails would have to be narrowed or removed\n"
                  "would help: besides that, rule vendors of policy prod would allow it with \"x.pastebin.com\" added "
                  "to to.domains\n"))
      << said.out;
}

TEST(Explain, TheNameGuardAndTheAddressGuardSpeakToo) {
  const Said sni = Ctl({"explain", "CONNECT", "pypi.org:443", "--sni", "evil.example"});
  EXPECT_EQ(sni.status, 1);
  EXPECT_TRUE(Has(sni.out, "403 rule=name_guard reason=sni_mismatch\n")) << sni.out;
  const Said none = Ctl({"explain", "CONNECT", "pypi.org:443", "--sni", ""});
  EXPECT_TRUE(Has(none.out, "reason=sni_missing\n")) << none.out;
  const Said address = Ctl({"explain", "http://db.example/", "--resolved", "10.1.2.3"});
  EXPECT_EQ(address.status, 1);
  EXPECT_TRUE(Has(address.out, "403 rule=address_guard")) << address.out;
  EXPECT_TRUE(Has(address.out, "would help: 10.1.2.3 is refused")) << address.out;
}

TEST(Explain, TheSystemsResolverIsAskedOnlyWhenToldTo) {
  const Said said = Ctl({"explain", "http://localhost/", "--resolve"});
  EXPECT_EQ(said.status, 1);
  EXPECT_TRUE(Has(said.out, "403 rule=address_guard reason=loopback\n")) << said.out << said.err;
  EXPECT_EQ(Ctl({"explain", "http://localhost/"}).status, 0);
}

TEST(Explain, SourceAndTimeCount) {
  const auto shifts = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--policy", "shifts", "--resolved", "8.8.8.8"});
    return Explained(arguments).status;
  };
  EXPECT_EQ(shifts({"http://night.example/", "--at", "2029-12-31T23:59:59Z"}), 1);
  EXPECT_EQ(shifts({"http://night.example/", "--at", "2030-01-01T02:00:00+01:00"}), 0);
  EXPECT_EQ(shifts({"http://office.example/", "--from", "10.9.9.9"}), 0);
  EXPECT_EQ(shifts({"http://office.example/", "--from", "192.0.2.1"}), 1);
}

TEST(Explain, JsonStandsAloneOnStandardOutput) {
  const Said said = Explained({"--json", "http://x.pastebin.com/"});
  EXPECT_EQ(said.status, 1);
  EXPECT_TRUE(
      said.out.starts_with(R"({"stages":[{"stage":"target","asked":"GET http://x.pastebin.com/ from 127.0.0.1)"))
      << said.out;
  EXPECT_TRUE(said.out.ends_with("]}\n")) << said.out;
  EXPECT_EQ(said.err, "policies: guardrails, prod (listener gate)\nassumed: from 127.0.0.1 (--from)\ndenied\n");
}

TEST(Explain, MisuseNamesTheValueAndTheRemedy) {
  struct Row {
    std::vector<std::string> arguments;
    std::string_view said;
  };
  const std::vector<Row> rows = {
      {{}, "no request; ask METHOD URL, CONNECT HOST:PORT, curl ..., or a line of the access log"},
      {{"pypi.org"}, "pypi.org: not a request; ask METHOD URL"},
      {{"GET", "http://a.example/", "now"}, "now: one word too many; ask"},
      {{"GET", "pypi.org/simple"}, "pypi.org/simple: not a URL; write http://pypi.org/simple"},
      {{"get", "http://a.example/"}, "get: not a method; write GET, POST or CONNECT, in capitals"},
      {{"TRACE", "http://a.example/"}, "TRACE: egret refuses it"},
      {{"GET", "ftp://a.example/"}, "ftp://a.example/: egret serves http and https; for ftp ask CONNECT HOST:PORT"},
      {{"GET", "http://u@a.example/"}, "http://u@a.example/: not a URL that can be asked for; write it without user"},
      {{"GET", "http://0x7f.1/"}, "0x7f.1: not a host and port; write a name in ASCII"},
      {{"CONNECT", "pypi.org"}, "pypi.org: no port; write pypi.org:443"},
      {{"CONNECT", "pypi.org:99999"}, "pypi.org:99999: not a host and port; write"},
      {{"CONNECT", "https://pypi.org"}, "https://pypi.org: CONNECT takes no URL; write CONNECT pypi.org:443"},
      {{"--form", "1"}, "no option --form; did you mean --from?"},
      {{"--json=1", "http://a.example/"}, "--json=1: --json takes no value"},
      {{"http://a.example/", "--from"}, "nothing after --from"},
      {{"http://a.example/", "--from", "here"}, "--from here: not an address; write --from 10.0.0.5"},
      {{"http://a.example/", "--from", "::1", "--from", "::2"}, "--from is given twice; keep one"},
      {{"http://a.example/", "--resolved", "1.2.3"}, "--resolved 1.2.3: not an address"},
      {{"http://a.example/", "--resolved", "::1", "--resolve"}, "--resolved and --resolve both say"},
      {{"http://a.example/", "--header", "red"}, "--header red: not a header; write --header 'Name: value'"},
      {{"http://a.example/", "--claim", "red"}, "--claim red: not a claim; write --claim NAME=VALUE"},
      {{"http://a.example/", "--assurance", "HIGH"}, "--assurance HIGH: no such value; write SOURCE_ADDRESS"},
      {{"http://a.example/", "--at", "noon"}, "--at noon: not a time; write it as RFC 3339"},
      {{"http://a.example/", "--sni", "b"}, "--protocol, --sni, --ja3, --ja4 and --ech are facts of a tunnel; ask"},
      {{"http://a.example/", "--inner", "GET /"}, "GET /: there is a request already; --inner goes with"},
      {{"CONNECT", "a.example:443", "--inner", "GET"}, "GET: not a method and a path; write --inner 'POST /simple/'"},
      {{"CONNECT", "a.example:443", "--protocol", "QUIC"}, "--protocol QUIC: no such protocol; write TLS, HTTP or"},
      {{"http://a.example/", "--policy", "web", "--listener", "l"}, "--policy and --listener both say"},
      {{"http://a.example/", "--policy", "wob"}, "--policy wob: no such policy; did you mean web?"},
      {{"http://a.example/", "--listener", "egres"}, "--listener egres: no such listener; did you mean egress?"},
      {{"curl", "-s"}, "no URL in the curl command; add it"},
      {{"curl", "--frob", "http://a.example/"}, "curl's --frob is not understood; leave it out, or ask METHOD URL"},
      {{"curl", "-sy", "http://a.example/"}, "curl's -y is not understood"},
      {{"curl", "http://a.example/", "-X"}, "nothing after curl's -X; add its value"},
      {{"curl", "a.example", "b.example"}, "b.example: a second URL; ask about one at a time"},
      {{"curl", "-H", "red", "a.example"}, "red: not a header; write -H 'Name: value'"},
      {{"{}"}, "the log line has no method and target, so no policy was asked"},
      {{"{x"}, "the log line: "},
  };
  for (Row row : rows) {
    row.arguments.insert(row.arguments.begin(), "explain");
    const Said said = Ctl(row.arguments);
    EXPECT_EQ(said.status, 2) << said.err;
    EXPECT_EQ(said.out, "");
    EXPECT_TRUE(said.err.starts_with(Cat("egretctl explain: ", row.said))) << row.said << "\n" << said.err;
    EXPECT_TRUE(said.err.ends_with("\nTry egretctl explain --help\n")) << said.err;
  }
}

TEST(Explain, AConfigurationThatDoesNotLoadIsToldAsByValidate) {
  const std::string path = FileOf("bad.json", "{\"workers\": \"many\"}");
  const Said said = Ctl({"explain", "--config", path, "http://a.example/"});
  EXPECT_EQ(said.status, 2);
  EXPECT_EQ(said.err, Ctl({"validate", path}).err);
}

TEST(Explain, OfSeveralListenersOneHasToBeNamed) {
  const std::string path = FileOf("two.yaml",
                                  "listeners:\n"
                                  "- {name: one, address: '127.0.0.1:1', filters: [http_connection: {filters: "
                                  "[{egress_policy: {policy: p}}, forward_router]}]}\n"
                                  "- {name: two, address: '127.0.0.1:2', chains_of: one}\n"
                                  "policies: [{name: p, rules: [{name: all, action: ALLOW}]}]\n");
  const Said which = Ctl({"explain", "--config", path, "http://a.example/"});
  EXPECT_EQ(which.status, 2);
  EXPECT_TRUE(Has(which.err, "several listeners, one, two; say which with --listener NAME\n")) << which.err;
  const Said two = Ctl({"explain", "--config", path, "--listener", "two", "http://a.example/"});
  EXPECT_EQ(two.status, 0) << two.err;
  EXPECT_TRUE(two.out.starts_with("policies: p (listener two)\n")) << two.out;
}

TEST(Explain, PoliciesAloneAllJudgeAsInARun) {
  const auto ask = [](const std::string& method, const std::string& url) {
    return ExplainedByPolicies({method, url, "--resolved", "8.8.8.8"});
  };
  const Said allowed = ask("GET", "https://a.example/");
  EXPECT_EQ(allowed.status, 0) << allowed.out << allowed.err;
  EXPECT_TRUE(Has(allowed.out, "policies: first, second\n")) << allowed.out;
  EXPECT_EQ(ask("POST", "https://a.example/").status, 1);
  EXPECT_TRUE(Has(ask("GET", "https://evil.example/").out, "no-evil"));
  EXPECT_EQ(ExplainedByPolicies({"GET", "https://a.example/", "--policy", "first"}).status, 1);
  const Said nowhere = ExplainedByPolicies({"GET", "https://a.example/", "--listener", "egress"});
  EXPECT_EQ(nowhere.status, 2);
  EXPECT_TRUE(Has(nowhere.err, "--listener egress: no such listener")) << nowhere.err;
}

}  // namespace
}  // namespace egret
