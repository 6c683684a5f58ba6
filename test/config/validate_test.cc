#include "source/config/validate.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"
#include "source/config/bootstrap_file.h"
#include "source/config/load.h"

namespace egret {
namespace {

// All that is said about a text, one line each; its line and column left out.
std::string Verdict(std::string_view yaml) {
  BootstrapFile file = ReadBootstrapText(yaml, "e", Format::kYaml);
  for (ConfigError& error : file.errors) {
    if (error.file == "e") {
      EXPECT_GT(error.line, 0) << error.ToString();
      error.file.clear();
      error.line = 0;
    }
  }
  return ToString(file.errors);
}

constexpr std::string_view kPolicy = "policies: [{name: web, rules: [{name: all, action: ALLOW}]}]\n";

// A bootstrap with one listener that has these HTTP filters.
std::string WithHttp(std::string_view filters, std::string_view more = "") {
  return Cat("listeners: [{name: l, address: '127.0.0.1:3128', filters: [http_connection: {filters: [", filters,
             "]}]}]\n", kPolicy, more);
}

constexpr std::string_view kGoodHttp = "{egress_policy: {policy: web}}, connect_tunnel, forward_router";

// A good bootstrap, and one more line.
std::string With(std::string_view more) { return WithHttp(kGoodHttp, more); }

TEST(Validate, FindsNothingWrongWithTheSmallestFile) { EXPECT_EQ(Verdict(With("")), ""); }

TEST(Validate, WantsSomethingToServe) {
  EXPECT_EQ(Verdict("admin: {address: '127.0.0.1:9901'}"), "listeners: required; give at least one\n");
}

TEST(Validate, TellsPlaces) {
  const BootstrapFile file = ReadBootstrapText(Cat("admin:\n  address: nowhere\n", With("")), "e.yaml", Format::kYaml);
  EXPECT_EQ(ToString(file.errors),
            "e.yaml:2:12 admin.address: nowhere: not an address and port; write e.g. 127.0.0.1:3128, \"[::]:3128\" or "
            "unix:/run/egret/proxy.sock\n");
}

TEST(Validate, ChecksWhatItTakesToBePushedTo) {
  EXPECT_EQ(
      Verdict(With("xds: {servers: [{address: 'a:1', tls: {trust: t, ocsp: REQUIRE_STAPLE}}, {address: 'b:1'}, "
                   "{address: '127.0.0.1:1'}], "
                   "resource_types: [Listener, Polcy]}\n"
                   "secrets: [{name: t, trust: {system_roots: true, crl: {inline_string: x}}}]\n")),
      "xds.servers[0].tls.trust: t: has a crl, and revocation of a control plane's certificate is not looked at; "
      "name a secret without crl\n"
      "xds.servers[0].tls.ocsp: REQUIRE_STAPLE: what a control plane staples is not looked at; leave it out\n"
      "xds.servers[1]: warning: resources come in clear: whoever is on the way decides what is allowed; give tls, with "
      "`certificate` so that the server knows the proxy, too\n"
      "xds.resource_types[1]: Polcy: not a type of resources; there are Listener, EgressPolicy, DomainSet, "
      "Upstream, Secret, WorkloadSet\n");
}

// Everything that can be named and may be pushed later, and what the process itself needs.
TEST(Validate, TakesNamesThatMayBePushedLater) {
  EXPECT_EQ(Verdict("xds: {servers: [{address: 'a:1', tls: {trust: absent}}]}\n"
                    "listeners:\n"
                    "- {name: l, address: '127.0.0.1:3128', filters: [tls_terminator: {certificates: [c]}, "
                    "http_connection: {filters: [{egress_policy: {policies: [a, b]}}, {connect_tunnel: {listener: t}}, "
                    "{forward_router: {upstream: u}}]}]}\n"
                    "- {name: r, address: '127.0.0.1:3129', transparent: REDIRECT, chains_of: t, "
                    "listener_filters: [tls_inspector, {egress_policy: {policies: [b]}}]}\n"
                    "policies:\n"
                    "- {name: b, rules: [{name: n, action: ALLOW, to: {domain_sets: [s]}, reaches_private: "
                    "['10.0.0.0/8']}, {name: i, action: ALLOW, http: {methods: [GET]}}, {name: x}]}\n"
                    "domain_sets: [{name: d, includes: [e]}]\n"),
            "xds.servers[0].tls.trust: absent: no secret of this name; add it under secrets\n"
            "policies[0].rules[2].action: no action; write ALLOW or DENY\n");
}

constexpr std::string_view kPutWhereHttpsComes =
    "put it behind mitm_terminator, or where clients may ask for https: themselves (tls_terminator)\n";

TEST(Validate, ABrokerStandsWhereItMayAndKnowsItsPlaces) {
  const std::string at = "listeners[0].filters[0].http_connection.filters[";
  const auto not_spiffe = [&at](std::string_view index, std::string_view id) {
    return Cat(at, "0].credential_broker.bindings[1].spiffe_ids[", index, "]: ", id,
               ": not a SPIFFE ID; write for example \"spiffe://prod/ns/build/sa/ci\" or \"spiffe://prod/ns/*\"\n");
  };
  EXPECT_EQ(
      Verdict(
          WithHttp(
              "{credential_broker: {bindings: [{secret: t, host: a.test, header: accept, placeholder: 'short'}, "
              "{secret: t, host: b.test, header: x-api-key, placeholder: egret-one, path_prefixes: [x], spiffe_ids: ["
              "'spiffe://prod/*', 'spiffe://', 'spiffe://prod/x*', 'prod/x']}, "
              "{secret: t, host: b.test, header: x-api-key, placeholder: egret-one-more}, {secret: t, host: b.test, "
              "placeholder: egret-two}, {secret: t, host: b.test, placeholder: egret-three, s3: {region: r}, "
              "template: NPM}], credential_headers: ['a b']}}, "
              "{egress_policy: {policy: web}}, forward_router") +
          "secrets: [{name: t, credential: {inline_string: x}}]\n"),
      Cat(at, "0].credential_broker: nothing has allowed the request yet; put egress_policy before it\n", at,
          "0].credential_broker: what comes after it would see the credential; put it right before forward_router\n",
          at, "0].credential_broker: what comes here is in clear, and no credential goes there; ", kPutWhereHttpsComes,
          at,
          "0].credential_broker.bindings[0].header: accept: not a field of credentials; write e.g. authorization or "
          "x-api-key\n",
          at,
          "0].credential_broker.bindings[0].placeholder: short: not a placeholder; write 8 to 256 letters, digits, or "
          "any of . _ : -\n",
          at,
          "0].credential_broker.bindings[1].placeholder: egret-one: part of another placeholder, egret-one-more; make "
          "them differ\n",
          at, "0].credential_broker.bindings[1].path_prefixes[0]: x: not a path; begin it with a slash\n",
          not_spiffe("1", "spiffe://"), not_spiffe("2", "spiffe://prod/x*"), not_spiffe("3", "prod/x"), at,
          "0].credential_broker.bindings[3]: nothing says where the credential stands; give header, template or s3\n",
          at,
          "0].credential_broker.bindings[4]: it is said twice where the credential stands; keep one of header, "
          "template and s3\n",
          at, "0].credential_broker.credential_headers[0]: \"a b\": not a token; write letters, digits, - or .\n"));
}

TEST(Validate, RefusesWhatIsNotBuiltYet) {
  EXPECT_EQ(
      Verdict(WithHttp("{egress_policy: {policy: web}}, {connect_tunnel: {dial: "
                       "ON_DEMAND}}, {forward_router: {upstream_http2: ALWAYS, tls: {server_name: a.b}}}")),
      "listeners[0].filters[0].http_connection.filters[1].connect_tunnel.dial: ON_DEMAND: not built yet; leave it out\n"
      "listeners[0].filters[0].http_connection.filters[2].forward_router.tls.server_name: a.b: each destination's "
      "certificate has to be for the destination's own name; leave it out\n");
  EXPECT_EQ(
      Verdict(With("upstreams: [{name: u, http_proxy: {address: 'p:1', tls: {trust: t, server_name: 'a b'}}}]\n")),
      "upstreams[0].http_proxy.tls.trust: t: no secret of this name; add it under secrets\n"
      "upstreams[0].http_proxy.tls.server_name: \"a b\": neither a host name nor an address; write e.g. "
      "proxy.example\n");
}

TEST(Validate, KnowsWhereATlsTerminatorMayStand) {
  constexpr std::string_view kSecrets =
      "secrets: [{name: c, certificate: {certificate: {file: /c}, key: {file: /k}}}, {name: t, trust: {roots: {file: "
      "/t}}}]\n";
  constexpr std::string_view kHttp =
      "{http_connection: {filters: [{egress_policy: {policy: web}}, connect_tunnel, forward_router]}}";
  const auto with = [&](std::string_view filters, std::string_view more = "") {
    return Verdict(
        Cat("listeners: [{name: l, address: '127.0.0.1:3128', filters: [", filters, "]}]\n", kPolicy, kSecrets, more));
  };
  EXPECT_EQ(with(Cat("{tls_terminator: {certificates: [c]}}, ", kHttp)), "");
  EXPECT_EQ(with(Cat("{tls_terminator: {certificates: [c], client_certificates: {mode: REQUIRE, trust: t}, "
                     "plaintext_too: true, minimum_version: TLS_1_3, handshake_timeout: 5s, cipher_suites: "
                     "[TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}}, ",
                     kHttp)),
            "");
  EXPECT_EQ(with(Cat("{tls_terminator: {}}, ", kHttp)),
            "listeners[0].filters[0].tls_terminator.certificates: required; give at least one\n");
  EXPECT_EQ(
      with(Cat("{tls_terminator: {certificates: [t, d], handshake_timeout: 1ms, cipher_suites: [RC4-SHA], "
               "client_certificates: {mode: REQUEST, trust: c}}}, ",
               kHttp)),
      "listeners[0].filters[0].tls_terminator.certificates[0]: t: the secret of this name is another kind; name "
      "one with `certificate`\n"
      "listeners[0].filters[0].tls_terminator.certificates[1]: d: no secret of this name; did you mean c?\n"
      "listeners[0].filters[0].tls_terminator.handshake_timeout: 1ms: out of bounds; from 100ms to 1m\n"
      "listeners[0].filters[0].tls_terminator.cipher_suites[0]: RC4-SHA: not a cipher suite that may be used; write "
      "e.g. TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n"
      "listeners[0].filters[0].tls_terminator.client_certificates.trust: c: the secret of this name is another "
      "kind; name one with `trust`\n");
  EXPECT_EQ(with(Cat("{tls_terminator: {certificates: [c], client_certificates: {mode: REQUIRE}}}, ", kHttp)),
            "listeners[0].filters[0].tls_terminator.client_certificates.trust: nobody is believed; name a secret with "
            "`trust`: that of the clients' CA\n");
  EXPECT_EQ(
      with(Cat("{tls_terminator: {certificates: [c], client_certificates: {trust: t}}}, ", kHttp)),
      "listeners[0].filters[0].tls_terminator.client_certificates.mode: no certificate is asked for, though trust "
      "is given; write mode: REQUEST or REQUIRE\n");
  EXPECT_EQ(
      Verdict(Cat("listeners: [{name: l, address: '127.0.0.1:1', transparent: REDIRECT, listener_filters: "
                  "[tls_inspector: {}, egress_policy: {policy: web}], filters: [{tls_inspector: {}}, "
                  "{tls_terminator: {certificates: [c]}}, {tcp_relay: {}}]}]\n",
                  kPolicy, kSecrets)),
      "listeners[0].filters[1].tls_terminator: the TLS of a redirected connection is for its destination; leave it "
      "out\n"
      "listeners[0].filters[1].tls_terminator: what stands before it would see TLS and not what is inside; put it "
      "first\n");
  EXPECT_EQ(Verdict(With("secrets: [{name: t, trust: {crl: {file: /x}}}, {name: c, certificate: {}}]\n")),
            "secrets[0].trust: it believes nobody; give roots, or system_roots: true\n"
            "secrets[1].certificate.certificate: required; give it a value\n"
            "secrets[1].certificate.key: required; give it a value\n");
}

TEST(Validate, WantsNamesThatAreThereAndUnique) {
  EXPECT_EQ(
      Verdict(With("domain_sets: [{name: d}, {name: d}, {}]\nsecrets: [{name: 'a b', credential: {file: /c}}]\n")),
      "domain_sets[1].name: d: another domain set has this name; rename one of them\n"
      "domain_sets[2].name: no name; write 1 to 128 letters, digits, -, _, ., @\n"
      "secrets[0].name: \"a b\": not a name; write 1 to 128 letters, digits, -, _, ., @\n");
}

TEST(Validate, WantsReferencesThatLeadSomewhere) {
  EXPECT_EQ(
      Verdict(WithHttp(
          "{egress_policy: {policies: [wed]}}, {connect_tunnel: {listener: l}}, {forward_router: {upstream: up}}")),
      "listeners[0].filters[0].http_connection.filters[0].egress_policy.policies[0]: wed: no policy of this name; did "
      "you "
      "mean web?\n"
      "listeners[0].filters[0].http_connection.filters[1].connect_tunnel.listener: l: the listener of this name is "
      "another "
      "kind; name one with `internal`\n"
      "listeners[0].filters[0].http_connection.filters[2].forward_router.upstream: up: no upstream of this name; add "
      "it "
      "under upstreams\n");
  EXPECT_EQ(Verdict(With("upstreams: [{name: u, http_proxy: {address: 'p:1', credential: cred}}]\n"
                         "secrets: [{name: creds, credential: {file: /c}}]\n")),
            "upstreams[0].http_proxy.credential: cred: no secret of this name; did you mean creds?\n");
}

TEST(Validate, WantsChainsThatEndInATerminalFilterAndNotBefore) {
  EXPECT_EQ(Verdict(WithHttp("{egress_policy: {policy: web}}, forward_router, connect_tunnel")),
            "listeners[0].filters[0].http_connection.filters[1]: it ends the chain, so what follows never runs; move "
            "it to the "
            "end\n"
            "listeners[0].filters[0].http_connection.filters[2]: the last filter of a chain has to end it; add "
            "forward_router "
            "after it\n");
  EXPECT_EQ(
      Verdict("listeners:\n- {name: a, address: '127.0.0.1:1', filters: [tls_inspector]}\n"
              "- {name: b, address: '127.0.0.1:2'}\n- {name: c, address: '127.0.0.1:3', filters: []}\n"
              "- {name: d, address: '127.0.0.1:4', filter_chains: [{filters: []}]}\n"
              "- {name: e, address: '127.0.0.1:5', filters: [http_connection]}\n"),
      "listeners[0].filters[0]: the last filter of a chain has to end it; add http_connection or tcp_relay after it\n"
      "listeners[1]: no chain; give exactly one of filters, filter_chains, chains_of\n"
      "listeners[2]: no chain; give exactly one of filters, filter_chains, chains_of\n"
      "listeners[3].filter_chains[0].filters: required; give at least one\n"
      "listeners[4].filters[0].http_connection.filters: required; give at least one\n");
}

TEST(Validate, WantsMemoryThresholdsInTheirBoundsAndOrder) {
  EXPECT_EQ(Verdict(With("limits: {large_buffers_per_worker: 0, memory: {soft: {percent: 101}, hard: {bytes: 5}}}\n")),
            "limits.large_buffers_per_worker: 0: out of bounds; from 1 to 65536\n"
            "limits.memory.soft.percent: 101: out of bounds; from 1 to 100\n"
            "limits.memory.hard.bytes: 5: out of bounds; from 1048576 to 9223372036854775807\n");
  EXPECT_EQ(Verdict(With("limits: {memory: {soft: {percent: 90}, hard: {percent: 80}}}\n")),
            "limits.memory.hard: below soft; make it at least as much\n");
  EXPECT_EQ(Verdict(With("limits: {memory: {soft: {percent: 80}, hard: {bytes: 17000000}}}\n")), "");
}

TEST(Validate, WantsRateLimitsThatLimitSomethingWhereItPasses) {
  const std::string at = "listeners[0].filters[0].http_connection.filters[";
  EXPECT_EQ(Verdict(WithHttp("{rate_limit: {per: SOURCE_ADDRESS}}, {rate_limit: {tunnels: 0}}, {egress_policy: "
                             "{policy: web}}, connect_tunnel, {rate_limit: {per: DESTINATION, tunnels: 3, requests: "
                             "{rate: 5}}}, forward_router")),
            Cat(at, "0].rate_limit: it limits nothing; give requests, e.g. {rate: 100, burst: 200}, or tunnels\n", at,
                "1].rate_limit.per: required; give it a value\n", at,
                "1].rate_limit.tunnels: 0: out of bounds; from 1 to 10000000\n", at,
                "4].rate_limit.tunnels: connect_tunnel before it has opened the tunnel already; put rate_limit before "
                "connect_tunnel\n",
                at, "4].rate_limit.requests.burst: required; give it a value\n"));
}

TEST(Validate, WantsRewritesThatChangeSomethingAndPatternsThatCompile) {
  const std::string at = "listeners[0].filters[0].http_connection.filters[";
  EXPECT_EQ(
      Verdict(WithHttp("{body_rewrite: {content_types: ['*/*', 'text/x', 'text/*'], max_bytes: 10}}, {body_rewrite: "
                       "{response: [{replace: {pattern: '(a'}}, {replace: {pattern: 'a*'}}, {replace: {pattern: 'b', "
                       "with: '\\1'}}, {replace: {text: 'a', with: '\\1'}}, {insert: {text: x}}, {replace: {text: "
                       "''}}, {insert: {at: END}}]}}, {egress_policy: {policy: web}}, forward_router")),
      Cat(at,
          "0].body_rewrite: it changes nothing; give request or response, e.g. [{replace: {text: old, with: "
          "new}}]\n",
          at,
          "0].body_rewrite.content_types[0]: */*: not a media type; write e.g. text/html, or text/* for all of "
          "them\n",
          at, "0].body_rewrite.max_bytes: 10: out of bounds; from 1024 to 16777216\n", at,
          "1].body_rewrite.response[0].replace.pattern: (a: missing ): (a; write it as RE2 takes it, e.g. colou?r\n",
          at,
          "1].body_rewrite.response[1].replace.pattern: a*: it matches where nothing stands, so everywhere; make it "
          "match "
          "one byte at least, e.g. a+ for a*\n",
          at,
          "1].body_rewrite.response[2].replace.with: \\1: not a replacement for this pattern; "
          "\\0 to \\9 are groups of the pattern, \\\\ is a backslash\n",
          at, "1].body_rewrite.response[4].insert.at: required; give it a value\n", at,
          "1].body_rewrite.response[5].replace.text: required; give it a value\n", at,
          "1].body_rewrite.response[6].insert.text: required; give it a value\n"));
}

TEST(Validate, WantsTapsThatEndAndHaveAFileOfTheirOwn) {
  const std::string at = "listeners[0].filters[0].http_connection.filters[";
  EXPECT_EQ(Verdict(WithHttp("{tap: {file: /x}}, {egress_policy: {policy: web}}, forward_router")),
            Cat(at, "0].tap: no end; give exactly one of duration, until\n"));
  EXPECT_EQ(
      Verdict(WithHttp("{tap: {file: /x, duration: 60s}}, {tap: {file: /x, duration: 200h, max_exchanges: 0, "
                       "max_file_bytes: 1, max_content_bytes: 2000000, redact_headers: ['a b']}}, {tap: {file: y, "
                       "until: '2020-01-01T00:00:00Z'}}, {egress_policy: {policy: web}}, forward_router")),
      Cat(at, "1].tap.file: /x: another tap writes there; give each a file of its own\n", at,
          "1].tap.duration: 720000s: out of bounds; from 1s to 168h\n", at,
          "1].tap.max_exchanges: 0: out of bounds; from 1 to 100000\n", at,
          "1].tap.max_file_bytes: 1: out of bounds; from 65536 to 4294967296\n", at,
          "1].tap.max_content_bytes: 2000000: out of bounds; from 0 to 1048576\n", at,
          "1].tap.redact_headers[0]: \"a b\": not a token; write letters, digits, - or .\n", at,
          "2].tap.file: y: not an absolute path; begin it with /\n", at,
          "2].tap.until: warning: this time is over; take the tap out\n"));
}

TEST(Validate, WantsOneWayOfGivingChains) {
  EXPECT_EQ(
      Verdict(Cat("listeners: [{name: l, address: '127.0.0.1:1', chains_of: x, filters: [http_connection: {filters: [",
                  kGoodHttp, "]}]}]\n", kPolicy)),
      "listeners[0]: chains are given twice; keep one of filters, filter_chains, chains_of\n"
      "listeners[0].chains_of: x: no listener of this name; did you mean l?\n");
}

TEST(Validate, LetsListenerFiltersOnlyLook) {
  EXPECT_EQ(
      Verdict(
          Cat("listeners: [{name: l, address: '127.0.0.1:1', listener_filters: [tcp_relay], filters: [http_connection: "
              "{filters: [",
              kGoodHttp, "]}]}]\n", kPolicy)),
      "listeners[0].listener_filters[0]: not a filter that only looks; here belong tls_inspector, proxy_protocol, "
      "source_identity, "
      "egress_policy; move it into a chain\n"
      "listeners[0].listener_filters[0].tcp_relay: no destination is known here; relay inside a tunnel: let "
      "connect_tunnel "
      "enter an internal listener\n"
      "listeners[0].listener_filters[0].tcp_relay: reached without egress_policy (l > tcp_relay); put egress_policy "
      "into "
      "listener_filters, or into the chain before it\n");
}

TEST(Validate, LetsNothingDialWithoutPolicy) {
  EXPECT_EQ(Verdict(WithHttp("connect_tunnel, forward_router")),
            "listeners[0].filters[0].http_connection.filters[0].connect_tunnel: reached without egress_policy (l > "
            "http_connection > connect_tunnel); put egress_policy into the chain before it\n"
            "listeners[0].filters[0].http_connection.filters[1].forward_router: reached without egress_policy (l > "
            "http_connection > forward_router); put egress_policy into the chain before it\n");
}

constexpr std::string_view kOuter =
    "listeners:\n- name: l\n  address: '127.0.0.1:1'\n  filters:\n  - http_connection:\n      filters:\n"
    "      - egress_policy: {policy: web}\n      - connect_tunnel: {listener: t}\n      - forward_router\n- name: t\n  "
    "internal: {}\n";

TEST(Validate, LetsNothingDialWithoutPolicyInsideATunnelEither) {
  EXPECT_EQ(
      Verdict(Cat(kOuter, "  filters: [tcp_relay]\n", kPolicy)),
      "listeners[1].filters[0].tcp_relay: reached without egress_policy (l > http_connection > connect_tunnel > t > "
      "tcp_relay); put egress_policy into listener_filters, or into the chain before it\n");
  EXPECT_EQ(
      Verdict(Cat(kOuter, "  listener_filters: [tls_inspector, egress_policy]\n  filters: [tcp_relay]\n", kPolicy)),
      "");
  EXPECT_EQ(Verdict(Cat(kOuter, "  filters: [http_connection: {filters: [forward_router]}]\n", kPolicy)),
            "listeners[1].filters[0].http_connection.filters[0].forward_router: reached without egress_policy (l > "
            "http_connection > connect_tunnel > t > http_connection > forward_router); put egress_policy into the "
            "chain before "
            "it\n");
}

TEST(Validate, WantsATunnelToBeLookedIntoBeforeItIsJudged) {
  EXPECT_EQ(Verdict(Cat(kOuter, "  filters: [egress_policy, tcp_relay]\n", kPolicy)),
            "listeners[1].filters[0].egress_policy: nothing has looked into the tunnel yet (l > http_connection > "
            "connect_tunnel > t); put tls_inspector before it\n");
}

TEST(Validate, WantsPoliciesNamedOnceAndFirst) {
  EXPECT_EQ(
      Verdict(WithHttp("egress_policy, connect_tunnel, forward_router")),
      "listeners[0].filters[0].http_connection.filters[0].egress_policy: no policy is named (l > http_connection > "
      "egress_policy); the first egress_policy of a connection names them: egress_policy: {policy: ...}\n");
  EXPECT_EQ(Verdict(Cat(kOuter,
                        "  listener_filters: [tls_inspector, {egress_policy: {policy: web}}]\n  filters: [tcp_relay]\n",
                        kPolicy)),
            "listeners[1].listener_filters[1].egress_policy: the policies are already named (l > http_connection > "
            "connect_tunnel "
            "> t > egress_policy); later ones go on with the first: write egress_policy: {}\n");
  EXPECT_EQ(
      Verdict(WithHttp("{egress_policy: {policy: web, policies: [web, web]}}, forward_router")),
      "listeners[0].filters[0].http_connection.filters[0].egress_policy.policy: policies is given as well, and only "
      "one of "
      "them can be; remove one\n"
      "listeners[0].filters[0].http_connection.filters[0].egress_policy.policies[1]: web: named twice; remove one\n");
}

TEST(Validate, LetsAnInternalListenerHaveNoAddress) {
  EXPECT_EQ(Verdict("listeners: [{name: t, internal: {}, address: '127.0.0.1:1', filters: [tcp_relay]}]"),
            "listeners[0].address: internal is given as well, and only one of them can be; remove one\n");
}

TEST(Validate, WarnsOfAnInternalListenerThatNothingEnters) {
  const std::string text = With("").insert(
      With("").find("]\npolicies"), ", {name: t, internal: {}, filters: [tls_inspector, egress_policy, tcp_relay]}");
  EXPECT_EQ(Verdict(text),
            "listeners[1]: warning: t: no tunnel enters this listener; name it in a connect_tunnel, or remove it\n");
  EXPECT_TRUE(ReadBootstrapText(text, "e", Format::kYaml).ok());
}

TEST(Validate, RefusesCircles) {
  EXPECT_EQ(
      Verdict(Cat(
          kOuter,
          "  filters: [http_connection: {filters: [egress_policy, {connect_tunnel: {listener: t}}, forward_router]}]\n",
          kPolicy)),
      "listeners[1].filters[0].http_connection.filters[1].connect_tunnel.listener: t: a circle (l > http_connection > "
      "connect_tunnel > t > http_connection > connect_tunnel > t); name another listener, or none\n");
  EXPECT_EQ(Verdict("listeners:\n- {name: a, address: '127.0.0.1:1', chains_of: a}\n- {name: b, address: "
                    "'127.0.0.1:2', chains_of: a}\n"),
            "listeners[0].chains_of: a: a circle; name another listener\n"
            "listeners[1].chains_of: a: that listener has none of its own; name the listener that has the chains\n");
}

TEST(Validate, BoundsTunnelsInTunnels) {
  std::string text(kOuter);
  for (const char next : std::string("uvwx"))
    Append(text, "  filters: [http_connection: {filters: [egress_policy, {connect_tunnel: {listener: ", next,
           "}}, forward_router]}]\n- name: ", next, "\n  internal: {}\n");
  Append(text, "  filters: [tls_inspector, egress_policy, tcp_relay]\n", kPolicy);
  EXPECT_EQ(
      Verdict(text),
      "listeners[4].filters[0].http_connection.filters[1].connect_tunnel.listener: x: more than 4 tunnels in tunnels "
      "(l > "
      "http_connection > connect_tunnel > t > http_connection > connect_tunnel > u > http_connection > connect_tunnel "
      "> v > "
      "http_connection > connect_tunnel > w > http_connection > connect_tunnel); name another listener, or none\n");
}

TEST(Validate, X28_RefusesSocketsThatClash) {
  EXPECT_EQ(Verdict(With("admin: {address: '127.0.0.1:3128'}\nmetrics: {address: '0.0.0.0:9902'}\n")),
            "listeners[0].address: 127.0.0.1:3128: taken by admin.address (127.0.0.1:3128); choose another port\n");
  EXPECT_EQ(Verdict(With("metrics: {address: '[::]:3128'}\n")),
            "listeners[0].address: 127.0.0.1:3128: taken by metrics.address ([::]:3128); choose another port\n");
  EXPECT_EQ(Verdict(With("admin: {address: 'unix:/a'}\nmetrics: {address: 'unix:/a'}\n")),
            "metrics.address: unix:/a: taken by admin.address (unix:/a); choose another port\n");
  EXPECT_EQ(Verdict(With("admin: {address: '127.0.0.2:3128'}\nmetrics: {address: '127.0.0.1:0'}\n")), "");
}

TEST(Validate, WantsAddressesThatAreAddresses) {
  EXPECT_EQ(Verdict(With("admin: {address: 'localhost:9901'}\nmetrics: {address: 'unix:relative'}\n"
                         "resolver: {servers: [127.0.0.1, '::1', 'dns.example:53', '[::1]:53']}\n"
                         "upstreams:\n- {name: a, http_proxy: {address: 'http://p:1'}}\n- {name: b, http_proxy: "
                         "{address: p.example}}\n"
                         "- {name: c, http_proxy: {address: '10.0.0.300:80'}}\n- {name: d, http_proxy: {address: "
                         "'[2001:db8::1]:80'}}\n"
                         "- {name: e, http_proxy: {address: 'p:0'}}\n- {name: f, http_proxy: {}}\n")),
            "admin.address: localhost:9901: a name, not an address; write 127.0.0.1:9901\n"
            "metrics.address: unix:relative: not an absolute path; write unix:/...\n"
            "resolver.servers[0]: 127.0.0.1: no port; write 127.0.0.1:53\n"
            "resolver.servers[1]: ::1: no port; write [::1]:53\n"
            "resolver.servers[2]: dns.example:53: not an address and port; write e.g. 127.0.0.1:53\n"
            "upstreams[0].http_proxy.address: http://p:1: a URL; write host:port, without a scheme\n"
            "upstreams[1].http_proxy.address: p.example: no port; write host:port, e.g. proxy.example:8080\n"
            "upstreams[2].http_proxy.address: 10.0.0.300:80: neither a host name nor an address; write host:port, e.g. "
            "proxy.example:8080\n"
            "upstreams[4].http_proxy.address: p:0: not a port; write host:port with a port from 1 to 65535\n"
            "upstreams[5].http_proxy.address: required; give it a value\n");
}

TEST(Validate, KeepsAdminOnThisHost) {
  EXPECT_EQ(Verdict(With("admin: {address: '0.0.0.0:9901'}\n")),
            "admin.address: 0.0.0.0:9901: others can reach it; write a loopback address or a unix socket, e.g. "
            "127.0.0.1:9901\n");
  EXPECT_EQ(Verdict(With("admin: {address: '[::1]:9901'}\n")), "");
}

TEST(Validate, ChecksBounds) {
  EXPECT_EQ(Verdict(With("workers: 0\nresolver: {timeout: 61s, cache: {min_ttl: 20s, max_ttl: 10s, max_entries: 0}}\n"
                         "limits: {connections: 0}\n")),
            "workers: 0: out of bounds; from 1 to 1024\n"
            "resolver.timeout: 61s: out of bounds; from 100ms to 1m\n"
            "resolver.cache.max_ttl: below min_ttl; make it at least as long\n"
            "resolver.cache.max_entries: 0: out of bounds; from 1 to 10000000\n"
            "limits.connections: 0: out of bounds; from 1 to 10000000\n");
  EXPECT_EQ(
      Verdict(WithHttp(
          "{egress_policy: {policy: web}}, {connect_tunnel: {idle_timeout: 0s, max_lifetime: 8760h1ns}}, "
          "{header_rewrite: {request: [{remove: Content-Length}, {set: {name: 'a b', value: \"x\\r\\ny\"}}]}}, "
          "{forward_router: {pool: {max_idle_per_key: 0}, connect_timeout: 1ms}}")),
      "listeners[0].filters[0].http_connection.filters[1].connect_tunnel.idle_timeout: 0s: out of bounds; from 1s to "
      "24h\n"
      "listeners[0].filters[0].http_connection.filters[1].connect_tunnel.max_lifetime: 8760h: out of bounds; from 1s "
      "to "
      "8760h\n"
      "listeners[0].filters[0].http_connection.filters[2].header_rewrite.request[0].remove: Content-Length: frames the "
      "message or belongs to the connection; the proxy alone sets it\n"
      "listeners[0].filters[0].http_connection.filters[2].header_rewrite.request[1].set.name: \"a b\": not the name of "
      "a "
      "header field; write e.g. x-request-id\n"
      "listeners[0].filters[0].http_connection.filters[2].header_rewrite.request[1].set.value: \"x\\u000d\\u000ay\": a "
      "line "
      "end inside; write it on one line\n"
      "listeners[0].filters[0].http_connection.filters[3].forward_router.connect_timeout: 1ms: out of bounds; from "
      "100ms to "
      "2m\n");
}

TEST(Validate, WantsFactsToBeKnownWhereChainsAreMatched) {
  EXPECT_EQ(Verdict(Cat(kOuter,
                        "  filter_chains:\n  - {name: a, match: {verdict: RELAY, protocol: TLS, ports: [0], "
                        "source_cidrs: [10.0.0.1/8]}, "
                        "filters: [tls_inspector, egress_policy, tcp_relay]}\n  - {name: a, filters: [tls_inspector, "
                        "egress_policy, tcp_relay]}\n"
                        "  - {filters: [tls_inspector, egress_policy, tcp_relay]}\n",
                        kPolicy)),
            "listeners[1].filter_chains[0].match.verdict: nothing has judged yet when a chain is chosen; put "
            "egress_policy into "
            "listener_filters\n"
            "listeners[1].filter_chains[0].match.protocol: nothing has looked yet when a chain is chosen; put "
            "tls_inspector into "
            "listener_filters\n"
            "listeners[1].filter_chains[0].match.ports[0]: 0: out of bounds; from 1 to 65535\n"
            "listeners[1].filter_chains[0].match.source_cidrs[0]: 10.0.0.1/8: not a range of addresses; write e.g. "
            "10.0.0.0/8 or "
            "2001:db8::/32, with no bit set beyond the prefix\n"
            "listeners[1].filter_chains[1].name: a: another chain of this listener has this name; rename one of them\n"
            "listeners[1].filter_chains[2].name: no name; name each of several chains\n");
}

TEST(Validate, WantsTheTargetThatThePlaceHas) {
  EXPECT_EQ(Verdict("listeners: [{name: l, address: '127.0.0.1:1', filters: [http_connection: {target: HOST, filters: "
                    "[{egress_policy: {policy: web}}, forward_router]}]}]\npolicies: [{name: web}]\n"),
            "listeners[0].filters[0].http_connection.target: HOST: not in this place (l > http_connection); leave it "
            "out: the place "
            "says it\n");
}

std::string WithRule(std::string_view rule, std::string_view http = kGoodHttp, std::string_view more = "") {
  return Cat("listeners:\n- {name: l, address: '127.0.0.1:3128', filters: [http_connection: {filters: [", http,
             "]}]}\n", more, "policies: [{name: web, rules: [{name: r, ", rule, "}]}]\n");
}

// What is said of a rule that nothing can tell about, `field` of which asks for a look inside.
std::string Uninspected(std::string_view field, std::string_view way) {
  return Cat("policies[0].rules[0].", field, ": r: can be told only from inside TLS, and nothing decrypts it (", way,
             "); let a chain with mitm_terminator take what is to be inspected there, or say to: {protocols: [HTTP]} "
             "where HTTP in clear is meant\n");
}

TEST(Validate, RefusesRulesThatNeedInspectionWhereNothingDecrypts) {
  constexpr std::string_view kBuiltIn = "l > http_connection > connect_tunnel > the built-in tunnel";
  EXPECT_EQ(Verdict(WithRule("action: ALLOW, http: {methods: [GET]}")), Uninspected("http", kBuiltIn));
  EXPECT_EQ(Verdict(WithRule("action: DENY, http: {methods: [PUT]}")), Uninspected("http", kBuiltIn));
  EXPECT_EQ(Verdict(WithRule("action: ALLOW, inspection: REQUIRED")), Uninspected("inspection", kBuiltIn));
  EXPECT_EQ(Verdict(WithRule("action: ALLOW, http: {methods: [GET]}, to: {protocols: [TLS]}")),
            Uninspected("http", kBuiltIn));
  EXPECT_EQ(Verdict(WithRule("action: ALLOW, http: {methods: [GET]}, to: {protocols: [HTTP]}")), "");
  EXPECT_EQ(Verdict(WithRule("action: ALLOW, http: {methods: [GET]}, mode: AUDIT")), "");
  EXPECT_EQ(Verdict(WithRule("action: ALLOW, inspection: NEVER")), "");
  // Where no tunnel is opened, every request shows what it is.
  EXPECT_EQ(
      Verdict(WithRule("action: ALLOW, http: {methods: [GET]}", "{egress_policy: {policy: web}}, forward_router")), "");
}

// A bootstrap whose tunnels run these chains; it says of mitm_terminator what every use of it is told until it is
// built.
std::string InTunnel(std::string_view chains) {
  return WithRule("action: ALLOW, http: {methods: [GET]}",
                  "{egress_policy: {policy: web}}, {connect_tunnel: {listener: t}}, forward_router",
                  Cat("- {name: t, internal: {}, listener_filters: [tls_inspector, egress_policy], ", chains, "}\n"));
}

TEST(Validate, ABrokerStandsWhereHttpsCanCome) {
  const auto http = [](std::string_view policy, std::string_view more = "") {
    return Cat("{http_connection: {", more, "filters: [{egress_policy: ", policy,
               "}, {credential_broker: {bindings: [{secret: c, host: a.test, header: authorization, placeholder: "
               "egret-token}]}}, forward_router]}}");
  };
  const auto in_clear = [](const std::string& yaml) {
    constexpr std::string_view kSecrets =
        "secrets: [{name: s, certificate_authority: {certificate: {file: /c}, key: {file: /k}}}, {name: t, "
        "certificate: "
        "{certificate: {file: /c}, key: {file: /k}}}, {name: c, credential: {file: /t}}]\n";
    const std::string verdict = Verdict(Cat(yaml, kSecrets));
    if (verdict.empty()) return false;
    EXPECT_NE(verdict.find(Cat("credential_broker: what comes here is in clear, and no credential goes there; ",
                               kPutWhereHttpsComes)),
              std::string::npos)
        << verdict;
    return true;
  };
  EXPECT_FALSE(
      in_clear(InTunnel(Cat("filter_chains: [{filters: [{mitm_terminator: {authority: s}}, ", http("{}"), "]}]"))));
  EXPECT_TRUE(in_clear(InTunnel(Cat("filter_chains: [{filters: [", http("{}"), "]}]"))));
  const auto socket = [](const std::string& filters) {
    return Cat("listeners: [{name: l, address: '127.0.0.1:3128', filters: [", filters, "]}]\n", kPolicy);
  };
  EXPECT_TRUE(in_clear(socket(http("{policy: web}"))));
  EXPECT_FALSE(in_clear(socket(http("{policy: web}", "https_in_clear: true, "))));
  EXPECT_FALSE(in_clear(socket(Cat("{tls_terminator: {certificates: [t]}}, ", http("{policy: web}")))));
}

TEST(Validate, AChainThatInspectsHasToTakeWhatIsToBeInspected) {
  constexpr std::string_view kRelayed = "{name: r, match: {verdict: RELAY}, filters: [tcp_relay]}";
  constexpr std::string_view kInside =
      "filters: [mitm_terminator: {authority: ca}, http_connection: {filters: [egress_policy, forward_router]}]";
  const auto decrypts = [](const std::string& yaml) {
    return Verdict(yaml).find("nothing decrypts it") == std::string::npos;
  };
  const auto chain = [&](std::string_view match) {
    return Cat("filter_chains: [", kRelayed, ", {name: i, match: {", match, "}, ", kInside, "}]");
  };
  EXPECT_EQ(Verdict(InTunnel(Cat("filter_chains: [", kRelayed, "]"))),
            Uninspected("http", "l > http_connection > connect_tunnel > t"));
  EXPECT_TRUE(decrypts(InTunnel(chain("verdict: INSPECT"))));
  EXPECT_TRUE(decrypts(InTunnel(chain("protocol: TLS"))));
  EXPECT_TRUE(decrypts(InTunnel(chain("verdict: INSPECT, server_names: [a.example]"))));
  EXPECT_FALSE(decrypts(InTunnel(chain("verdict: RELAY"))));
  EXPECT_FALSE(decrypts(InTunnel(chain("verdict: INSPECT, protocol: HTTP"))));
  EXPECT_FALSE(decrypts(InTunnel(
      Cat("filter_chains: [{name: all, filters: [tcp_relay]}, {name: i, match: {verdict: INSPECT}, ", kInside, "}]"))));
}

TEST(Validate, WhatATransparentListenerJudgesHasToBeInspectedToo) {
  constexpr std::string_view kTurned =
      "listeners: [{name: l, address: '127.0.0.1:1', transparent: REDIRECT, listener_filters: [tls_inspector, "
      "{egress_policy: {policy: web}}], filters: [tcp_relay]}]\n"
      "policies: [{name: web, rules: [{name: r, action: ALLOW, http: {methods: [GET]}}]}]\n";
  EXPECT_EQ(Verdict(kTurned), Uninspected("http", "l"));
}

TEST(Validate, WantsExtAuthzAfterThePolicyThatItNarrows) {
  EXPECT_EQ(Verdict(WithHttp("{egress_policy: {policy: web}}, {ext_authz: {address: 'localhost:1', credential_headers: "
                             "[Authorization, cookie]}}, connect_tunnel, forward_router")),
            "");
  constexpr std::string_view kAt = "listeners[0].filters[0].http_connection.filters[0].ext_authz";
  EXPECT_EQ(
      Verdict(WithHttp("{ext_authz: {address: 'localhost:1', timeout: 1ms, credential_headers: [host], max_calls: "
                       "0, tls: {ocsp: REQUIRE_STAPLE}}}, {egress_policy: {policy: web}}, connect_tunnel, "
                       "forward_router")),
      Cat(kAt, ": it only narrows what egress_policy, before it, has let through; put egress_policy before it\n", kAt,
          ".timeout: 1ms: out of bounds; from 10ms to 10s\n", kAt,
          ".credential_headers[0]: host: not a header that is kept back; name e.g. authorization or cookie; others are "
          "told anyway\n",
          kAt, ".max_calls: 0: out of bounds; from 1 to 100000\n", kAt,
          ".tls.ocsp: REQUIRE_STAPLE: staples of the service are not looked at; leave it out\n"));
}

TEST(Validate, TakesKeysFromASecretOrOverHttps) {
  constexpr std::string_view kAt = "listeners[0].filters[0].http_connection.filters[0].proxy_auth.methods[0].jwt";
  const auto with = [](std::string_view keys) {
    return Verdict(WithHttp(Cat("{proxy_auth: {methods: [{jwt: {issuer: i, audiences: [a]", keys,
                                "}}]}}, {egress_policy: {policy: web}}, connect_tunnel, forward_router"),
                            "secrets: [{name: k, jwks: {file: /k}}]\n"));
  };
  const auto fetched = [&](std::string_view url) { return with(Cat(", jwks_url: {url: '", url, "'}")); };
  EXPECT_EQ(with(", jwks: k"), "");
  EXPECT_EQ(with(""), Cat(kAt, ": no keys to check tokens by; give jwks, the name of a secret, or jwks_url\n"));
  EXPECT_EQ(with(", jwks: k, jwks_url: {url: 'https://a.example', reaches_private: [10.0.0.1/8]}"),
            Cat(kAt, ".jwks: the keys come from jwks_url; keep one of them\n", kAt,
                ".jwks_url.reaches_private[0]: 10.0.0.1/8: not a range of addresses; write e.g. 10.0.0.0/8 or "
                "2001:db8::/32, with no bit set beyond the prefix\n"));
  EXPECT_EQ(with(", jwks_url: {}"), Cat(kAt, ".jwks_url.url: required; give it a value\n"));
  for (const std::string_view good : {"https://issuer.example", "https://10.0.0.1:6443/openid/v1/jwks",
                                      "https://[2001:db8::1]/k?p=1", "https://Issuer.Example?p=1"})
    EXPECT_EQ(fetched(good), "") << good;
  const auto error = [&](std::string_view url, std::string_view why) {
    EXPECT_EQ(fetched(url),
              Cat(kAt, ".jwks_url.url: ", url, ": ", why, "; write e.g. https://issuer.example/keys.json\n"));
  };
  error("http://issuer.example/keys", "not an https:// URL; keys that came in clear would be anybody's");
  error("https://user@issuer.example/keys", "no host name or address where it belongs");
  error("https:///keys", "no host name or address where it belongs");
  error("https://issuer.example:0/keys", "no host name or address where it belongs");
  error("https://issuer.example/keys#one", "a fragment, or what a URL must write as %XX");
}

TEST(Validate, WantsProxyAuthWhereClientsCanBeAskedAndBeforeWhatGoesByIt) {
  constexpr std::string_view kUsers = "secrets: [{name: u, htpasswd: {file: /u}}]\n";
  const auto with = [&](std::string_view filters) { return Verdict(WithHttp(filters, kUsers)); };
  EXPECT_EQ(
      with("{proxy_auth: {methods: [{basic: {users: u}}], realm: 'a b'}}, {rate_limit: {per: IDENTITY, tunnels: 1}}, "
           "{egress_policy: {policy: web}}, connect_tunnel, forward_router"),
      "");
  EXPECT_EQ(
      with("{rate_limit: {per: IDENTITY, tunnels: 1}}, {egress_policy: {policy: web}}, {proxy_auth: {realm: 'a\"'}}, "
           "connect_tunnel, forward_router"),
      "listeners[0].filters[0].http_connection.filters[0].rate_limit.per: nothing before it finds out who asks; put "
      "proxy_auth before it\n"
      "listeners[0].filters[0].http_connection.filters[2].proxy_auth: egress_policy before it has decided without "
      "knowing who asks; put it before egress_policy\n"
      "listeners[0].filters[0].http_connection.filters[2].proxy_auth.methods: required; give at least one\n"
      "listeners[0].filters[0].http_connection.filters[2].proxy_auth.realm: not printable ASCII without quotes and "
      "backslashes; write for example \"egress\"\n");
  EXPECT_EQ(
      with("{proxy_auth: {methods: [{client_certificate: {uri_prefixes: ['spiffe://a']}}]}}, {proxy_auth: {methods: "
           "[{basic: {users: v}}]}}, {egress_policy: {policy: web}}, connect_tunnel, forward_router"),
      "listeners[0].filters[0].http_connection.filters[0].proxy_auth.methods[0].client_certificate: nobody is asked "
      "for a certificate here; put a tls_terminator with client_certificates first in this chain\n"
      "listeners[0].filters[0].http_connection.filters[1].proxy_auth: another one before it has found out who asks; "
      "keep one, with all methods\n"
      "listeners[0].filters[0].http_connection.filters[1].proxy_auth.methods[0].basic.users: v: no secret of this "
      "name; did you mean u?\n");
}

TEST(Validate, WantsEachAddressToHaveOneOwner) {
  EXPECT_EQ(
      Verdict(With("workload_sets: [{name: w, workloads: [{addresses: ['10.0.0.1', '::1'], namespace: a}, {addresses: "
                   "['10.0.0.2'], namespace: b, service_account: c, labels: {app: x}, groups: [g]}]}]\n")),
      "");
  EXPECT_EQ(
      Verdict(With("workload_sets: [{name: w, workloads: [{addresses: ['10.0.0.1', '10.0.0.0/8']}, {addresses: "
                   "['::ffff:10.0.0.1'], service_account: c}, {}]}]\n")),
      "workload_sets[0].workloads[0].addresses[1]: 10.0.0.0/8: not an address; write e.g. 10.0.0.7 or 2001:db8::7\n"
      "workload_sets[0].workloads[1].addresses[0]: it is there before, at workload_sets[0].workloads[0].addresses[0]; "
      "keep "
      "one of them\n"
      "workload_sets[0].workloads[1].service_account: a service account is one of a namespace; give its namespace\n"
      "workload_sets[0].workloads[2].addresses: required; give at least one\n");
}

TEST(Validate, WarnsOfRulesAboutWhoAsksWhereNothingFindsItOut) {
  EXPECT_EQ(Verdict(WithRule("action: DENY, from: {groups: [ci]}")),
            "policies[0].rules[0].from: warning: no filter finds out who asks, so this rule never matches; put "
            "proxy_auth before egress_policy, or name clients by from: {cidrs: [...]}\n");
}

TEST(Validate, TellsOfAMalformedFingerprintByItsForm) {
  EXPECT_EQ(Verdict(WithRule("action: DENY, from: {ja3: [x], ja4: [t13d1516h2]}")),
            "policies[0].rules[0].from.ja3[0]: x: not a JA3 fingerprint; write its 32 hex digits in lower case, e.g. "
            "ada70206e40642a3e4461f35503241d5\n"
            "policies[0].rules[0].from.ja4[0]: t13d1516h2: not a JA4 fingerprint of TLS over TCP; write for example "
            "t13d1516h2_8daaf6152771_e5627efa2ab1\n");
  EXPECT_EQ(Verdict(With("access_log: [{file: {path: /a}, format: TEXT, fingerprints: true}]\n")),
            "access_log[0].fingerprints: the format is TEXT; write %TLS_JA4_FINGERPRINT% into text_format instead\n");
}

// The words are the policy compiler's.
TEST(Validate, TellsWhatIsWrongInsidePoliciesToo) {
  const BootstrapFile file = ReadBootstrapText(
      With("domain_sets: [{name: d, domains: ['a.example', 'http://b.example'], includes: [nowhere]}]\n"
           "address_guard: {also_refuse: [10.0.0.0/8, 10.0.0.1/8]}\n"),
      "e", Format::kYaml);
  std::vector<std::string> fields;
  for (const ConfigError& error : file.errors) fields.push_back(Cat(error.line, " ", error.field));
  EXPECT_EQ(fields, (std::vector<std::string>{"3 domain_sets[0].domains[1]", "3 domain_sets[0].includes[0]",
                                              "4 address_guard.also_refuse[1]"}));
}

TEST(Validate, TellsLinesOfADomainSetsFile) {
  const std::string path = Cat(testing::TempDir(), "/domains.txt");
  FILE* file = fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  fputs("# paste sites\n\n.pastebin.com # all of it\r\n  ghostbin.co\nhttp://no.example\n", file);
  fclose(file);
  const std::string verdict = Verdict(With(Cat("domain_sets: [{name: d, file: {path: ", path, "}}]\n")));
  EXPECT_EQ(verdict.substr(0, path.size() + 26), path + ":5:1 domain_sets[0].file: ");
  EXPECT_EQ(Verdict(With("domain_sets: [{name: d, file: {path: /nowhere}}, {name: e, file: {path: names}}]\n")),
            "domain_sets[0].file.path: /nowhere: cannot be read: No such file or directory; check the path\n"
            "domain_sets[1].file.path: names: not an absolute path; begin it with /\n");
}

TEST(Validate, X28_TellsAnUnreadableBootstrapInOneLine) {
  EXPECT_EQ(ToString(ReadBootstrap("/nowhere/egret.yaml").errors),
            "/nowhere/egret.yaml: cannot be read: No such file or directory; check the path\n");
  EXPECT_EQ(ToString(ReadBootstrap("/").errors), "/: cannot be read: Is a directory\n");
}

TEST(Validate, SeesAPushedMessageAsItIs) {
  config::v1::Bootstrap bootstrap;
  bootstrap.add_listeners()->set_name("l");
  bootstrap.add_policies()->set_otherwise(static_cast<config::v1::EgressPolicy::Otherwise>(9));
  bootstrap.GetReflection()->MutableUnknownFields(&bootstrap)->AddVarint(1000, 1);
  EXPECT_EQ(ToString(Validate(bootstrap)),
            "a field that this release does not know; update the proxy, or leave the field out\n"
            "listeners[0]: no ingress; give exactly one of address, internal\n"
            "policies[0].otherwise: a value that this release does not know; there are DENY, ABSTAIN\n");
}

TEST(Validate, WantsTheOwnersOfAddressesWhereNobodyCanBeAsked) {
  constexpr std::string_view kWho = "{source_identity: {workloads: pods}}", kJudge = "{egress_policy: {policy: web}}";
  const auto with = [](std::string_view transparent, std::string_view looks, std::string_view chain) {
    return Verdict(Cat("listeners: [{name: l, address: '127.0.0.1:1', ", transparent, "listener_filters: [", looks,
                       "], filters: [", chain, "]}]\nworkload_sets: [{name: pods}]\n", kPolicy));
  };
  const auto http = [](std::string_view filters) {
    return Cat("{http_connection: {target: HOST, filters: [", filters, "forward_router]}}");
  };
  constexpr std::string_view kTurned = "transparent: REDIRECT, ", kAt = "listeners[0].listener_filters[";
  const std::string looks = Cat(kWho, ", tls_inspector, ", kJudge);
  EXPECT_EQ(with(kTurned, looks, http("egress_policy, {rate_limit: {per: IDENTITY, tunnels: 1}}, ")), "");
  EXPECT_EQ(
      with(kTurned, Cat("tls_inspector, ", kJudge, ", ", kWho), http("egress_policy, ")),
      Cat(kAt, "2]: egress_policy before it has decided without knowing who asks; put it before egress_policy\n"));
  EXPECT_EQ(with(kTurned, Cat("tls_inspector, ", kJudge), Cat(kWho, ", ", http("egress_policy, "))),
            "listeners[0].filters[0]: it is decided before a chain is chosen; put it into listener_filters, before "
            "egress_policy\n");
  EXPECT_EQ(with("", kWho, Cat("{http_connection: {filters: [", kGoodHttp, "]}}")),
            Cat(kAt,
                "0]: only clients of a transparent listener cannot be asked; use proxy_auth with the method "
                "source_address, in front of egress_policy\n"));
  EXPECT_EQ(with(kTurned, "{source_identity: {workloads: hosts}}, tls_inspector, {egress_policy: {policy: web}}",
                 http("egress_policy, ")),
            Cat(kAt, "0].source_identity.workloads: hosts: no workload set of this name; there are pods\n"));
  EXPECT_EQ(
      with(kTurned, looks, http("{proxy_auth: {methods: [{source_address: {workloads: pods}}]}}, egress_policy, ")),
      "listeners[0].filters[0].http_connection.filters[0].proxy_auth: clients that are redirected here do not know "
      "of a proxy that could ask them; put source_identity into listener_filters, before egress_policy\n");
}

TEST(Validate, WantsTheProxyProtocolWhereItCanBeHeard) {
  const auto with = [](std::string_view listener) {
    return Verdict(Cat("listeners: [{name: l, ", listener, "}]\n", kPolicy));
  };
  const std::string http = Cat("http_connection: {filters: [", kGoodHttp, "]}");
  EXPECT_EQ(with(Cat("address: '127.0.0.1:3128', listener_filters: [{proxy_protocol: {trusted_cidrs: [10.0.0.0/8]}}], "
                     "filters: [{",
                     http, "}]")),
            "");
  EXPECT_EQ(with(Cat("address: '127.0.0.1:3128', listener_filters: [{proxy_protocol: {}}], filters: [{", http, "}]")),
            "listeners[0].listener_filters[0].proxy_protocol.trusted_cidrs: required; give at least one\n");
  EXPECT_EQ(with(Cat("address: '127.0.0.1:3128', listener_filters: [{proxy_protocol: {trusted_cidrs: [nowhere]}}], "
                     "filters: [{",
                     http, "}]"))
                .substr(0, 64),
            "listeners[0].listener_filters[0].proxy_protocol.trusted_cidrs[0]");
  EXPECT_EQ(with(Cat("address: '127.0.0.1:3128', listener_filters: [tls_inspector, {proxy_protocol: {trusted_cidrs: "
                     "[10.0.0.0/8]}}], filters: [{",
                     http, "}]")),
            "listeners[0].listener_filters[1]: the header comes before all else; put proxy_protocol first\n");
  EXPECT_EQ(
      with(Cat("address: '127.0.0.1:3128', filters: [{proxy_protocol: {trusted_cidrs: [10.0.0.0/8]}}, {", http, "}]")),
      "listeners[0].filters[0]: a chain is chosen by the address that it tells; put it into listener_filters\n");
}

TEST(Validate, WantsAProxysClientsToNameADestinationBeforeItIsJudged) {
  const std::string http =
      Cat("{http_connection: {filters: [egress_policy, connect_tunnel, forward_router]}}]}]\n", kPolicy);
  constexpr std::string_view kSaid =
      "egress_policy: clients of a proxy have named no destination yet (l > egress_policy): every connection would be "
      "refused; put it into http_connection's filters, where each request names one\n";
  EXPECT_EQ(
      Verdict(Cat("listeners: [{name: l, address: '127.0.0.1:1', filters: [{egress_policy: {policy: web}}, ", http)),
      Cat("listeners[0].filters[0].", kSaid));
  EXPECT_EQ(Verdict(Cat("listeners: [{name: l, address: '127.0.0.1:1', listener_filters: [tls_inspector, "
                        "{egress_policy: {policy: web}}], filters: [",
                        http)),
            Cat("listeners[0].listener_filters[1].", kSaid));
}

TEST(Validate, TellsWhatKeepsAChainFromDecrypting) {
  const auto with = [](std::string_view terminator, std::string_view end =
                                                        "http_connection: {filters: [egress_policy, "
                                                        "forward_router]}") {
    return Verdict(
        Cat("listeners: [{name: l, address: '127.0.0.1:1', filters: [{http_connection: {filters: "
            "[{egress_policy: {policy: web}}, {connect_tunnel: {listener: t}}, forward_router]}}]}, {name: t, "
            "internal: {}, listener_filters: [tls_inspector, egress_policy], filters: [{mitm_terminator: {",
            terminator, "}}, {", end, "}]}]\n", kPolicy,
            "secrets: [{name: ca, certificate_authority: {certificate: {file: /ca}, key: {file: /key}}}, "
            "{name: pair, certificate: {certificate: {file: /c}, key: {file: /k}}}]\n"));
  };
  const std::string at = "listeners[1].filters[0].mitm_terminator.";
  EXPECT_EQ(with("authority: ca"), "");
  EXPECT_EQ(with("authority: ca, origin: LAZY, on_origin_failure: ERROR_PAGE, destinations: [{domains: [.a.test], "
                 "unverified: true}]"),
            "");
  EXPECT_EQ(with(""), at +
                          "authority: no CA to sign what clients are shown; make one with `egretctl ca init`, and name "
                          "its secret\n");
  EXPECT_EQ(with("authority: nobody").substr(0, at.size() + 9), at + "authority");
  EXPECT_EQ(with("authority: pair"), at + "authority: pair: the secret of this name is another kind; name one with "
                                          "`certificate_authority`\n");
  EXPECT_EQ(with("authority: ca, origin: LAZY, on_origin_failure: UNTRUSTED_LEAF"),
            at + "on_origin_failure: UNTRUSTED_LEAF: with origin: LAZY the client has its certificate before the "
                 "destination is asked; write origin: EAGER\n");
  EXPECT_EQ(with("authority: ca, tls: {server_name: a.test}"),
            at + "tls.server_name: a.test: each destination's certificate has to be for the destination's own name; "
                 "leave it out\n");
  EXPECT_EQ(with("authority: ca, destinations: [{tls: {}}]"), at + "destinations[0].domains: required; give at least "
                                                                   "one\n");
  EXPECT_NE(with("authority: ca, destinations: [{domains: ['a*.test']}]")
                .find("destinations[0].domains[0]: a*.test: not "
                      "a name"),
            std::string::npos);
  EXPECT_EQ(with("authority: ca", "tcp_relay: {}"),
            "listeners[1].filters[1]: what was decrypted would leave in clear, and unread; end the chain in "
            "http_connection\n");
  EXPECT_EQ(
      with("authority: ca", "http_connection: {filters: [egress_policy, {forward_router: {tls: {}}}]}"),
      "listeners[1].filters[1].http_connection.filters[1].forward_router.tls: behind mitm_terminator its TLS holds "
      "for every connection to the destination; move it to mitm_terminator\n");
}

TEST(Validate, WantsATransparentListenerToLookBeforeItDecides) {
  const auto with = [](std::string_view listener, std::string_view more = "") {
    return Verdict(Cat("listeners: [{name: l, ", listener, "}]\n", kPolicy, more));
  };
  constexpr std::string_view kRelay = "filters: [tcp_relay]";
  constexpr std::string_view kLooks = "listener_filters: [tls_inspector, {egress_policy: {policy: web}}]";
  constexpr std::string_view kHost =
      "filters: [{http_connection: {target: HOST, filters: [egress_policy: {}, forward_router: {}]}}]";
  const std::string redirect = Cat("address: '0.0.0.0:15001', transparent: REDIRECT, ", kLooks, ", ");
  EXPECT_EQ(with(Cat(redirect, kRelay)), "");
  EXPECT_EQ(with(Cat(redirect, "destination: ORIGINAL_IF_RESOLVED, ", kRelay)), "");
  EXPECT_EQ(with(Cat(redirect, kHost)), "");
  EXPECT_EQ(
      with(Cat("address: '0.0.0.0:15001', transparent: TPROXY, listener_filters: [{egress_policy: {policy: web}}, "
               "tls_inspector], ",
               kRelay)),
      "listeners[0].listener_filters: a transparent listener decides on what a connection begins with, before a "
      "chain is chosen; put tls_inspector and, after it, egress_policy into listener_filters\n");
  EXPECT_EQ(
      with(Cat("address: 'unix:/run/egret.sock', transparent: REDIRECT, ", kLooks, ", ", kRelay)),
      "listeners[0].transparent: REDIRECT: only connections to an IP address are redirected; give the listener an "
      "address and port\n");
  EXPECT_EQ(Verdict(WithHttp(kGoodHttp)), "");
  EXPECT_EQ(with(Cat("address: '127.0.0.1:3128', destination: ORIGINAL_IF_RESOLVED, filters: [{http_connection: "
                     "{filters: [",
                     kGoodHttp, "]}}]")),
            "listeners[0].destination: ORIGINAL_IF_RESOLVED: this listener is not transparent: a client of a proxy "
            "names its destination; leave it out, or give transparent\n");
  constexpr std::string_view kParent =
      "upstreams: [{name: parent, http_proxy: {address: 'parent.test:3128'}, resolve: REMOTE}]\n";
  EXPECT_EQ(
      with(Cat("address: '127.0.0.1:3128', upstream: parent, filters: [{http_connection: {filters: [", kGoodHttp,
               "]}}]"),
           kParent),
      "listeners[0].upstream: parent: this listener is not transparent: its filters know the way out; write it into "
      "connect_tunnel and forward_router, or give transparent\n");
  EXPECT_EQ(with(Cat(redirect, "upstream: parent, ", kRelay), kParent), "");
  EXPECT_EQ(
      with(Cat(redirect, "upstream: parent, destination: ORIGINAL_IF_RESOLVED, ", kRelay), kParent),
      "listeners[0].upstream: parent: this parent resolves names, so nobody knows what it dials; give it resolve: "
      "LOCAL, or leave destination out\n");
  EXPECT_NE(with(Cat("address: '127.0.0.1:3128', ", kLooks, ", ", kHost)).find("not in this place"), std::string::npos);
}

}  // namespace
}  // namespace egret
