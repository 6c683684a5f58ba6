// The admin interface: a small HTTP server on the main loop, for operators and scrapers. It answers while workers are
// busy. GET only; nothing here changes anything.
#pragma once

#include <string>

#include "source/event/nursery.h"
#include "source/io/listen.h"

namespace egret {

struct AdminReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

class AdminPages {
 public:
  // The reply to a GET of `path`; a task, since metrics are gathered from the workers.
  virtual Task<AdminReply> Get(std::string path) = 0;

 protected:
  ~AdminPages() = default;
};

class Admin final : public AcceptSink {
 public:
  // Serves on `socket` from now on. `pages` outlives it.
  Admin(ListenSocket socket, AdminPages& pages);
  ~Admin();
  const ListenAddress& bound() const { return socket_.bound(); }

 private:
  void Accepted(int fd, const Endpoint& peer) override;
  Task<void> Session(int fd);

  ListenSocket socket_;
  AdminPages& pages_;
  AcceptCounters counters_;
  Nursery sessions_;
  Nursery accepting_;
};

}  // namespace egret
