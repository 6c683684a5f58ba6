#include "source/xds/server_link.h"

#include <algorithm>
#include <array>
#include <random>
#include <string_view>
#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/config/renewable.h"
#include "source/xds/ads_target.h"

namespace egret {
namespace {

constexpr int kLongestKeepaliveMs = 600'000;
constexpr size_t kMostTold = 100;
constexpr size_t kLongestMessage = 500;

// gRPC's, in order.
constexpr std::array<std::string_view, 17> kCodes = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

std::string_view RemedyFor(const Inbox::End& end) {
  const std::string_view code = end.code >= 0 && end.code < 17 ? kCodes[static_cast<size_t>(end.code)] : "";
  if (code == "RESOURCE_EXHAUSTED" && end.message.find("larger than max") != std::string::npos)
    return "; raise xds.max_message_bytes";
  if (code == "UNIMPLEMENTED") return "; the server has to speak the incremental variant (DeltaAggregatedResources)";
  if (code == "UNAUTHENTICATED" || code == "PERMISSION_DENIED")
    return "; look at the client certificate, node.id and node.cluster";
  return "";
}

std::string Shown(const Inbox::End& end) {
  const bool known = end.code >= 0 && static_cast<size_t>(end.code) < kCodes.size();
  return Cat(known ? kCodes[static_cast<size_t>(end.code)] : "an unknown code", end.message.empty() ? "" : ": ",
             end.message.substr(0, kLongestMessage), RemedyFor(end));
}

// Who was asked too often for a sign of life.
bool IsAnnoyed(const std::string& message) {
  return message.find("too_many_pings") != std::string::npos || message.find("Too many pings") != std::string::npos;
}

}  // namespace

ServerLink::ServerLink(const config::v1::Bootstrap& bootstrap, Inbox& inbox, int keepalive_ms, int keepalive_timeout_ms)
    : bootstrap_(bootstrap),
      inbox_(inbox),
      keepalive_ms_(keepalive_ms),
      keepalive_timeout_ms_(keepalive_timeout_ms),
      reconnect_(static_cast<size_t>(bootstrap.xds().servers_size()), std::random_device()()) {}

const std::string& ServerLink::address() const {
  return bootstrap_.xds().servers(static_cast<int>(reconnect_.server())).address();
}

bool ServerLink::Tick(Ms now) {
  if (stream_ && now >= next_look_) LookAtFiles(now);
  if (stream_ || now < next_attempt_) return false;
  Open(now);
  return open();
}

ServerLink::Ms ServerLink::NextTick() const { return stream_ ? next_look_ : next_attempt_; }

void ServerLink::Open(Ms now) {
  ++attempts_;
  answered_ = false;
  next_look_ = now + kLookEvery;
  // Before they are read, so that a change meanwhile is seen.
  stamp_ = seen_ = StampOf(FilesOf(bootstrap_, reconnect_.server()));
  auto target = TargetOf(bootstrap_, reconnect_.server());
  if (!target) return OnEnd({16, target.error().text}, now);
  target->keepalive_ms = keepalive_ms_;
  target->keepalive_timeout_ms = keepalive_timeout_ms_;
  inbox_.ListenTo(++last_id_);
  channel_ = OpenChannel(*target);
  stream_ = OpenAdsStream(channel_, last_id_, inbox_);
}

// New certificates are shown on a new connection, and on none of the old.
void ServerLink::LookAtFiles(Ms now) {
  next_look_ = now + kLookEvery;
  std::string files = StampOf(FilesOf(bootstrap_, reconnect_.server()));
  const bool at_rest = files == seen_;
  seen_ = std::move(files);
  if (!at_rest || seen_ == stamp_) return;
  Log(LogComponent::kConfig, LogLevel::kInfo, "xds: server ", address(),
      ": certificates have changed; connecting anew");
  inbox_.ListenTo(++last_id_);
  stream_.reset();
  channel_.reset();
  answered_ = false;
  next_attempt_ = now;
}

void ServerLink::Send(std::vector<DiscoveryRequest> requests) {
  if (!stream_) return;
  for (DiscoveryRequest& request : requests) stream_->Send(std::move(request));
}

void ServerLink::OnResponses(const std::vector<DiscoveryResponse>& responses) {
  if (!answered_) {
    answered_ = true;
    ++streams_;
    reconnect_.Answered();
    if (!told_.empty() || streams_ == 1)
      Log(LogComponent::kConfig, LogLevel::kInfo, "xds: server ", address(), " answers");
    told_.clear();
    last_error_.clear();
  }
  const std::string& name = responses.back().control_plane().identifier();
  if (!name.empty()) control_plane_ = name.substr(0, kLongestMessage);
  if (stream_) stream_->Resume();
}

void ServerLink::OnEnd(const Inbox::End& end, Ms now) {
  stream_.reset();
  channel_.reset();
  answered_ = false;
  if (IsAnnoyed(end.message)) keepalive_ms_ = std::min(2 * keepalive_ms_, kLongestKeepaliveMs);
  last_error_ = Cat("server ", address(), ": ", Shown(end));
  if (told_.size() < kMostTold && told_.insert(last_error_).second)
    Log(LogComponent::kConfig, LogLevel::kWarning, "xds: ", last_error_, "; what is in force stays");
  next_attempt_ = now + reconnect_.Ended();
}

void ServerLink::Fill(PushStatus& status) const {
  status.connected = answered_;
  status.server = address();
  status.control_plane = control_plane_;
  status.attempts = attempts_;
  status.streams = streams_;
  status.last_error = last_error_;
}

}  // namespace egret
