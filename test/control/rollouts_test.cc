// A next release on its way: who is given it, what halts it, and what is remembered.
#include "source/control/rollouts.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/control/change_watch.h"
#include "source/control/cohort.h"
#include "source/control/gate.h"
#include "test/xds/folder.h"

namespace egret {
namespace {

constexpr const char* kType = "type.googleapis.com/egret.config.v1.EgressPolicy";

// Everything is of its version.
PublicationPtr PublicationOf(const std::string& version) {
  auto publication = std::make_shared<Publication>();
  publication->version = version;
  publication->types[kType]["web"].version = version;
  publication->types[kType]["same"].version = "same";
  return publication;
}

// A proxy's stream.
class Stream final : public Follower {
 public:
  void OnPublication(const PublicationPtr& publication) override { has += publication->version + " "; }
  std::string has;  // one after another
};

// One that is in the cohort of the release at 50 percent, or is not.
std::string ProxyIn(bool cohort) {
  int number = 0;
  while (IsInCohort("next", Cat("p", number), 50) != cohort) ++number;
  return Cat("p", number);
}

class RolloutsTest : public testing::Test {
 protected:
  RolloutsTest() {
    hub.Publish("web", PublicationOf("old"));
    hub.Stage("web", PublicationOf("next"));
  }
  Rollouts Replica(const std::string& name) { return Rollouts(name, folder.path, hub, roster, watch); }
  static std::string Advance(Rollouts& rollouts, uint32_t percent, bool resume = false, const char* release = "") {
    control::v1::AdvanceRequest request;
    request.set_group("web");
    request.set_percent(percent);
    request.set_resume(resume);
    request.set_release(release);
    const auto done = rollouts.Advance(request, "ann");
    return done ? "" : done.error().text;
  }
  void Connect(const std::string& id, Stream& stream, bool anew = false) {
    hub.Join("web", id, anew, stream);
    roster.Connected({.id = id, .group = "web", .release = "", .peer = ""}, anew);
    roster.Offered("web", id, stream.has.substr(0, stream.has.find(' ')));
  }
  void Refuse(const std::string& id, const char* name, const char* version) {
    control::v1::Report report;
    auto& resource = *report.add_resources();
    resource.set_type_url(kType);
    resource.set_name(name);
    resource.set_state(control::v1::ResourceStatus::PARKED);
    auto& error = *resource.add_errors();
    error.set_type_url(kType);
    error.set_name(name);
    error.set_version(version);
    error.set_field("rules[0]");
    error.set_reason("no good");
    roster.Reported("web", id, report, true);
  }
  Hub::Group Web() const { return hub.Look().at("web"); }

  Folder folder;
  Hub hub;
  Roster roster;
  Switchboard switchboard;
  ChangeWatch watch{switchboard};
};

// A proxy's fleet stream.
class Line final : public Switchboard::Line {
 public:
  Line(Switchboard& switchboard, std::string id) : switchboard_(switchboard), proxy_("web", std::move(id)) {
    switchboard_.Join(proxy_, *this);
  }
  ~Line() { switchboard_.Leave(proxy_, *this); }
  void Tell(const control::v1::Command& command) override {
    const control::v1::Preview& preview = command.preview();
    if (preview.duration().seconds() > 0) running = preview.id();
    if (preview.duration().seconds() == 0 && running == preview.id()) running.clear();
  }
  // By the preview that runs: somebody's decisions are other ones, of so many that were made.
  void Report(const std::string& who, uint64_t decisions) {
    control::v1::Report report;
    auto& change = *report.add_changes();
    change.set_id(running);
    change.set_identity(who);
    change.set_destination("a.test:443");
    change.set_count(3);
    auto& status = *report.add_previews();
    status.set_id(running);
    status.set_decisions(decisions);
    switchboard_.Deliver(proxy_, report);
  }
  std::string running;

 private:
  Switchboard& switchboard_;
  const Switchboard::Proxy proxy_;
};

TEST_F(RolloutsTest, NobodyIsGivenItBeforeAnOperatorSaysSo) {
  Stream in, out;
  Connect(ProxyIn(true), in);
  Connect(ProxyIn(false), out);
  Rollouts rollouts = Replica("a");
  rollouts.Look();
  EXPECT_EQ(in.has, "old ");
  EXPECT_EQ(Advance(rollouts, 50), "");
  EXPECT_EQ(in.has, "old next ");
  EXPECT_EQ(out.has, "old ");
  EXPECT_EQ(Advance(rollouts, 100), "");
  EXPECT_EQ(out.has, "old next ");
  hub.Publish("web", PublicationOf("next"));  // the files were moved
  hub.Stage("web", nullptr);
  EXPECT_EQ(in.has, "old next ");
}

TEST_F(RolloutsTest, WhatItWouldChangeIsSeenWhileSomeHaveItAndSomeHaveNot) {
  Line line(switchboard, "p1");
  Rollouts rollouts = Replica("a");
  rollouts.Look();
  EXPECT_EQ(line.running, "");
  Advance(rollouts, 50);
  rollouts.Look();
  ASSERT_NE(line.running, "");
  line.Report("ann", 10);
  line.Report("bob", 20);
  rollouts.Look();
  const auto told = rollouts.Tell("web", Web(), {});
  EXPECT_EQ(told->decisions_compared(), 20);
  EXPECT_EQ(told->decisions_changed(), 6);
  EXPECT_EQ(told->identities_changed(), 2);
  EXPECT_FALSE(told->has_halt());
  Advance(rollouts, 100);
  rollouts.Look();
  EXPECT_EQ(line.running, "");
}

TEST_F(RolloutsTest, MoreChangedIdentitiesThanMayBeHaltIt) {
  Line line(switchboard, "p1");
  Rollouts rollouts = Replica("a");
  control::v1::AdvanceRequest request;
  request.set_group("web");
  request.set_percent(50);
  request.set_most_changed_identities(1);
  ASSERT_TRUE(rollouts.Advance(request, "ann"));
  rollouts.Look();
  line.Report("ann", 10);
  line.Report("ann", 20);
  rollouts.Look();
  EXPECT_FALSE(rollouts.Tell("web", Web(), {})->has_halt());
  EXPECT_EQ(Advance(rollouts, 60), "");  // the line stays drawn
  line.Report("bob", 30);
  rollouts.Look();
  EXPECT_TRUE(
      rollouts.Tell("web", Web(), {})
          ->halt()
          .reason()
          .starts_with(
              "it changes decisions of 2 identities, and 1 may be: 9 of 30 decisions; ann asks for a.test:443: "))
      << rollouts.Tell("web", Web(), {})->halt().reason();
  rollouts.Look();
  EXPECT_EQ(line.running, "");
}

TEST_F(RolloutsTest, AnOperatorsPreviewComesFirst) {
  Line line(switchboard, "p1");
  Rollouts rollouts = Replica("a");
  Advance(rollouts, 50);
  rollouts.Look();
  line.Report("ann", 10);
  {
    const ChangeWatch::Pause pause(watch, "web");
    EXPECT_EQ(line.running, "");
    rollouts.Look();
    EXPECT_EQ(line.running, "");
  }
  rollouts.Look();
  ASSERT_NE(line.running, "");
  line.Report("ann", 5);
  rollouts.Look();
  EXPECT_EQ(rollouts.Tell("web", Web(), {})->decisions_compared(), 15);
  EXPECT_EQ(rollouts.Tell("web", Web(), {})->decisions_changed(), 6);
}

TEST_F(RolloutsTest, WhoComesLaterIsGivenWhatItsCohortHas) {
  Rollouts rollouts = Replica("a");
  Advance(rollouts, 50);
  Stream in, out;
  Connect(ProxyIn(true), in, true);
  Connect(ProxyIn(false), out, true);
  EXPECT_EQ(in.has + out.has, "next old ");
}

TEST_F(RolloutsTest, NothingIsTakenBackByAskingForLess) {
  Rollouts rollouts = Replica("a");
  EXPECT_EQ(Advance(rollouts, 0), "of 100 proxies, 1 to 100 can be given it");
  Advance(rollouts, 50);
  EXPECT_EQ(Advance(rollouts, 49),
            "50 of 100 have been given it, and nothing is taken back; to do that, remove web/next");
  EXPECT_EQ(Advance(rollouts, 60, false, "other"), "the next release is next by now");
}

TEST_F(RolloutsTest, ARefusalInTheCohortHaltsItForAllReplicas) {
  Rollouts rollouts = Replica("a"), other = Replica("b");
  Advance(rollouts, 50);
  Stream in;
  Connect(ProxyIn(true), in);
  Refuse(ProxyIn(true), "web", "next");
  rollouts.Look();
  EXPECT_TRUE(Web().progress.halted);
  EXPECT_EQ(in.has, "next ");  // whoever has it keeps it
  const std::string why = Cat("halted by a: ", ProxyIn(true), " refuses EgressPolicy web rules[0]: no good");
  EXPECT_EQ(Advance(other, 60), why + "; put another release in its place, or resume it");
  // Who comes with nothing needs what is known to be good; who comes back may have it already.
  Stream anew, back;
  hub.Join("web", ProxyIn(true), true, anew);
  hub.Join("web", ProxyIn(true), false, back);
  EXPECT_EQ(anew.has + back.has, "old next ");
  EXPECT_EQ(Advance(other, 60, true), "");
  rollouts.Look();  // the reason is still there
  EXPECT_TRUE(Web().progress.halted);
  EXPECT_EQ(Web().progress.percent, 60u);
}

TEST_F(RolloutsTest, WhatItRefusedBeforeIsNoReason) {
  Rollouts rollouts = Replica("a");
  Advance(rollouts, 50);
  Stream in;
  Connect(ProxyIn(true), in);
  Refuse(ProxyIn(true), "same", "same");
  rollouts.Look();
  EXPECT_FALSE(Web().progress.halted);
}

TEST_F(RolloutsTest, AProxyThatHasNotBeenGivenItSaysNothingAboutIt) {
  Rollouts rollouts = Replica("a");
  Advance(rollouts, 50);
  Stream out;
  Connect(ProxyIn(false), out);
  Refuse(ProxyIn(false), "web", "next");
  rollouts.Look();
  EXPECT_FALSE(Web().progress.halted);
}

TEST_F(RolloutsTest, FailuresOfItsOwnHaltItAndDenialsDoNot) {
  Rollouts rollouts = Replica("a");
  Advance(rollouts, 50);
  Stream in;
  Connect(ProxyIn(true), in);
  control::v1::Report report;
  report.add_counts()->set_denied(1'000);
  report.set_requests(100);
  report.set_local_failures(5);
  roster.Reported("web", ProxyIn(true), report, true);
  roster.Reported("web", ProxyIn(true), report, false);
  rollouts.Look();
  EXPECT_FALSE(Web().progress.halted);
  report.set_local_failures(10);
  roster.Reported("web", ProxyIn(true), report, false);
  EXPECT_EQ(ReasonToHalt("web", Web(), roster.Look()),
            Cat(ProxyIn(true), " has failed 20 times for a cause of its own, in 300 requests"));
}

TEST_F(RolloutsTest, ARestartRemembersAndAnotherReleaseBeginsAnew) {
  {
    Rollouts rollouts = Replica("a");
    Advance(rollouts, 50);
    control::v1::HaltRequest halt;
    halt.set_group("web");
    halt.set_reason("lunch\n\xff");
    ASSERT_TRUE(rollouts.Halt(halt, "bob"));
  }
  hub.Stage("web", nullptr);
  hub.Stage("web", PublicationOf("next"));
  EXPECT_EQ(Web().progress, Hub::Progress{.release = "next"});
  Rollouts again = Replica("a");
  again.Look();
  EXPECT_EQ(Web().progress, (Hub::Progress{.release = "next", .percent = 50, .halted = true}));
  const auto told = again.Tell("web", Web(), {});
  EXPECT_EQ(told->halt().by() + ": " + told->halt().reason() + ", " + told->advanced_by(), "bob: lunch??, ann");
  hub.Stage("web", PublicationOf("better"));
  again.Look();
  EXPECT_EQ(Web().progress, Hub::Progress{.release = "better"});
}

TEST_F(RolloutsTest, AFolderThatIsGoneTakesNothingBack) {
  Rollouts rollouts = Replica("a");
  Advance(rollouts, 50);
  std::filesystem::remove_all(folder.path);
  rollouts.Look();
  EXPECT_EQ(Web().progress.percent, 50u);
}

TEST_F(RolloutsTest, WithoutAFolderNobodyIsGivenAnything) {
  Rollouts rollouts("a", "", hub, roster, watch);
  EXPECT_EQ(Advance(rollouts, 50), "this control plane runs without --rollouts; give it a folder to write to");
  EXPECT_EQ(Web().progress.percent, 0u);
  hub.Stage("web", nullptr);
  EXPECT_EQ(Advance(rollouts, 50), "group web has no next release; put its files into web/next");
}

}  // namespace
}  // namespace egret
