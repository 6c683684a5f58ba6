#include "source/control/fleet_service.h"

#include <deque>
#include <mutex>
#include <utility>

#include "source/base/log.h"
#include "source/control/bounds.h"
#include "source/control/peer.h"

namespace egret {
namespace {

using control::v1::Command;
using control::v1::Report;

// What is kept of it, by rule, name or row, is so many and each of them short. Lines are counted by whoever keeps them.
void Bound(Report& report) {
  const auto shorten = [](auto& list) {
    for (auto& entry : list) Shorten(entry);
  };
  shorten(*report.mutable_resources());
  shorten(*report.mutable_counts());
  shorten(*report.mutable_changes());
  shorten(*report.mutable_previews());
  if (report.has_config()) Shorten(*report.mutable_config());
}

constexpr size_t kMostCommands = 100;  // that a proxy has not taken yet

// gRPC calls it from its own threads, operators by the switchboard from theirs. Its lock is never held while the
// switchboard or the roster is called.
class FleetCall final : public grpc::ServerBidiReactor<Report, Command>, private Switchboard::Line {
 public:
  FleetCall(const grpc::CallbackServerContext& context, Roster& roster, Switchboard& switchboard)
      : peer_(PeerOf(context)), roster_(roster), switchboard_(switchboard) {
    StartRead(&incoming_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return End(grpc::Status::OK);
    Bound(incoming_);
    if (const grpc::Status status = joined_ ? Take(false) : Join(); !status.ok()) return End(status);
    incoming_.Clear();
    const std::lock_guard lock(mutex_);
    if (!ended_) StartRead(&incoming_);
  }

  grpc::Status Join() {
    const auto& node = incoming_.node();
    grpc::Status admitted = Admit(peer_, node);
    if (!admitted.ok()) {
      Log(LogComponent::kServer, LogLevel::kWarning, "refused a report of ", peer_.address, ": ",
          admitted.error_message());
      return admitted;
    }
    proxy_ = {node.cluster(), node.id()};
    const grpc::Status taken = Take(true);
    if (!taken.ok()) return taken;
    switchboard_.Join(proxy_, *this);
    joined_ = true;
    return taken;
  }

  grpc::Status Take(bool first) {
    if (!roster_.Reported(proxy_.first, proxy_.second, incoming_, first))
      return {grpc::StatusCode::FAILED_PRECONDITION, "this proxy has no discovery stream here"};
    switchboard_.Deliver(proxy_, incoming_);
    return grpc::Status::OK;
  }

  void Tell(const Command& command) override {
    const std::lock_guard lock(mutex_);
    if (ended_ || outbox_.size() >= kMostCommands) return;
    outbox_.push_back(command);
    WriteNext();
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    outbox_.pop_front();
    if (!ok) outbox_.clear();  // reading says the end
    WriteNext();
  }

  void WriteNext() {
    if (writing_ || ended_ || outbox_.empty()) return;
    writing_ = true;
    StartWrite(&outbox_.front());
  }

  // Once. Nothing is written after it.
  void End(const grpc::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(ended_, true)) return;
    }
    Finish(status);
  }

  void OnCancel() override { End(grpc::Status::CANCELLED); }

  void OnDone() override {
    if (joined_) {
      switchboard_.Leave(proxy_, *this);
      roster_.ReportsNoMore(proxy_.first, proxy_.second);
    }
    delete this;
  }

  const Peer peer_;
  Roster& roster_;
  Switchboard& switchboard_;
  Report incoming_;      // gRPC's while a read is under way
  bool joined_ = false;  // by the reading side only, until OnDone
  Switchboard::Proxy proxy_;
  std::mutex mutex_;
  std::deque<Command> outbox_;  // its front is being written
  bool writing_ = false;
  bool ended_ = false;
};

}  // namespace

grpc::ServerBidiReactor<Report, Command>* FleetService::Connect(grpc::CallbackServerContext* context) {
  return new FleetCall(*context, roster_, switchboard_);
}

}  // namespace egret
