// The composition root: from a configuration to workers that carry traffic, and back down in order. Lives on the main
// thread, with a loop of its own for signals and the admin interface.
#pragma once

#include <string_view>

#include "source/event/task.h"
#include "source/io/original_destination.h"
#include "source/server/options.h"
#include "source/server/settings.h"
#include "source/server/take_over.h"

namespace egret {

// A program around the server, which has sockets for it, its signals and its end. Outlives it.
class ServerHost {
 public:
  // The sockets of listeners, under the names of take_over.h. Called once, first.
  virtual HandedSockets TakeSockets() = 0;
  // What the addresses that clients of transparent listeners want stand for; null: for themselves.
  virtual const StandInNames* stand_ins() const { return nullptr; }
  // Begins on the main loop once the server accepts; when it ends, so does the server, at once.
  virtual Task<void> Run() = 0;
  // Whole lines of the access log, in JSON; on a thread of the log's, the last before RunServer returns.
  virtual void TakeLog(std::string_view lines) = 0;

 protected:
  ~ServerHost() = default;
};

// Serves until a signal ends it. The exit status.
int RunServer(const Options& options);
// Serves until the host ends it, with a configuration that is valid and no signal looked at. False: it could not start.
bool RunServer(Settings settings, ServerHost& host);
// Checks the configuration and says what is wrong with it. The exit status.
int RunValidate(const Options& options);

}  // namespace egret
