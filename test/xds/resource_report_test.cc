#include "source/xds/resource_report.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace egret {
namespace {

using Told = control::v1::ResourceStatus;

ResourceStatus Resource(const std::string& name, const std::string& version,
                        ResourceState state = ResourceState::kInForce) {
  return {.type_url = "T", .name = name, .version_received = version, .version_in_force = "1", .state = state};
}

std::string NamesIn(const std::vector<control::v1::Report>& reports) {
  std::string names;
  for (const auto& report : reports)
    for (const Told& told : report.resources()) names += told.name() + " " + Told::State_Name(told.state()) + ";";
  return names;
}

TEST(ResourceReport, SaysAllAtFirstAndThenWhatIsNew) {
  ResourceReport report;
  std::vector<ResourceStatus> resources = {Resource("a", "1"), Resource("b", "1")};
  EXPECT_EQ(NamesIn(report.Next(resources)), "a IN_FORCE;b IN_FORCE;");
  EXPECT_EQ(NamesIn(report.Next(resources)), "");
  resources[1] = Resource("b", "2", ResourceState::kParked);
  EXPECT_EQ(NamesIn(report.Next(resources)), "b PARKED;");
  report.Begin();
  EXPECT_EQ(NamesIn(report.Next(resources)), "a IN_FORCE;b PARKED;");
}

TEST(ResourceReport, SaysWhatIsGone) {
  ResourceReport report;
  (void)report.Next({Resource("a", "1"), Resource("b", "1")});
  EXPECT_EQ(NamesIn(report.Next({Resource("b", "1")})), "a REMOVED;");
  EXPECT_EQ(NamesIn(report.Next({Resource("b", "1")})), "");
}

TEST(ResourceReport, SaysWhyAndWhatToDo) {
  ResourceReport report;
  ResourceStatus bad = Resource("a", "2", ResourceState::kParked);
  bad.errors = {{.field = "rules[0].to", .value = "x", .why = "no good", .remedy = "mend it"},
                {.why = "only odd", .severity = ConfigError::Severity::kWarning}};
  const auto reports = report.Next({bad});
  const Told& told = reports.front().resources(0);
  ASSERT_EQ(told.errors_size(), 1);
  EXPECT_EQ(told.errors(0).type_url() + told.errors(0).name() + told.errors(0).version(), "Ta2");
  EXPECT_EQ(told.errors(0).field(), "rules[0].to");
  EXPECT_EQ(told.errors(0).value(), "x");
  EXPECT_EQ(told.errors(0).reason(), "no good");
  EXPECT_EQ(told.errors(0).remedy(), "mend it");
}

TEST(ResourceReport, WhatCameTogetherWithTheBadOneHasNoReasonOfItsOwn) {
  ResourceReport report;
  ResourceStatus beside = Resource("a", "2", ResourceState::kParked);
  beside.errors = {{.why = "came together with b, which is refused"}};
  beside.beside = true;
  EXPECT_EQ(report.Next({beside}).front().resources(0).errors_size(), 0);
}

TEST(ResourceReport, ManyGoIntoSeveralReports) {
  ResourceReport report;
  std::vector<ResourceStatus> resources;
  for (int i = 0; i < ResourceReport::kMostInOne + 1; ++i) resources.push_back(Resource(std::to_string(i), "1"));
  const auto reports = report.Next(resources);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].resources_size(), ResourceReport::kMostInOne);
  EXPECT_EQ(reports[1].resources_size(), 1);
}

}  // namespace
}  // namespace egret
