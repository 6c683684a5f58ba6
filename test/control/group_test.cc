#include "source/control/group.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "source/control/library.h"
#include "test/xds/folder.h"
#include "test/xds/push.h"

namespace egret {
namespace {

namespace fs = std::filesystem;

class Groups : public testing::Test {
 protected:
  Groups() {
    for (const char* name : {"common", "web", "bootstraps"}) fs::create_directory(folder.At(name));
  }
  void WriteListener() { folder.Write("web/listener.yaml", Cat("listeners:\n- ", ListenerYaml("l", 1, "p"), "\n")); }
  void WritePolicy(std::string_view domains = "a.example") {
    folder.Write("common/policy.yaml", Cat("policies:\n- ", PolicyYaml("p", domains), "\n"));
  }
  // "" where there are none.
  std::string Errors(std::string_view bootstrap = "") {
    if (!bootstrap.empty()) folder.Write("bootstraps/web.yaml", bootstrap);
    const GroupConfig config = ReadGroup({.folders = {folder.At("common"), folder.At("web")},
                                          .bootstrap = bootstrap.empty() ? "" : folder.At("bootstraps/web.yaml")});
    std::string out;
    for (ConfigError error : config.errors) {
      if (error.file.starts_with(folder.path)) error.file = error.file.substr(folder.path.size() + 1);
      Append(out, error.ToString(), "\n");
    }
    EXPECT_EQ(config.bodies.empty(), !out.empty());
    return out;
  }

  Folder folder;
};

TEST_F(Groups, AreOfTheirOwnFilesAndTheCommonOnes) {
  WriteListener();
  WritePolicy();
  EXPECT_EQ(Errors(), "");
}

TEST_F(Groups, MayBeOfPoliciesAlone) {
  WritePolicy();
  EXPECT_EQ(Errors(), "");  // whatever its proxies' own files hold
  EXPECT_EQ(Errors("xds: {servers: [{address: 'a.example:1'}]}\n"), "");
}

TEST_F(Groups, EveryNameMustBeThere) {
  WriteListener();
  const std::string errors = Errors();
  EXPECT_TRUE(errors.starts_with("web/listener.yaml:2:")) << errors;
  EXPECT_NE(errors.find("egress_policy.policies[0]: p: no policy of this name"), std::string::npos) << errors;
  EXPECT_EQ(Errors("xds: {servers: [{address: 'a.example:1'}]}\npolicies: [{name: p}]\n"), "");
}

TEST_F(Groups, ANameOfTheBootstrapIsItsOwn) {
  WriteListener();
  WritePolicy();
  const std::string errors = Errors("xds: {servers: [{address: 'a.example:1'}]}\npolicies: [{name: p}]\n");
  EXPECT_NE(errors.find("the bootstrap has one of this name"), std::string::npos) << errors;
}

TEST_F(Groups, WhatTheBootstrapHasAgainstItselfIsNotTheGroups) {
  WriteListener();
  WritePolicy();
  EXPECT_EQ(Errors("domain_sets: [{name: d, file: {path: /nowhere/to/be/found}}]\n"), "");
}

TEST_F(Groups, WhatProxiesWouldRefuseOfAPushIsRefusedHere) {
  WriteListener();
  WritePolicy();
  folder.Write("names", "a.example\n");
  folder.Write("web/set.yaml", Cat("domain_sets:\n- {name: d, file: {path: ", folder.At("names"), "}}\n"));
  EXPECT_NE(Errors().find("web/set.yaml:2:"), std::string::npos);
  EXPECT_NE(Errors().find("xds.file_roots"), std::string::npos);
  EXPECT_EQ(Errors(Cat("xds: {servers: [{address: 'a.example:1'}], file_roots: [", folder.path, "]}\n")), "");
}

TEST_F(Groups, TheLibraryKeepsTheLastGood) {
  WriteListener();
  WritePolicy();
  fs::create_directory(folder.At("broken"));
  folder.Write("broken/x.yaml", "listeners: [{}]\n");
  fs::remove_all(folder.At("bootstraps"));
  Hub hub;
  Library library(folder.path, "", hub);
  library.Look();
  auto groups = hub.Look();
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups["broken"].publication, nullptr);
  EXPECT_FALSE(groups["broken"].errors.empty());
  const PublicationPtr good = groups["web"].publication;
  ASSERT_NE(good, nullptr);

  WritePolicy("'*.*'");
  library.Look();  // it has changed ...
  library.Look();  // ... and is at rest
  groups = hub.Look();
  EXPECT_EQ(groups["web"].publication, good);
  EXPECT_FALSE(groups["web"].errors.empty());
  EXPECT_EQ(groups["web"].refused, 1u);

  WritePolicy("b.example");
  library.Look();
  library.Look();
  groups = hub.Look();
  EXPECT_NE(groups["web"].publication, good);
  EXPECT_TRUE(groups["web"].errors.empty());

  fs::remove_all(folder.At("web"));
  library.Look();
  EXPECT_NE(hub.Look()["web"].publication, nullptr);
}

}  // namespace
}  // namespace egret
