#include "source/xds/last_good.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "test/xds/folder.h"
#include "test/xds/push.h"

namespace egret {
namespace {

using enum ResourceType;
using std::chrono::hours;

class LastGoodFile : public testing::Test {
 protected:
  static Bodies Set() {
    Bodies bodies;
    for (const BodyPtr& body :
         {BodyOf(kListener, ListenerYaml("l", 1, "p"), "7"), BodyOf(kEgressPolicy, PolicyYaml("p"), "8"),
          BodyOf(kSecret, "{name: s, credential: {inline_string: the-password}}")})
      bodies[body->key] = body;
    return bodies;
  }
  std::string Problem(const ReadRules& rules = {}) const {
    const auto loaded = kept.Load(rules, now);
    return loaded ? "" : loaded.error().text.substr(folder.path.size());
  }

  Folder folder;
  LastGood kept{folder.path, hours(24)};
  LastGood::Time now = std::chrono::system_clock::now();
};

TEST_F(LastGoodFile, GivesBackWhatWasSavedButForSecrets) {
  ASSERT_FALSE(kept.Save(Set(), now));
  const auto loaded = kept.Load({}, now + hours(23));
  ASSERT_TRUE(loaded) << loaded.error().text;
  ASSERT_EQ(loaded->size(), 2u);
  EXPECT_EQ(loaded->at({kListener, "l"})->version, "7");
  EXPECT_EQ(loaded->at({kListener, "l"})->references, (std::vector<ResourceKey>{{kEgressPolicy, "p"}}));
  EXPECT_EQ(loaded->at({kEgressPolicy, "p"})->message->SerializeAsString(),
            Set().at({kEgressPolicy, "p"})->message->SerializeAsString());
  EXPECT_EQ(folder.Read("last-good").find("the-password"), std::string::npos);
}

TEST_F(LastGoodFile, IsItsOwnersOnlyAndLeavesNothingBesideIt) {
  folder.Write("last-good.new", "left over");
  std::filesystem::permissions(folder.At("last-good.new"), std::filesystem::perms::all);
  ASSERT_FALSE(kept.Save(Set(), now));
  EXPECT_EQ(std::filesystem::status(folder.At("last-good")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(std::filesystem::exists(folder.At("last-good.new")));
}

TEST_F(LastGoodFile, IsNotUsedWhenItIsOldAbsentOrNotWhatWasWritten) {
  EXPECT_EQ(Problem(), "/last-good: cannot be read: No such file or directory");
  ASSERT_FALSE(kept.Save(Set(), now - hours(25)));
  EXPECT_EQ(Problem(), "/last-good: older than last_good.max_age");
  ASSERT_FALSE(kept.Save(Set(), now));
  EXPECT_EQ(Problem(), "");
  std::string text = folder.Read("last-good");
  text[text.size() / 2] ^= 1;
  folder.Write("last-good", text);
  EXPECT_EQ(Problem(), "/last-good: not whole, or not what was written");
  text.resize(text.size() / 2);
  folder.Write("last-good", text);
  EXPECT_EQ(Problem(), "/last-good: not whole, or not what was written");
}

TEST_F(LastGoodFile, IsJudgedAsIfItHadJustCome) {
  Bodies bodies = Set();
  const BodyPtr set = BodyOf(kDomainSet, "{name: d, file: {path: /srv/lists/d}}");
  bodies[set->key] = set;
  ASSERT_FALSE(kept.Save(bodies, now));
  EXPECT_TRUE(Problem().find("not below a folder") != std::string::npos) << Problem();
}

TEST_F(LastGoodFile, SaysWhyItCannotBeSaved) {
  const auto problem = LastGood(folder.At("absent"), hours(1)).Save(Set(), now);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->text, Cat(folder.path, "/absent/last-good.new: cannot be made: No such file or directory"));
}

}  // namespace
}  // namespace egret
