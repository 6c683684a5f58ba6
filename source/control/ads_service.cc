#include "source/control/ads_service.h"

#include <deque>
#include <mutex>
#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/control/peer.h"

namespace egret {
namespace {

using Joined = Hub::Joined;

constexpr size_t kMostLines = 10;  // of the log, for one answer; egretctl status says more

grpc::Status StatusOf(Joined joined, const std::string& group) {
  if (joined == Joined::kNoSuchGroup)
    return {grpc::StatusCode::NOT_FOUND, Cat("no group ", group, " here; make a folder of that name")};
  return {grpc::StatusCode::UNAVAILABLE, Cat("nothing that is in the files of group ", group, " was valid yet")};
}

// gRPC calls it from its own threads, the hub from the library's. Its lock is never held while the hub is called.
class AdsCall final : public grpc::ServerBidiReactor<DeltaRequest, DeltaResponse>, private Follower {
 public:
  AdsCall(const grpc::CallbackServerContext& context, const std::string& control_plane, Hub& hub, Roster& roster)
      : peer_(PeerOf(context)), hub_(hub), roster_(roster), session_(control_plane, peer_.certified) {
    StartRead(&incoming_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return End(grpc::Status::OK);
    if (const grpc::Status status = joined_ ? grpc::Status::OK : Join(); !status.ok()) return End(status);
    DeltaSession::Taken taken;
    {
      const std::lock_guard lock(mutex_);
      taken = session_.Take(incoming_);
      Send(std::move(taken.responses));
    }
    if (!taken.misuse.empty()) return End({grpc::StatusCode::INVALID_ARGUMENT, taken.misuse});
    if (taken.verdict) Record(*taken.verdict);
    ReadOn();
  }

  void ReadOn() {
    incoming_.Clear();
    const std::lock_guard lock(mutex_);
    if (!ended_) StartRead(&incoming_);
  }

  grpc::Status Join() {
    const auto& node = incoming_.node();
    grpc::Status admitted = Admit(peer_, node);
    if (!admitted.ok()) {
      Log(LogComponent::kServer, LogLevel::kWarning, "refused ", peer_.address, ": ", admitted.error_message());
      return admitted;
    }
    id_ = node.id();
    group_ = node.cluster();
    // Who comes with nothing has begun anew, and refuses nothing yet.
    const bool anew = incoming_.initial_resource_versions().empty();
    const Joined joined = hub_.Join(group_, id_, anew, *this);
    if (joined != Joined::kFollows) return StatusOf(joined, group_);
    joined_ = true;
    roster_.Connected({.id = id_,
                       .group = group_,
                       .release = node.user_agent_version().substr(0, 64),
                       .peer = peer_.address,
                       .certified = peer_.certified},
                      anew);
    const std::lock_guard lock(mutex_);
    roster_.Offered(group_, id_, version_);
    return grpc::Status::OK;
  }

  void Record(const Verdict& verdict) {
    roster_.Judged(group_, id_, verdict);
    size_t lines = 0;
    for (const control::v1::Rejection& rejection : verdict.rejections)
      if (++lines <= kMostLines)
        Log(LogComponent::kConfig, LogLevel::kWarning, "proxy ", id_, " of group ", group_, " refuses ",
            rejection.type_url(), " ", rejection.name(), " ", rejection.field(), ": ", rejection.reason(), "; ",
            rejection.remedy());
  }

  void OnPublication(const PublicationPtr& publication) override {
    const std::lock_guard lock(mutex_);
    version_ = publication->version;
    roster_.Offered(group_, id_, version_);
    Send(session_.Publish(publication));
  }

  void Send(std::vector<DeltaResponse> responses) {
    for (DeltaResponse& response : responses) outbox_.push_back(std::move(response));
    WriteNext();
    if (session_.settled()) roster_.Settled(group_, id_, version_);
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
      hub_.Leave(group_, *this);
      roster_.Gone(group_, id_);
    }
    delete this;
  }

  const Peer peer_;
  Hub& hub_;
  Roster& roster_;
  DeltaRequest incoming_;  // gRPC's while a read is under way
  bool joined_ = false;    // by the reading side only, until OnDone
  std::string id_;
  std::string group_;
  std::mutex mutex_;
  DeltaSession session_;
  std::string version_;               // of the publication
  std::deque<DeltaResponse> outbox_;  // its front is being written
  bool writing_ = false;
  bool ended_ = false;
};

}  // namespace

grpc::ServerBidiReactor<DeltaRequest, DeltaResponse>* AdsService::DeltaAggregatedResources(
    grpc::CallbackServerContext* context) {
  return new AdsCall(*context, control_plane_, hub_, roster_);
}

}  // namespace egret
