// The preview that the control plane's operators asked for, and what is told of it. On the main thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "egret/control/v1/fleet.pb.h"
#include "source/event/nursery.h"
#include "source/event/task.h"
#include "source/server/fleet_outbox.h"
#include "source/server/previews.h"

namespace egret {

class FleetPreview {
 public:
  // Both outlive it.
  FleetPreview(Previews& previews, FleetOutbox& outbox) : previews_(previews), outbox_(outbox) {}

  // Takes the place of the one before, or ends it.
  void Obey(const control::v1::Preview& order);
  // Nobody asks for it any more.
  void Stop();

 private:
  Task<void> Run(control::v1::Preview order);
  Task<void> Follow(std::string id, uint32_t number);
  void TellRefused(const std::string& id, const Previews::Errors& errors);

  Previews& previews_;
  FleetOutbox& outbox_;
  std::string id_;  // of the one that runs, or ran last
  std::unique_ptr<Previews::Hold> hold_;
  Nursery task_;
};

}  // namespace egret
