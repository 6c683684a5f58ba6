#include "source/server/reload.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <pthread.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "source/base/log.h"
#include "source/base/service_manager.h"
#include "source/server/settings.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using google::protobuf::FieldDescriptor;

constexpr std::string_view kLive[] = {"address_guard", "listeners", "policies",      "domain_sets",
                                      "upstreams",     "secrets",   "workload_sets", "revocation_grace"};

void Say(LogLevel level, std::string_view text) { Log(LogComponent::kConfig, level, text); }

std::string FieldAlone(const Bootstrap& of, const FieldDescriptor& field) {
  Bootstrap whole = of, alone;
  whole.GetReflection()->SwapFields(&whole, &alone, {&field});
  return alone.SerializeAsString();
}

}  // namespace

Bootstrap WithLiveFields(const Bootstrap& running, const Bootstrap& read, std::vector<std::string>& kept) {
  Bootstrap out = running, from = read;
  for (int i = 0; i < Bootstrap::descriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *Bootstrap::descriptor()->field(i);
    if (std::find(std::begin(kLive), std::end(kLive), field.name()) != std::end(kLive)) {
      out.GetReflection()->SwapFields(&out, &from, {&field});
    } else if (FieldAlone(running, field) != FieldAlone(read, field)) {
      kept.push_back(field.name());
    }
  }
  return out;
}

void Reload::Start() {
  const std::lock_guard lock(mutex_);
  wanted_ = true;
  told_.notify_one();
  if (!thread_.joinable() && !stopped_) thread_ = std::thread([this] { Run(); });
}

std::vector<std::string> Reload::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_;
}

void Reload::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    told_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Reload::Run() {
  pthread_setname_np(pthread_self(), "config");
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      told_.wait(lock, [this] { return wanted_ || stopped_; });
      if (stopped_) return;
      wanted_ = false;
    }
    Once();
  }
}

void Reload::Once() {
  const Settings settings = LoadSettings(options_);
  for (const std::string& warning : settings.warnings) Say(LogLevel::kWarning, warning);
  std::vector<std::string> problems = settings.problems;
  if (problems.empty()) {
    std::vector<std::string> kept;
    auto next = std::make_shared<const Bootstrap>(WithLiveFields(*running_, settings.bootstrap, kept));
    for (const std::string& field : kept)
      Log(LogComponent::kConfig, LogLevel::kWarning, field, ": what has changed there takes a restart");
    for (const ConfigError& error : live_.Apply(std::move(next))) problems.push_back(error.ToString());
  }
  for (const std::string& problem : problems) Say(LogLevel::kError, problem);
  const bool refused = !problems.empty();
  {
    const std::lock_guard lock(mutex_);
    errors_ = std::move(problems);
  }
  Say(LogLevel::kInfo,
      refused ? "configuration read again: refused; what was in force stays" : "configuration read again: in force");
  TellReady();
}

}  // namespace egret
