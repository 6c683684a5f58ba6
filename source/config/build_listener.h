// Protobuf -> the chains of one listener. The one place where a filter's message meets its code: every filter that can
// be configured is in the two tables of build_listener.cc.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/auth/password_room.h"
#include "source/base/current.h"
#include "source/base/result.h"
#include "source/chain/listener.h"
#include "source/config/authority_secret.h"
#include "source/config/build_ext_authz.h"
#include "source/config/build_key_feed.h"
#include "source/config/next_hops.h"
#include "source/config/renewable.h"
#include "source/config/workload_tables.h"
#include "source/filters/authority_pages.h"
#include "source/filters/tap_file.h"
#include "source/io/original_destination.h"
#include "source/tls/tls_context.h"

namespace egret {

struct ChainDefaults {
  std::string via;      // pseudonym of an http_connection that names none
  std::string version;  // of this program
  OpenAuthorizer open_authorizer;
  OpenKeyFeed open_keys;
  const StandInNames* stand_ins = nullptr;  // for all transparent listeners; null: there are none. Outlives the chains
};

// By the message of the filter: one that stands in the chains of several listeners is one file.
using TapFiles = std::map<std::string, std::shared_ptr<TapFile>, std::less<>>;

// What chains hold of what there is once for the whole configuration.
struct SharedParts {
  const ChainDefaults& defaults;
  const SecretTable& secrets;
  const NextHops& hops;
  const Authorities& authorities;
  std::shared_ptr<const Current<TlsClientContext>> origins;  // the TLS of routers without settings of their own
  std::shared_ptr<const AuthorityPages> authority_pages;
  const WorkloadTables& workloads;
  std::shared_ptr<PasswordRoom> passwords;  // null until a listener needs it
  TapFiles taps;                            // of the configuration before; new ones are added, not begun
  KeyFeeds feeds;                           // the same
};

struct BuiltListener {
  std::shared_ptr<const ListenerChains> chains;
  std::vector<std::shared_ptr<const Renewable>> renewables;
  // What of the shared parts it holds. It can stay as it is as long as these do.
  std::map<std::string, const BuiltHop*, std::less<>> hops;
  std::map<std::string, const void*, std::less<>> authorities;
  TapFiles taps;
  KeyFeeds feeds;
};

// Of a validated configuration. `chains_of`: the listener whose chains are this one's as well; may be null. The problem
// is what only shows now: a secret that cannot be read.
Result<BuiltListener, Problem> BuildListener(const config::v1::Listener& listener,
                                             const config::v1::Listener* chains_of, SharedParts& shared);

// How the listener's connections come in.
Transparent TransparentOf(const config::v1::Listener& listener);

}  // namespace egret
