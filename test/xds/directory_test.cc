#include "source/xds/directory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "test/xds/folder.h"
#include "test/xds/push.h"

namespace egret {
namespace {

namespace fs = std::filesystem;
using enum ResourceType;

class Directory : public testing::Test {
 protected:
  std::string Names() const {
    const DirectorySet set = ReadDirectory(folder.path, own);
    std::string out;
    for (const auto& [key, body] : set.bodies) Append(out, out.empty() ? "" : ", ", ToString(key));
    return set.errors.empty() ? out : "";
  }
  std::string Errors() const {
    std::string out;
    for (ConfigError error : ReadDirectory(folder.path, own).errors) {
      error.file = error.file.substr(folder.path.size());
      Append(out, error.ToString(), "\n");
    }
    return out;
  }

  Folder folder;
  Bodies own;
};

TEST_F(Directory, TakesTheResourcesOfAllFilesTogether) {
  folder.Write("b.yaml", Cat("listeners:\n- ", ListenerYaml("l", 1, "p")));
  folder.Write("a.json", R"({"policies": [{"name": "p"}], "domain_sets": [{"name": "d", "domains": ["x.example"]}]})");
  folder.Write(".hidden.yaml", "not: read");
  folder.Write("README", "not: read");
  EXPECT_EQ(Names(), "Listener l, EgressPolicy p, DomainSet d");
}

TEST_F(Directory, SaysWhereWhatIsWrong) {
  folder.Write("a.yaml",
               "policies:\n- name: p\n  rules:\n  - {name: r, action: ALLOW, to: {cidrs: [10.0.0.0/33]}}\n- name: p\n");
  EXPECT_EQ(Errors(), Cat("/a.yaml:5:9 policies[1].name: p: there is one of this name in ", folder.path,
                          "/a.yaml; rename one of them\n"));
  folder.Write("a.yaml", "policies:\n- name: p\n  rules:\n  - {name: r, action: ALLOW, to: {cidrs: [10.0.0.0/33]}}\n");
  folder.Write("b.yaml", "workers: 2\n");
  const std::string errors = Errors();
  EXPECT_TRUE(errors.starts_with("/b.yaml:1:1 workers: ")) << errors;
  fs::remove(folder.At("b.yaml"));
  EXPECT_EQ(Errors(),
            "/a.yaml:4:43 policies[0].rules[0].to.cidrs[0]: 10.0.0.0/33: not an address range; write for example "
            "\"10.0.0.0/8\" or \"2001:db8::/32\"\n");
}

TEST_F(Directory, LeavesTheBootstrapItsNames) {
  own = OwnBodies(*BootstrapOf("policies: [{name: p}]"));
  folder.Write("a.yaml", "policies:\n- name: p\n");
  EXPECT_EQ(Errors(),
            "/a.yaml:2:9 policies[0].name: p: the bootstrap has one of this name, and it stays; choose another name\n");
}

TEST_F(Directory, IsNotEmptyBecauseAMountIsGone) {
  EXPECT_EQ(Errors(), "no resource file in it; put in at least one, e.g. egress.yaml\n");
  folder.Write("a.yaml", "");
  EXPECT_NE(Errors(), "");
  EXPECT_FALSE(ReadDirectory(folder.At("absent"), {}).errors.empty());
}

// What Kubernetes does with a mounted ConfigMap: a new folder, and one link that is swung over to it.
TEST_F(Directory, SeesAMountThatIsSwungOver) {
  const auto version = [&](std::string_view name, std::string_view policy) {
    fs::create_directory(folder.At(name));
    folder.Write(Cat(name, "/egress.yaml"), Cat("policies: [{name: ", policy, "}]\n"));
    fs::create_directory_symlink(name, folder.At("..new"));
    fs::rename(folder.At("..new"), folder.At("..data"));
  };
  version("..1", "first");
  fs::create_symlink("..data/egress.yaml", folder.At("egress.yaml"));
  DirectoryWatch watch(folder.path);
  EXPECT_TRUE(watch.Look());
  EXPECT_FALSE(watch.Look());
  EXPECT_EQ(Names(), "EgressPolicy first");
  version("..2", "second");
  EXPECT_FALSE(watch.Look());  // once it has come to rest
  EXPECT_TRUE(watch.Look());
  EXPECT_FALSE(watch.Look());
  EXPECT_EQ(Names(), "EgressPolicy second");
}

TEST_F(Directory, ReadsOnceThoughAFileIsWrittenInPieces) {
  folder.Write("a.yaml", "policies: []\n");
  DirectoryWatch watch(folder.path);
  EXPECT_TRUE(watch.Look());
  std::string text = "policies:";
  for (int i = 0; i < 5; ++i) {
    text += " ";
    folder.Write("a.yaml", text);
    EXPECT_FALSE(watch.Look());
  }
  EXPECT_TRUE(watch.Look());
  fs::rename(folder.At("a.yaml"), folder.At("b.yaml"));
  EXPECT_FALSE(watch.Look());
  EXPECT_TRUE(watch.Look());
  fs::remove(folder.At("b.yaml"));
  EXPECT_FALSE(watch.Look());
  EXPECT_TRUE(watch.Look());
  EXPECT_FALSE(watch.Look());
}

}  // namespace
}  // namespace egret
