// What may hold a secret is not shown, wherever it stands.
#include "source/config/redact.h"

#include <gtest/gtest.h>

#include <string>

#include "source/base/strings.h"
#include "source/config/bootstrap_file.h"
#include "source/config/canonical.h"

namespace egret {
namespace {

constexpr char kChain[] =
    "http_connection: {filters: [{egress_policy: {policy: web}}, {header_rewrite: {request: [{set: {name: x-api-key, "
    "value: canary1}}, {append: {name: x-team, value: canary2}}, {remove: x-trace}], response: [{set: {name: x-r, "
    "value: canary3}}]}}, {body_rewrite: {response: [{replace: {text: canary5, with: canary6}}, {replace: {pattern: "
    "canary7}}, {insert: {at: END, text: canary8}}]}}, forward_router]}";

TEST(Redact, S01_WhatMayBeASecretIsNotShown) {
  const BootstrapFile file = ReadBootstrapText(
      Cat("listeners: [{name: a, address: '127.0.0.1:1', filters: [", kChain,
          "]},\n  {name: b, address: '127.0.0.1:2', filter_chains: [{filters: [", kChain,
          "]}]}]\npolicies: [{name: web}]\nsecrets: [{name: s, credential: {inline_string: 'u:canary4'}}]\n"),
      "e", Format::kYaml);
  EXPECT_EQ(ToString(file.errors), "");
  const std::string shown = ToCanonicalJson(Redacted(file.bootstrap));
  EXPECT_EQ(shown.find("canary"), shown.npos) << shown;
  for (const char* told : {"x-api-key", "x-team", "x-trace", "x-r", "\"***\"", "\"s\""})
    EXPECT_NE(shown.find(told), shown.npos) << told << " in " << shown;
  EXPECT_EQ(file.bootstrap.secrets(0).credential().inline_string(), "u:canary4");
}

}  // namespace
}  // namespace egret
