#include "source/xds/pushed_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/config/core/v3/extension.pb.h"
#include "test/xds/push.h"

namespace egret {
namespace {

using enum ResourceType;

constexpr std::string_view kXds = "node: {id: me}\nxds: {servers: [{address: 'a:1'}]}\n";

class Pushed : public testing::Test {
 protected:
  void Start(std::string_view yaml = kXds) {
    config.emplace(BootstrapOf(yaml), sink, "1.2");
    config->Start(now);
    said = config->Begin();
  }
  // "ack" or the text of the NACK, of each response; the other requests are in `said`.
  std::string Take(const std::vector<DiscoveryResponse>& responses) {
    said = config->Take(responses, now);
    std::string out;
    std::erase_if(said, [&](const DiscoveryRequest& request) {
      if (request.response_nonce().empty()) return false;
      Append(out, out.empty() ? "" : "\n", request.has_error_detail() ? request.error_detail().message() : "ack");
      return true;
    });
    return out;
  }
  // "Listener +* EgressPolicy +p": what was said besides.
  std::string Said() const {
    std::string out;
    for (const DiscoveryRequest& request : said) {
      Append(out, out.empty() ? "" : " ", request.type_url().substr(request.type_url().rfind('.') + 1));
      for (const std::string& name : request.resource_names_subscribe()) Append(out, " +", name);
      for (const std::string& name : request.resource_names_unsubscribe()) Append(out, " -", name);
    }
    return out;
  }
  // "p 1/2 parked": received, in force and state of each.
  std::string States() const {
    std::string out;
    for (const ResourceStatus& one : config->Status().resources)
      Append(out, out.empty() ? "" : ", ", one.name, " ", one.version_received, "/", one.version_in_force, " ",
             NameOf(one.state));
    return out;
  }
  std::string Domain(int policy = 0) const { return sink.in_force->policies(policy).rules(0).to().domains(0); }
  // Until what nothing refers to any more has gone.
  void Linger() {
    now += 60'000;
    config->Tick(now);
  }
  // A listener with a policy, in force.
  void Serve() {
    Start();
    ASSERT_EQ(Take({ResponseOf(kListener, "1").Add(ListenerYaml("l", 1, "p"))}), "ack");
    ASSERT_EQ(Take({ResponseOf(kEgressPolicy, "2").Add(PolicyYaml("p"))}), "ack");
    ASSERT_EQ(sink.Names(), "listeners l policies p");
  }

  ResourceTable::Ms now = 1000;
  RememberingSink sink;
  std::optional<PushedConfig> config;
  std::vector<DiscoveryRequest> said;
};

TEST_F(Pushed, AsksForAllListenersAndByNameForWhatTheyNeed) {
  Start();
  EXPECT_EQ(Said(), "Listener +*");
  EXPECT_EQ(said[0].node().user_agent_version(), "1.2");
  EXPECT_EQ(said[0].node().client_features(0), "egret.schema.1");
  EXPECT_EQ(Take({ResponseOf(kListener, "1").Add(ListenerYaml("l", 1, "p"))}), "ack");
  EXPECT_EQ(Said(), "EgressPolicy +p");
  EXPECT_EQ(sink.Names(), "");  // it opens once its policy is there
  EXPECT_EQ(
      Take({ResponseOf(kEgressPolicy, "2").Add("{name: p, rules: [{name: r, action: DENY, to: {domain_sets: [d]}}]}")}),
      "ack");
  EXPECT_EQ(Said(), "DomainSet +d");
  EXPECT_EQ(sink.Names(), "");
  EXPECT_EQ(Take({ResponseOf(kDomainSet, "3").Add("{name: d, domains: [x.example]}")}), "ack");
  EXPECT_EQ(sink.Names(), "listeners l policies p domain_sets d");
  EXPECT_EQ(config->source(), ConfigSource::kXds);
  EXPECT_EQ(States(), "d 1/1 in_force, p 1/1 in_force, l 1/1 in_force");
}

TEST_F(Pushed, AsksForNothingThatIsNotReferredToAnyMore) {
  Serve();
  EXPECT_EQ(Take({ResponseOf(kListener, "3").Add(ListenerYaml("l", 1, "q"), "2")}), "ack");
  EXPECT_EQ(Said(), "EgressPolicy +q");  // the old one serves until the new one is there
  EXPECT_EQ(sink.Names(), "listeners l policies p");
  EXPECT_EQ(Take({ResponseOf(kEgressPolicy, "4").Add(PolicyYaml("q"))}), "ack");
  EXPECT_EQ(Said(), "EgressPolicy -p");
  EXPECT_EQ(sink.Names(), "listeners l policies p q");  // whoever came by the old one goes on by its policy
  EXPECT_EQ(config->NextTick(), now + 60'000);
  Linger();
  EXPECT_EQ(sink.Names(), "listeners l policies q");
  EXPECT_EQ(States(), "q 1/1 in_force, l 2/2 in_force");
}

TEST_F(Pushed, ABadResourceParksAllOfItsResponse) {
  Serve();
  Take({ResponseOf(kListener, "3").Add(ListenerYaml("l", 1, "p, q"), "2")});
  const int calls = sink.calls;
  EXPECT_EQ(Take({ResponseOf(kEgressPolicy, "4").Add(PolicyYaml("p", "b.example"), "2").Add(PolicyYaml("q", "'*'"))}),
            "EgressPolicy q rules[0].to.domains[0]: *: \"*\" is no name; leave out the list, and an ALLOW takes any "
            "name on 80 and "
            "443");
  EXPECT_EQ(sink.calls, calls);
  EXPECT_EQ(Domain(), "a.example");
  EXPECT_EQ(States(), "p 2/1 parked, q 1/ parked, l 2/1 warming");
  // The bad one mended: the other one is used, too, though nobody sends it again.
  EXPECT_EQ(Take({ResponseOf(kEgressPolicy, "5").Add(PolicyYaml("q"), "2")}), "ack");
  EXPECT_EQ(Domain(), "b.example");
  EXPECT_EQ(States(), "p 2/2 in_force, q 2/2 in_force, l 2/2 in_force");
}

TEST_F(Pushed, OneBadAmongAHundred) {
  Start();
  std::string names;
  ResponseOf bad(kEgressPolicy, "2");
  for (int i = 0; i < 100; ++i) {
    Append(names, i > 0 ? ", p" : "p", i);
    bad.Add(i == 57 ? "{name: p57, rules: [{name: r, action: ALLOW, to: {cidrs: ['10.0.0.0/33']}}]}"
                    : PolicyYaml(Cat("p", i)));
  }
  std::string listeners[8];
  ResponseOf response(kListener, "1");
  for (int i = 0; i < 8; ++i) {
    std::string some;
    for (int k = i * 13; k < std::min(100, i * 13 + 13); ++k) Append(some, some.empty() ? "p" : ", p", k);
    response.Add(ListenerYaml(Cat("l", i), i + 1, some));
  }
  EXPECT_EQ(Take({response}), "ack");
  const std::string nack = Take({bad});
  EXPECT_TRUE(nack.starts_with("EgressPolicy p57 rules[0].to.cidrs[0]: 10.0.0.0/33: ")) << nack;
  EXPECT_EQ(sink.Names(), "");
  const int calls = sink.calls;
  EXPECT_EQ(Take({ResponseOf(kEgressPolicy, "3").Add(PolicyYaml("p57"), "2")}), "ack");
  EXPECT_EQ(sink.calls, calls + 1);
  EXPECT_EQ(sink.in_force->policies_size(), 100);
  EXPECT_EQ(sink.in_force->listeners_size(), 8);
}

TEST_F(Pushed, WhatIsParkedNeverHoldsUpAnotherResponse) {
  Serve();
  Take({ResponseOf(kListener, "3").Add(ListenerYaml("m", 2, "q"))});
  EXPECT_NE(Take({ResponseOf(kEgressPolicy, "4").Add("{name: q, rules: [{name: r}]}")}), "ack");
  EXPECT_EQ(Take({ResponseOf(kEgressPolicy, "5").Add(PolicyYaml("p", "c.example"), "2")}), "ack");
  EXPECT_EQ(Domain(), "c.example");
}

TEST_F(Pushed, TakesAllThatWaitsAtOnceAndAnswersEach) {
  Serve();
  const int calls = sink.calls;
  std::vector<DiscoveryResponse> storm;
  for (int i = 2; i < 102; ++i)
    storm.push_back(ResponseOf(kEgressPolicy, Cat(i)).Add(PolicyYaml("p", Cat("h", i, ".example")), Cat(i)));
  storm.insert(storm.begin() + 50, ResponseOf(kEgressPolicy, "bad").Add("{name: p, rules: [{name: r}]}", "bad"));
  const std::string answers = Take(storm);
  EXPECT_EQ(std::count(answers.begin(), answers.end(), '\n'), 100);
  EXPECT_NE(answers.find("no action"), answers.npos);
  EXPECT_EQ(sink.calls, calls + 1);
  EXPECT_EQ(Domain(), "h101.example");
  EXPECT_EQ(config->Status().rejected.at(std::string(TypeUrl(kEgressPolicy))), 1u);
}

TEST_F(Pushed, AConflictIsParkedTillTheOtherSideGivesWay) {
  Serve();
  const std::string nack = Take({ResponseOf(kListener, "3").Add(ListenerYaml("m", 1, "p"))});
  EXPECT_EQ(nack, "Listener m address: 127.0.0.1:1: taken by listeners[0].address (127.0.0.1:1); choose another port");
  EXPECT_EQ(sink.Names(), "listeners l policies p");
  EXPECT_EQ(States(), "p 1/1 in_force, l 1/1 in_force, m 1/ conflict");
  EXPECT_EQ(Take({ResponseOf(kEgressPolicy, "4").Add(PolicyYaml("p", "c.example"), "2")}), "ack");
  EXPECT_EQ(Domain(), "c.example");
  EXPECT_EQ(Take({ResponseOf(kListener, "5").Remove("l")}), "ack");
  EXPECT_EQ(sink.Names(), "listeners m policies p");
}

TEST_F(Pushed, OfSeveralThatWaitOnlyTheOneInConflictIsRefused) {
  Serve();
  const std::string answers = Take({ResponseOf(kListener, "3").Add(ListenerYaml("m", 2, "p")),
                                    ResponseOf(kListener, "4").Add(ListenerYaml("n", 1, "p")),
                                    ResponseOf(kListener, "5").Add(ListenerYaml("o", 3, "p"))});
  EXPECT_TRUE(answers.starts_with("ack\nListener n address")) << answers;
  EXPECT_TRUE(answers.ends_with("\nack")) << answers;
  EXPECT_EQ(sink.Names(), "listeners l m o policies p");
}

// Whatever the server says why it cannot be: a socket that is taken by another program.
TEST_F(Pushed, WhatTheServerCannotDoIsAConflictToo) {
  Serve();
  bool busy = true;
  sink.refuse = [&](const config::v1::Bootstrap& effective) -> std::vector<ConfigError> {
    if (!busy || effective.listeners_size() < 2) return {};
    return {{.field = "listeners[1].address", .value = "127.0.0.1:2", .why = "Address already in use"}};
  };
  EXPECT_EQ(Take({ResponseOf(kListener, "3").Add(ListenerYaml("m", 2, "p"))}),
            "Listener m address: 127.0.0.1:2: Address already in use");
  busy = false;
  ASSERT_TRUE(config->NextTick());
  now = *config->NextTick();
  config->Tick(now);
  EXPECT_EQ(sink.Names(), "listeners l m policies p");
}

TEST_F(Pushed, AResourceThatIsRemovedGoesOnceNothingInForceNeedsIt) {
  Serve();
  EXPECT_EQ(Take({ResponseOf(kEgressPolicy, "3").Remove("p")}), "ack");
  EXPECT_EQ(sink.Names(), "listeners l policies p");
  EXPECT_EQ(States(), "l 1/1 in_force, p /1 missing");
  EXPECT_EQ(Take({ResponseOf(kListener, "4").Remove("l").Remove("never-was")}), "ack");
  EXPECT_EQ(sink.Names(), "policies p");
  EXPECT_EQ(Said(), "EgressPolicy -p");
  EXPECT_EQ(States(), "");
}

TEST_F(Pushed, WhatNeverComesIsMissingAfterAWhile) {
  Start();
  Take({ResponseOf(kListener, "1").Add(ListenerYaml("l", 1, "p"))});
  EXPECT_EQ(States(), "l 1/ warming");
  EXPECT_EQ(config->NextTick(), now + 15'000);
  now += 15'000;
  EXPECT_EQ(config->Tick(now).size(), 0u);
  EXPECT_EQ(States(), "l 1/ warming, p / missing");
  EXPECT_EQ(ToString(config->Status().resources[1].errors), "is not there, and Listener l refers to it\n");
  EXPECT_FALSE(config->NextTick());
  Take({ResponseOf(kEgressPolicy, "2").Add(PolicyYaml("p"))});
  EXPECT_EQ(States(), "p 1/1 in_force, l 1/1 in_force");
}

TEST_F(Pushed, WhatIsNotConfirmedInTimeIsDropped) {
  Serve();
  Take({ResponseOf(kListener, "3").Add(ListenerYaml("m", 2, "p")).Ttl(10)});
  EXPECT_EQ(config->NextTick(), now + 10'000);
  now += 9'000;
  EXPECT_EQ(Take({ResponseOf(kListener, "4").Heartbeat("m", "1", 10)}), "ack");
  now += 9'000;
  config->Tick(now);
  EXPECT_EQ(sink.Names(), "listeners l m policies p");
  now += 1'000;
  config->Tick(now);
  EXPECT_EQ(sink.Names(), "listeners l policies p");
  // A word without a time ends the watch.
  Take({ResponseOf(kListener, "5").Add(ListenerYaml("m", 2, "p")).Ttl(10)});
  Take({ResponseOf(kListener, "6").Heartbeat("m", "1", 0)});
  EXPECT_FALSE(config->NextTick());
  EXPECT_NE(Take({ResponseOf(kListener, "7").Heartbeat("m", "2", 5)}), "ack");
  EXPECT_EQ(sink.Names(), "listeners l m policies p");
}

TEST_F(Pushed, MalformedResponsesAreRefusedAndTheirGoodPartsParked) {
  Serve();
  EXPECT_EQ(Take({ResponseOf(kListener, "3").Add(ListenerYaml("m", 2, "p")).Add(ListenerYaml("m", 3, "p"))}),
            "Listener m: twice in one response; send it once");
  EXPECT_EQ(Take({ResponseOf(kListener, "4").Add(ListenerYaml("l", 2, "p")).Remove("l")}),
            "Listener l: sent and removed in one response; do one of the two");
  ResponseOf wrong(kListener, "5");
  wrong.Add(ListenerYaml("m", 2, "p"));
  (*wrong).mutable_resources(0)->mutable_resource()->set_type_url("type.googleapis.com/egret.config.v1.Secret");
  EXPECT_EQ(Take({wrong}),
            "Listener m: type.googleapis.com/egret.config.v1.Secret: not of the type of its response; push "
            "type.googleapis.com/egret.config.v1.Listener");
  ResponseOf garbage(kListener, "6");
  garbage.Add(ListenerYaml("l", 2, "p"));
  (*garbage).mutable_resources(0)->mutable_resource()->set_value("\xff\xff");
  EXPECT_EQ(Take({garbage}), "Listener l: cannot be read as its type; encode it as protobuf says");
  ResponseOf named(kListener, "7");
  named.Add(ListenerYaml("m", 2, "p"));
  (*named).mutable_resources(0)->set_name("n");
  EXPECT_EQ(Take({named}), "Listener n name: m: not the name that it was sent under; use one name");
  EXPECT_EQ(sink.Names(), "listeners l policies p");
  EXPECT_EQ(sink.in_force->listeners(0).address(), "127.0.0.1:1");
}

TEST_F(Pushed, WhatNobodyAskedForIsIgnored) {
  Serve();
  EXPECT_EQ(Take({ResponseOf(kEgressPolicy, "3").Add(PolicyYaml("x", "'*'"))}), "ack");
  EXPECT_EQ(Take({ResponseOf(kSecret, "4").Add("{name: s, credential: {inline_string: x}}")}), "");
  EXPECT_EQ(States(), "p 1/1 in_force, l 1/1 in_force");
}

TEST_F(Pushed, NothingHappensWhereNothingChanges) {
  Serve();
  const int calls = sink.calls;
  const auto before = sink.in_force;
  config->End();
  const auto begun = config->Begin();
  ASSERT_EQ(begun.size(), 2u);
  EXPECT_EQ(begun[0].initial_resource_versions().at("p") + begun[1].initial_resource_versions().at("l"), "11");
  EXPECT_EQ(Take({ResponseOf(kListener, "1").Add(ListenerYaml("l", 1, "p"), "9"),
                  ResponseOf(kEgressPolicy, "2").Add(PolicyYaml("p"), "8")}),
            "ack\nack");
  EXPECT_EQ(sink.calls, calls);
  EXPECT_EQ(sink.in_force, before);
  EXPECT_EQ(States(), "p 8/8 in_force, l 9/9 in_force");
}

TEST_F(Pushed, NamesOfTheBootstrapAreItsOwn) {
  Start(Cat(kXds, "policies: [", PolicyYaml("p", "own.example"), "]\n"));
  EXPECT_EQ(Take({ResponseOf(kListener, "1").Add(ListenerYaml("l", 1, "p"))}), "ack");
  EXPECT_EQ(Said(), "");
  EXPECT_EQ(Domain(), "own.example");
  Start(Cat(kXds, "listeners: [", ListenerYaml("l", 1, "p"), "]\n"));
  EXPECT_EQ(Said(), "EgressPolicy +p Listener +*");
  EXPECT_EQ(Take({ResponseOf(kListener, "1").Add(ListenerYaml("l", 2, "q"))}),
            "Listener l name: l: the bootstrap of this proxy has one of this name, and it stays; choose another name");
  EXPECT_EQ(Take({ResponseOf(kEgressPolicy, "2").Add(PolicyYaml("p"))}), "ack");
  EXPECT_EQ(sink.in_force->listeners(0).address(), "127.0.0.1:1");
}

TEST_F(Pushed, FilesAndTheEnvironmentAreMattersOfThisHost) {
  Start(Cat("xds: {servers: [{address: 'a:1'}], file_roots: [/srv/lists/]}\n", "listeners: [",
            ListenerYaml("l", 1, "p"),
            "]\npolicies: [{name: p, rules: [{name: r, action: DENY, to: {domain_sets: [a, b, c]}}]}]\n"));
  EXPECT_EQ(Take({ResponseOf(kDomainSet, "1")
                      .Add("{name: a, file: {path: /etc/passwd}}")
                      .Add("{name: b, file: {path: /srv/lists/../../etc/passwd}}")
                      .Add("{name: c, file: {path: /srv/listsx/a}}")}),
            "DomainSet a file.path: /etc/passwd: not below a folder whose files a pushed resource may name; add the "
            "folder to xds.file_roots of the bootstrap\n"
            "DomainSet b file.path: /srv/lists/../../etc/passwd: not below a folder whose files a pushed resource may "
            "name; add the folder to xds.file_roots of the bootstrap\n"
            "DomainSet c file.path: /srv/listsx/a: not below a folder whose files a pushed resource may name; add the "
            "folder to xds.file_roots of the bootstrap");
  const std::string nack = Take({ResponseOf(kDomainSet, "2").Add("{name: a, file: {path: /srv/lists/absent}}")});
  EXPECT_NE(nack.find("No such file"), nack.npos) << nack;
}

TEST_F(Pushed, SecretsAreReadBeforeTheyAreTaken) {
  Start(Cat(kXds,
            "listeners: [{name: l, address: '127.0.0.1:1', filters: [tls_terminator: {certificates: [c]}, "
            "http_connection: {filters: [{egress_policy: {policies: [p]}}, forward_router]}]}]\npolicies: [",
            PolicyYaml("p"), "]\n"));
  const std::string nack = Take({ResponseOf(kSecret, "1")
                                     .Add("{name: c, certificate: {certificate: {inline_string: not-a-certificate}, "
                                          "key: {inline_string: the-key}}}")});
  EXPECT_TRUE(nack.starts_with("Secret c certificate: no certificate in it")) << nack;
  EXPECT_EQ(nack.find("the-key"), nack.npos);
  const std::string environment = Take(
      {ResponseOf(kSecret, "2").Add("{name: c, certificate: {certificate: {environment: A}, key: {environment: B}}}")});
  EXPECT_TRUE(environment.starts_with(
      "Secret c certificate.certificate.environment: a pushed resource never reads the proxy's environment"))
      << environment;
}

TEST_F(Pushed, UnknownFieldsOfPoliciesAreRefusedWhateverIsConfigured) {
  Start("xds: {servers: [{address: 'a:1'}], unknown_fields: ACCEPT_OUTSIDE_POLICY}\n");
  ResponseOf listener(kListener, "1");
  listener.Add(ListenerYaml("l", 1, "p"));
  (*listener).mutable_resources(0)->mutable_resource()->mutable_value()->append("\xf8\x3f\x01");  // field 1023
  EXPECT_EQ(Take({listener}), "ack");
  ResponseOf policy(kEgressPolicy, "2");
  policy.Add(PolicyYaml("p"));
  (*policy).mutable_resources(0)->mutable_resource()->mutable_value()->append("\xf8\x3f\x01");
  EXPECT_EQ(Take({policy}),
            "EgressPolicy p: a field that this release does not know; update the proxy, or leave the field out");
  EXPECT_EQ(Take({listener}), "ack");
  EXPECT_EQ(config->Status().unknown_fields, 1u);  // what is the same is read once
  Start();
  EXPECT_EQ(Take({listener}),
            "Listener l: a field that this release does not know; update the proxy, or leave the field out");
}

TEST_F(Pushed, AFallbackServesUntilTheServersSetIsWhole) {
  Start();
  Bodies bodies;
  for (const BodyPtr& body :
       {BodyOf(kListener, ListenerYaml("f", 9, "g"), "d"), BodyOf(kEgressPolicy, PolicyYaml("g"), "d")})
    bodies[body->key] = body;
  config->TakeFallback(ConfigSource::kDirectory, bodies, now);
  EXPECT_EQ(sink.Names(), "listeners f policies g");
  EXPECT_EQ(config->source(), ConfigSource::kDirectory);
  EXPECT_EQ(Take({ResponseOf(kListener, "1").Add(ListenerYaml("l", 1, "p"))}), "ack");
  EXPECT_EQ(Said(), "EgressPolicy +p");
  EXPECT_EQ(sink.Names(), "listeners f policies g");
  EXPECT_EQ(Take({ResponseOf(kEgressPolicy, "2").Add(PolicyYaml("p"))}), "ack");
  EXPECT_EQ(sink.Names(), "listeners l policies g p");
  EXPECT_EQ(config->source(), ConfigSource::kXds);
  config->TakeFallback(ConfigSource::kDirectory, {}, now);
  EXPECT_EQ(sink.Names(), "listeners l policies g p");
}

TEST_F(Pushed, ACarrierBringsEverythingAtOnce) {
  Start("xds: {servers: [{address: 'a:1'}], carrier: EXTENSION_CONFIG}\n");
  EXPECT_EQ(Said(), "TypedExtensionConfig +*");
  DiscoveryResponse response;
  response.set_type_url(ExtensionConfigType().url);
  response.set_nonce("1");
  const auto add = [&](ResourceType type, std::string_view name, std::string_view yaml) {
    envoy::config::core::v3::TypedExtensionConfig carrier;
    carrier.set_name(std::string(name));
    *carrier.mutable_typed_config() = AnyOf(type, yaml);
    auto& resource = *response.add_resources();
    resource.set_name(std::string(name));
    resource.set_version("1");
    resource.mutable_resource()->PackFrom(carrier);
  };
  add(kListener, "a", ListenerYaml("web", 1, "web"));
  add(kEgressPolicy, "b", PolicyYaml("web"));
  EXPECT_EQ(Take({response}), "ack");
  EXPECT_EQ(sink.Names(), "listeners web policies web");
  // One that cannot be read keeps in force what it was.
  response.clear_resources();
  add(kListener, "a", ListenerYaml("web", 1, "web"));
  response.mutable_resources(0)->mutable_resource()->set_value("\xff");
  EXPECT_NE(Take({response}), "ack");
  EXPECT_EQ(sink.Names(), "listeners web policies web");
  response.clear_resources();
  add(kSecret, "s", "{name: s, credential: {inline_string: x}}");
  add(kEgressPolicy, "c", PolicyYaml("web"));
  const std::string nack = Take({response});
  EXPECT_NE(nack.find("secrets do not travel in this carrier"), nack.npos) << nack;
  EXPECT_NE(nack.find("it was sent under another name before: b"), nack.npos) << nack;
  response.clear_resources();
  response.add_removed_resources("a");
  EXPECT_EQ(Take({response}), "ack");
  Linger();
  EXPECT_EQ(sink.Names(), "");
}

// A domain set that lingers with its policy is in force as long as the policy.
TEST_F(Pushed, WhatLingersHasWhatItNeedsAndComesBackAsWhatItIsNow) {
  Start();
  Take({ResponseOf(kListener, "1").Add(ListenerYaml("l", 1, "p"))});
  Take({ResponseOf(kEgressPolicy, "2").Add("{name: p, rules: [{name: r, action: DENY, to: {domain_sets: [d]}}]}")});
  Take({ResponseOf(kDomainSet, "3").Add("{name: d, domains: [x.example]}")});
  Take({ResponseOf(kListener, "4").Remove("l")});
  EXPECT_EQ(sink.Names(), "policies p domain_sets d");
  now += 30'000;
  Take({ResponseOf(kListener, "5").Add(ListenerYaml("l", 1, "p"), "2")});
  Take({ResponseOf(kEgressPolicy, "6").Add(PolicyYaml("p", "new.example"), "2")});
  EXPECT_EQ(Domain(), "new.example");
  EXPECT_EQ(sink.Names(), "listeners l policies p domain_sets d");
  now += 30'000;
  config->Tick(now);
  EXPECT_EQ(sink.Names(), "listeners l policies p");
}

// The permutations of three responses that depend on each other.
TEST_F(Pushed, AnyOrderEndsTheSame) {
  std::vector<DiscoveryResponse> all = {
      ResponseOf(kListener, "1").Add(ListenerYaml("l", 1, "p, q")),
      ResponseOf(kEgressPolicy, "2").Add("{name: p, rules: [{name: r, action: DENY, to: {domain_sets: [d]}}]}"),
      ResponseOf(kEgressPolicy, "3").Add(PolicyYaml("q")),
      ResponseOf(kDomainSet, "4").Add("{name: d, domains: [x.y]}")};
  std::vector<size_t> order = {0, 1, 2, 3};
  do {
    sink = {};
    Start();
    // What is not asked for yet does not count: a server sends it again when it is.
    for (int round = 0; round < 3; ++round)
      for (const size_t i : order) Take({all[i]});
    ASSERT_EQ(sink.Names(), "listeners l policies p q domain_sets d");
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace egret
