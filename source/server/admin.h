// The admin interface: a small HTTP server on the main loop, for operators and scrapers. It answers while workers are
// busy. What it serves is a matter of AdminPages.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "source/base/list.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/http/body.h"
#include "source/http/http1_server.h"
#include "source/io/listen.h"
#include "source/io/socket_stream.h"

namespace egret {

struct AdminRequest {
  std::string method;  // "GET" (HEAD is one), "POST"
  std::string path;    // as it was sent, without the query; nothing is decoded
  std::string query;
  bool wants_html = false;  // a browser asks
  std::string accept;       // the field's value
  std::string content;      // where the pages take some
};

struct AdminReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string allow = {};  // with 405
  // Instead of `body`, as it comes; it dies when the client goes away, or ends its side.
  std::unique_ptr<Body> stream = {};
};

class AdminPages {
 public:
  // A task, since much is gathered from the workers.
  virtual Task<AdminReply> Answer(AdminRequest request) = 0;
  // How much content a request may have.
  virtual size_t MostContent(const AdminRequest& /*request*/) const { return 0; }
  // Whether a page in a browser could do harm here or learn something: then Host must be an address or localhost, and
  // Origin, where there is one, the same.
  virtual bool guarded() const = 0;

 protected:
  ~AdminPages() = default;
};

class Admin final : public AcceptSink {
 public:
  // So many connections are open at most. For one more the one goes that has waited longest to be asked, or to be read:
  // whoever keeps many keeps no probe out.
  static constexpr size_t kMost = 128;
  // Serves on `socket` from now on. `pages` outlives it.
  Admin(ListenSocket socket, AdminPages& pages);
  ~Admin();
  const ListenAddress& bound() const { return socket_.bound(); }
  // Who is connected is still answered.
  void StopAccepting() { accepting_.Clear(); }

 private:
  struct Guest : ListNode {
    Gate leave{false};
  };

  void Accepted(int fd, const Endpoint& peer) override;
  bool MakeRoom();
  Task<void> Session(int fd);
  Task<void> Converse(SocketStream& stream, Guest& guest);
  Task<AdminReply> Answer(Http1Server& codec, Request& received);

  ListenSocket socket_;
  AdminPages& pages_;
  AcceptCounters counters_;
  size_t open_ = 0;  // sessions
  ListNode waits_;   // Guest: of those that wait for their client, the longest first
  Nursery sessions_;
  Nursery accepting_;
};

}  // namespace egret
