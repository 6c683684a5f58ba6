#include "source/config/load.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/strings.h"
#include "source/config/canonical.h"
#include "test/config/load_text.h"

namespace egret {
namespace {

using google::protobuf::util::MessageDifferencer;

TEST(Load, TellsAllErrorsAtOnce) {
  EXPECT_EQ(YamlErrors(R"(listners: []
workers: many
policies:
- name: web
  rules:
  - {name: a, action: allow, mode: 1}
  - {name: b, to: , action: DENY}
)"),
            "e.yaml:1:1 listners: unknown key; did you mean listeners?\n"
            "e.yaml:2:10 workers: many: not a whole number; write 0 to 4294967295 in decimal digits\n"
            "e.yaml:6:23 policies[0].rules[0].action: allow: no such value; did you mean ALLOW?\n"
            "e.yaml:6:36 policies[0].rules[0].mode: 1: numbers are not taken here; there are ENFORCE, AUDIT\n"
            "e.yaml:7:15 policies[0].rules[1].to: no value; give it one, or leave the key out\n");
}

TEST(Load, RefusesAMapThatLostItsChildren) {
  EXPECT_EQ(YamlErrors("policies:\n- name: web\n  rules:\n  - name: a\n    action: ALLOW\n    to:\n"),
            "e.yaml:6:5 policies[0].rules[0].to: no value; give it one, or leave the key out\n");
}

TEST(Load, RefusesNullInEverySpelling) {
  for (const std::string null : {"null", "~", "Null", "NULL", ""}) {
    EXPECT_EQ(LoadText(Cat("node: {id: ", null, "}"), "e.yaml").result.errors.size(), 1u) << null;
    EXPECT_EQ(LoadText(Cat("resolver:\n  servers:\n  - ", null, "\n"), "e.yaml").result.errors.size(), 1u) << null;
  }
  EXPECT_EQ(JsonErrors(R"({"node": {"id": null}, "policies": [null]})"),
            "e.json:1:17 node.id: no value; give it one, or leave the key out\n"
            "e.json:1:37 policies[0]: no value; give it one, or leave the key out\n");
}

TEST(Load, RefusesDuplicateKeys) {
  EXPECT_EQ(YamlErrors("workers: 1\nworkers: 2\n"),
            "e.yaml:2:1 workers: the key is there twice, first on line 1; remove one of them\n");
  EXPECT_EQ(JsonErrors("{\"workers\": 1,\n \"workers\": 2}"),
            "e.json:2:2 workers: the key is there twice, first on line 1; remove one of them\n");
}

TEST(Load, RefusesTwoSpellingsOfOneKey) {
  EXPECT_EQ(YamlErrors("address_guard: {also_refuse: []}\naddressGuard: {}\n"),
            "e.yaml:2:1 address_guard: the key is there twice, also as address_guard; remove one of them\n");
}

TEST(Load, TakesTheNamesThatProtobufJsonPrints) {
  const Loaded loaded = LoadText(R"({"addressGuard": {"alsoRefuse": ["10.0.0.0/8"]}})", "e.json");
  EXPECT_EQ(loaded.errors(), "");
  EXPECT_EQ(loaded.bootstrap.address_guard().also_refuse(0), "10.0.0.0/8");
}

TEST(Load, ListsWhatThereIsWhereNothingIsNear) {
  EXPECT_EQ(YamlErrors("admin: {colour: red}"), "e.yaml:1:9 admin.colour: unknown key; there are address\n");
}

TEST(Load, RefusesNoneAndSeveralMembersOfAOneof) {
  EXPECT_EQ(YamlErrors("listeners:\n- name: a\n- {name: b, address: x, internal: {}}\n"),
            "e.yaml:2:3 listeners[0]: no ingress; give exactly one of address, internal\n"
            "e.yaml:3:25 listeners[1].internal: address is given as well, and only one of them can be; remove one\n");
  EXPECT_EQ(
      YamlErrors(
          "listeners:\n- name: a\n  address: x\n  filters:\n  - {name: f}\n  - {tcp_relay: {}, tls_inspector: {}}\n"),
      "e.yaml:5:5 listeners[0].filters[0]: no filter; give exactly one of tls_terminator, proxy_protocol, "
      "tls_inspector, egress_policy, http_connection, mitm_terminator, tcp_relay, source_identity, extension\n"
      "e.yaml:6:21 listeners[0].filters[1].tls_inspector: tcp_relay is given as well, and only one of them can be; "
      "remove one\n");
  EXPECT_EQ(
      YamlErrors("secrets:\n- name: s\n- {name: t, credential: {}}\n"),
      "e.yaml:2:3 secrets[0]: no kind; give exactly one of certificate, trust, certificate_authority, htpasswd, jwks, "
      "credential\n"
      "e.yaml:3:25 secrets[1].credential: no source; give exactly one of file, environment, inline_string, "
      "inline_bytes\n");
}

TEST(Load, RefusesAListForOneValueAndTheReverse) {
  EXPECT_EQ(
      YamlErrors(
          "node: {id: [a]}\nresolver: {servers: 127.0.0.1:53}\nadmin: [address]\nlisteners: {name: a}\nworkers: {}\n"),
      "e.yaml:1:12 node.id: a list: one value belongs here; write it without brackets or dash\n"
      "e.yaml:2:21 resolver.servers: 127.0.0.1:53: a list belongs here; write [127.0.0.1:53]\n"
      "e.yaml:3:8 admin: a list: a map belongs here; write keys below it, e.g. address: ...\n"
      "e.yaml:4:12 listeners: a map: a list belongs here; begin each entry with a dash\n"
      "e.yaml:5:10 workers: a map: one value belongs here; write it after the colon\n");
}

TEST(Load, TakesScalarsByTheTypeOfTheirField) {
  const Loaded loaded = LoadText("node: {id: 8080, cluster: yes, zone: 1.50}\nworkers: '2'\n", "e.yaml");
  EXPECT_EQ(loaded.errors(), "");
  EXPECT_EQ(loaded.bootstrap.node().id(), "8080");
  EXPECT_EQ(loaded.bootstrap.node().cluster(), "yes");
  EXPECT_EQ(loaded.bootstrap.node().zone(), "1.50");
  EXPECT_EQ(loaded.bootstrap.workers(), 2u);
}

TEST(Load, TakesOnlyTrueAndFalseForABool) {
  for (const std::string text : {"yes", "on", "True", "1", "'true'", "y"})
    EXPECT_EQ(LoadText(Cat("secrets: [{name: t, trust: {system_roots: ", text, "}}]"), "e.yaml").result.errors.size(),
              1u)
        << text;
  EXPECT_TRUE(LoadText("secrets: [{name: t, trust: {system_roots: true}}]", "e.yaml")
                  .bootstrap.secrets(0)
                  .trust()
                  .system_roots());
}

TEST(Load, ChecksTheRangeOfNumbers) {
  EXPECT_EQ(YamlErrors("workers: -1"),
            "e.yaml:1:10 workers: -1: out of range; write 0 to 4294967295 in decimal digits\n");
  EXPECT_EQ(YamlErrors("workers: 4294967296"),
            "e.yaml:1:10 workers: 4294967296: out of range; write 0 to 4294967295 in decimal digits\n");
  for (const std::string text : {"0x10", "1e3", "1_000", "1.0", "+1", "' 1'"})
    EXPECT_EQ(LoadText(Cat("workers: ", text), "e.yaml").result.errors.size(), 1u) << text;
  EXPECT_EQ(LoadText("limits: {memory: {hard: {bytes: 18446744073709551615}}}", "e.yaml").errors(), "");
}

TEST(Load, TakesDurationsAsPeopleWriteThem) {
  const Loaded loaded = LoadText(
      "xds: {initial_fetch_timeout: 1h30m, last_good: {max_age: 24h}}\nresolver: {timeout: 500ms}\n", "e.yaml");
  EXPECT_EQ(loaded.errors(), "");
  EXPECT_EQ(loaded.bootstrap.xds().initial_fetch_timeout().seconds(), 5400);
  EXPECT_EQ(loaded.bootstrap.xds().last_good().max_age().seconds(), 86400);
  EXPECT_EQ(loaded.bootstrap.resolver().timeout().nanos(), 500'000'000);
  EXPECT_EQ(YamlErrors("resolver: {timeout: 300}"),
            "e.yaml:1:21 resolver.timeout: 300: no unit; write 300s for seconds\n");
  EXPECT_EQ(
      YamlErrors("resolver: {timeout: 2d}"),
      "e.yaml:1:21 resolver.timeout: 2d: not a duration; write a number with h, m, s or ms, e.g. 300s, 24h, 1h30m, "
      "500ms\n");
}

TEST(Load, TakesTimesAsRfc3339) {
  const Loaded loaded = LoadText("policies: [{name: p, audit_until: 2027-01-31T12:00:00Z}]", "e.yaml");
  EXPECT_EQ(loaded.errors(), "");
  EXPECT_EQ(loaded.bootstrap.policies(0).audit_until().seconds(), 1801396800);
  EXPECT_EQ(
      YamlErrors("policies: [{name: p, audit_until: tomorrow}]"),
      "e.yaml:1:35 policies[0].audit_until: tomorrow: not a time; write it as RFC 3339, e.g. 2027-01-31T12:00:00Z\n");
}

TEST(Load, TakesBytesAsBase64AndNeverShowsThem) {
  const Loaded loaded = LoadText("secrets: [{name: c, credential: {inline_bytes: dXNlcjpwYXNz}}]", "e.yaml");
  EXPECT_EQ(loaded.bootstrap.secrets(0).credential().inline_bytes(), "user:pass");
  EXPECT_EQ(
      YamlErrors("secrets: [{name: c, credential: {inline_bytes: hunter2}}]"),
      "e.yaml:1:48 secrets[0].credential.inline_bytes: (secret): not base64; encode the bytes with base64, with its "
      "padding\n");
}

TEST(Load, TakesAFilterWithoutSettingsAsItsName) {
  const Loaded loaded = LoadText(R"(listeners:
- name: a
  address: "127.0.0.1:0"
  filters:
  - http_connection:
      filters:
      - connect_tunnel:
      - forward_router
)",
                                 "e.yaml");
  EXPECT_EQ(loaded.errors(), "");
  const auto& http = loaded.bootstrap.listeners(0).filters(0).http_connection();
  EXPECT_TRUE(http.filters(0).has_connect_tunnel());
  EXPECT_TRUE(http.filters(1).has_forward_router());
  EXPECT_EQ(YamlErrors("listeners: [{name: a, address: x, filters: [tcp_rely]}]"),
            "e.yaml:1:45 listeners[0].filters[0]: tcp_rely: no such filter; did you mean tcp_relay?\n");
  EXPECT_EQ(YamlErrors("listeners: [{name: a, address: x, filters: [extension]}]"),
            "e.yaml:1:45 listeners[0].filters[0]: extension: no such filter; there are tls_terminator, proxy_protocol, "
            "tls_inspector, egress_policy, http_connection, mitm_terminator, tcp_relay, source_identity\n");
}

TEST(Load, DoesNotTakeSettingsThatAreNotIndentedForAFilters) {
  EXPECT_EQ(YamlErrors("listeners:\n- name: a\n  address: x\n  filters:\n  - tls_inspector:\n    timeout: 5s\n"),
            "e.yaml:6:5 listeners[0].filters[0].timeout: unknown key; there are name, tls_terminator, proxy_protocol, "
            "tls_inspector, egress_policy, http_connection, mitm_terminator, tcp_relay, source_identity, extension\n");
}

TEST(Load, TakesMapsAndFreeStructures) {
  const Loaded loaded = LoadText(R"(node:
  metadata: {pod: egress-0, shards: [1, two, "3", true, null], deep: {x: 1.5}}
workload_sets:
- name: w
  workloads:
  - labels: {app: web, tier: 1}
)",
                                 "e.yaml");
  EXPECT_EQ(loaded.errors(), "");
  EXPECT_EQ(loaded.bootstrap.workload_sets(0).workloads(0).labels().at("tier"), "1");
  const auto& shards = loaded.bootstrap.node().metadata().fields().at("shards").list_value();
  EXPECT_EQ(shards.values(0).number_value(), 1);
  EXPECT_EQ(shards.values(1).string_value(), "two");
  EXPECT_EQ(shards.values(2).string_value(), "3");
  EXPECT_TRUE(shards.values(3).bool_value());
  EXPECT_TRUE(shards.values(4).has_null_value());
}

TEST(Load, TakesAnExtensionThatIsLinkedIn) {
  const std::string head = "listeners: [{name: a, address: x, filters: [{extension: {";
  const Loaded loaded = LoadText(
      Cat(head, "'@type': type.googleapis.com/egret.filters.network.v1.TlsInspector, max_bytes: 4096}}]}]"), "e.yaml");
  EXPECT_EQ(loaded.errors(), "");
  filters::network::v1::TlsInspector inner;
  EXPECT_TRUE(loaded.bootstrap.listeners(0).filters(0).extension().UnpackTo(&inner));
  EXPECT_EQ(inner.max_bytes(), 4096u);
  EXPECT_EQ(
      YamlErrors(Cat(head, "'@type': type.googleapis.com/a.B}}]}]")),
      "e.yaml:1:67 listeners[0].filters[0].extension: type.googleapis.com/a.B: no such type in this build; link the "
      "filter in\n");
  EXPECT_EQ(YamlErrors(Cat(head, "max_bytes: 1}}]}]")),
            "e.yaml:1:57 listeners[0].filters[0].extension: no @type; write \"@type\": type.googleapis.com/...\n");
}

TEST(Load, X27_RefusesAnEmptyFileAndOneOfSeveralDocuments) {
  const std::string empty = ": the file is empty; a file that says nothing is taken for one half written\n";
  EXPECT_EQ(YamlErrors(""), "e.yaml" + empty);
  EXPECT_EQ(YamlErrors("# nothing\n"), "e.yaml" + empty);
  EXPECT_EQ(JsonErrors(" \n"), "e.json:2:1" + empty);
  EXPECT_EQ(YamlErrors("---\nworkers: 1\n---\nworkers: 2\n"),
            "e.yaml:3:1: a second document begins here; a file is one document; make it two files\n");
}

TEST(Load, RefusesAnchorsAliasesAndTags) {
  EXPECT_EQ(YamlErrors("node: &n {id: a}\n"), "e.yaml:1:7: anchors are not taken; write the value out\n");
  EXPECT_EQ(YamlErrors("node: {id: *n}\n").substr(0, 7), "e.yaml:");
  EXPECT_EQ(YamlErrors("workers: !!int 3\n"), "e.yaml:1:10: tags are not taken; leave tag:yaml.org,2002:int out\n");
}

TEST(Load, RefusesWhatIsNotText) {
  EXPECT_EQ(YamlErrors("workers: 1\n\x04policies: []\n"),
            "e.yaml:2:1: not UTF-8 text, or a control character; write it in quotes and escaped, or as base64 in a "
            "field that "
            "takes bytes\n");
  EXPECT_NE(YamlErrors("node: {id: \xff}\n"), "");
  EXPECT_EQ(YamlErrors("node: {id: \"a\\0\"}\n"),
            "e.yaml:1:12 node.id: \"a\\u0000\": a control character inside; take it out\n");
  EXPECT_EQ(JsonErrors(R"({"node": {"id": "\u0007"}})"),
            "e.json:1:17 node.id: \"\\u0007\": a control character inside; take it out\n");
}

TEST(Load, StopsAtAMillionValues) {
  std::string list = "domain_sets: [{name: a, domains: [";
  for (size_t i = 0; i < kMostNodes; ++i) list += "a,";
  const Loaded yaml = LoadText(list + "a]}]", "e.yaml");
  EXPECT_EQ(yaml.result.errors.size(), 1u);
  EXPECT_NE(yaml.errors().find("more than 1200000 values; put long lists of names into a file of a domain set"),
            std::string::npos)
      << yaml.errors();
}

TEST(Load, StopsAtAMillionValuesInJsonToo) {
  std::string list = R"({"domain_sets": [{"name": "a", "domains": [)";
  for (size_t i = 0; i < kMostNodes; ++i) list += "1,";
  EXPECT_NE(JsonErrors(list + "1]}]}").find("more than 1200000 values"), std::string::npos);
}

TEST(Load, BoundsTheDepth) {
  const std::string yaml = YamlErrors("node: {metadata: {a: " + std::string(5000, '[') + std::string(5000, ']') + "}}");
  EXPECT_NE(yaml.find("nested more than 100 deep"), std::string::npos) << yaml;
  const std::string json = JsonErrors("{\"node\": {\"metadata\": {\"a\": " + std::string(500'000, '['));
  EXPECT_NE(json.find("nested more than 100 deep"), std::string::npos) << json;
}

TEST(Load, KnowsPlacesAgainByFieldPath) {
  const Loaded loaded = LoadText("listeners:\n- name: a\n  address: x\n  filters: [tcp_relay]\n", "e.yaml");
  const Locations& at = loaded.result.locations;
  EXPECT_EQ(at.Find("listeners[0].address").line, 3);
  EXPECT_EQ(at.Find("listeners[0].address").col, 12);
  EXPECT_EQ(at.Find("listeners[0].filters[0].tcp_relay.upstream").line, 4);
  EXPECT_EQ(at.Find("listeners[0].filters[0].tcp_relay.upstream").col, 13);
  EXPECT_EQ(at.Find("listeners[7]").line, 1);
  EXPECT_EQ(at.Find("listeners[0].filters").col, 3);
  EXPECT_EQ(Locations().Find("listeners[0]").line, 0);
}

TEST(Load, TextprotoTellsPlacesAndMissingMembers) {
  EXPECT_EQ(TextprotoErrors("listeners {\n  name: \"a\"\n}\n"),
            "e.textproto:1:1 listeners[0]: no ingress; give exactly one of address, internal\n");
  EXPECT_EQ(TextprotoErrors("workers: 1\nworkrs: 2\n"),
            "e.textproto:2:7: Message type \"egret.config.v1.Bootstrap\" has no field named \"workrs\".\n");
}

TEST(Load, TextprotoRefusesNumbersForEnumValues) {
  EXPECT_EQ(TextprotoErrors("policies { name: \"p\" otherwise: 1 }"),
            "e.textproto:1:22 policies[0].otherwise: numbers are not taken here; there are DENY, ABSTAIN\n");
  EXPECT_NE(TextprotoErrors("policies { rules { to { protocols: [TLS, 2] } } }"), "");
  EXPECT_EQ(TextprotoErrors("policies { rules { to { protocols: [TLS, HTTP] protocols: OTHER ports: 80 } } }"), "");
  EXPECT_EQ(TextprotoErrors("policies { otherwise: ABSTAIN rules { message: \"1\" } }"), "");
}

TEST(Load, AllFormatsOfOneFileAreOneMessage) {
  const Loaded yaml = LoadText(R"(admin: {address: "127.0.0.1:9901"}
listeners:
- name: egress
  address: "127.0.0.1:3128"
  max_connections: 7
  filters:
  - http_connection:
      timeouts: {idle: 90s, write: 1m1s}
      filters: [{egress_policy: {policy: web}}, connect_tunnel, forward_router]
policies:
- name: web
  rules: [{name: a, action: ALLOW, to: {protocols: [TLS, OTHER]}, message: "\u00e9\t\"x\""}]
secrets: [{name: s, credential: {inline_bytes: /wA=}}]
)",
                               "e.yaml");
  EXPECT_EQ(yaml.errors(), "");
  const Loaded json = LoadText(ToCanonicalJson(yaml.bootstrap), "e.json");
  EXPECT_EQ(json.errors(), "") << ToCanonicalJson(yaml.bootstrap);
  EXPECT_TRUE(MessageDifferencer::Equals(yaml.bootstrap, json.bootstrap));
  const Loaded text = LoadText(ToTextproto(yaml.bootstrap), "e.txtpb");
  EXPECT_EQ(text.errors(), "") << ToTextproto(yaml.bootstrap);
  EXPECT_TRUE(MessageDifferencer::Equals(yaml.bootstrap, text.bootstrap));
}

}  // namespace
}  // namespace egret
