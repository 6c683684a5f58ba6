// The way to a control plane: which server, when, with which credentials, and what became of it. On the config thread.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/xds/inbox.h"
#include "source/xds/push_status.h"
#include "source/xds/reconnect.h"
#include "source/xds/server_stream.h"

namespace egret {

class ServerLink {
 public:
  using Ms = int64_t;
  static constexpr Ms kLookEvery = 1000;  // at the files of certificates and keys

  // Both outlive it. The bootstrap has servers.
  ServerLink(const config::v1::Bootstrap& bootstrap, Inbox& inbox, int keepalive_ms, int keepalive_timeout_ms);

  // True: a stream has just been begun. Where certificates have changed, the one before was ended for it.
  bool Tick(Ms now);
  Ms NextTick() const;
  bool open() const { return stream_ != nullptr; }
  // Of the server whose turn it is.
  const std::string& address() const;
  // The connection, while the server answers on it. Null: it does not.
  ServerChannel channel() const { return answered_ ? channel_ : nullptr; }

  void Send(std::vector<DiscoveryRequest> requests);
  // The server has answered; more may come.
  void OnResponses(const std::vector<DiscoveryResponse>& responses);
  void OnEnd(const Inbox::End& end, Ms now);

  // Its part.
  void Fill(PushStatus& status) const;

 private:
  void Open(Ms now);
  void LookAtFiles(Ms now);

  const config::v1::Bootstrap& bootstrap_;
  Inbox& inbox_;
  int keepalive_ms_;
  const int keepalive_timeout_ms_;
  Reconnect reconnect_;
  Ms next_attempt_ = 0;
  Ms next_look_ = 0;
  uint64_t last_id_ = 0;
  bool answered_ = false;
  std::string stamp_, seen_;    // of the files: as they were read, and at the last look
  std::set<std::string> told_;  // what the log has said since a server last answered
  std::string control_plane_, last_error_;
  uint64_t attempts_ = 0, streams_ = 0;
  ServerChannel channel_;
  std::unique_ptr<AdsStream> stream_;
};

}  // namespace egret
