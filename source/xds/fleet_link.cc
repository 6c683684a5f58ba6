#include "source/xds/fleet_link.h"

#include <algorithm>
#include <random>
#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/xds/node.h"
#include "source/xds/rejection.h"

namespace egret {
namespace {

using control::v1::ConfigStatus;

constexpr int kUnimplemented = 12;  // gRPC's code
constexpr size_t kLongestMessage = 500;

ConfigStatus::Source SourceOf(ConfigSource source) {
  switch (source) {
    case ConfigSource::kBootstrap:
      return ConfigStatus::BOOTSTRAP;
    case ConfigSource::kDirectory:
      return ConfigStatus::DIRECTORY;
    case ConfigSource::kLastGood:
      return ConfigStatus::LAST_GOOD;
    case ConfigSource::kXds:
      return ConfigStatus::XDS;
  }
  return ConfigStatus::SOURCE_UNSPECIFIED;
}

void Tell(const PushStatus& status, ConfigStatus& config) {
  config.set_source(SourceOf(status.source));
  config.mutable_since()->set_seconds(status.applied_unix_ms / 1000);
  for (const ConfigError& error : status.errors)
    if (config.errors_size() < ResourceReport::kMostErrors) *config.add_errors() = ToRejection("", "", "", error);
}

bool SameConfig(const PushStatus& a, const PushStatus& b) {
  return a.source == b.source && a.applied == b.applied && a.errors == b.errors;
}

}  // namespace

FleetLink::FleetLink(const config::v1::Bootstrap& bootstrap, std::string_view release, Inbox& inbox, FleetHost& host)
    : node_(NodeOf(bootstrap, release)),
      release_(release),
      inbox_(inbox),
      host_(host),
      reconnect_(1, std::random_device()()) {}

void FleetLink::Tick(const ServerChannel& channel, const std::string& server, const StatusPtr& status, Ms now) {
  if (channel != channel_) {
    if (stream_) Close();
    channel_ = channel;
    server_ = server;
    left_alone_ = false;
    next_ = now;
  }
  if (!channel_ || left_alone_ || now < next_) return;
  if (!stream_) Open(channel_);
  Report(status, now);
}

FleetLink::Ms FleetLink::NextTick() const { return channel_ && !left_alone_ ? next_ : INT64_MAX / 2'000'000; }

void FleetLink::Open(const ServerChannel& channel) {
  inbox_.ListenToFleet(++last_id_);
  stream_ = OpenFleetStream(channel, last_id_, inbox_.fleet());
  resources_.Begin();
  reported_.reset();
  first_ = true;
}

void FleetLink::Close() {
  inbox_.ListenToFleet(++last_id_);
  stream_.reset();
  host_.Forget();
}

// Of a server that does not take what there is, no more is asked: what is new meanwhile is in the report after.
void FleetLink::Report(const StatusPtr& status, Ms now) {
  next_ = now + kReportEvery;
  last_report_ = now;
  if (stream_->waiting() > 0) return;
  if (!first_) reconnect_.Answered();
  std::vector<control::v1::Report> reports(1);
  if (status != reported_) reports = resources_.Next(status->resources);
  control::v1::Report& front = reports.front();
  if (std::exchange(first_, false)) {
    *front.mutable_node() = node_;
    front.set_release(release_);
  }
  if (!reported_ || !SameConfig(*reported_, *status)) Tell(*status, *front.mutable_config());
  reported_ = status;
  host_.Tell(reports.back());
  for (control::v1::Report& report : reports) stream_->Send(std::move(report));
}

void FleetLink::Take(const std::vector<control::v1::Command>& commands) {
  for (const control::v1::Command& command : commands) host_.Obey(command);
  if (stream_) stream_->Resume();
}

void FleetLink::OnEnd(const Inbox::End& end, Ms now) {
  stream_.reset();
  host_.Forget();
  left_alone_ = end.code == kUnimplemented;
  const std::string text =
      left_alone_ ? Cat("server ", server_, " has no Fleet service; it is not told what this proxy is at")
                  : Cat("server ", server_,
                        ": what this proxy is at cannot be reported: ", end.message.substr(0, kLongestMessage));
  if (text != told_) Log(LogComponent::kConfig, left_alone_ ? LogLevel::kInfo : LogLevel::kWarning, "xds: ", text);
  told_ = text;
  next_ = now + reconnect_.Ended();
}

}  // namespace egret
