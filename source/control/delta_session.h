// One stream of discovery as the server sees it, as a state machine: what was asked for, what the client has, and what
// it is told next. Pure; it moves no bytes.
//
// Of each type one response is on its way at a time, so that each answer is about what it seems to be about and a slow
// client is not run over; what changes meanwhile is in the next one. What was sent counts as received, whatever the
// client says to it: one that refuses keeps it, parked, and is not sent it again until it changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "egret/control/v1/rejection.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "source/control/publication.h"

namespace egret {

using DeltaRequest = envoy::service::discovery::v3::DeltaDiscoveryRequest;
using DeltaResponse = envoy::service::discovery::v3::DeltaDiscoveryResponse;

// What a client said to a response.
struct Verdict {
  std::string type_url;
  std::map<std::string, std::string> versions;  // that it was about, by name; of what was removed: empty
  bool accepted = false;
  std::vector<control::v1::Rejection> rejections;  // at least one, where it was not
};

class DeltaSession {
 public:
  // A response is not much larger than this, unless a single resource is.
  static constexpr size_t kMostBytes = size_t{8} << 20;
  static constexpr size_t kMostTypes = 16;
  static constexpr size_t kMostNames = 1'000'000;  // asked for, of one type
  static constexpr size_t kMostRejections = 100;   // kept of one answer

  // `with_secrets`: whether they may leave on this stream; else there are none.
  DeltaSession(std::string control_plane, bool with_secrets)
      : control_plane_(std::move(control_plane)), with_secrets_(with_secrets) {}

  struct Taken {
    std::optional<Verdict> verdict;
    std::vector<DeltaResponse> responses;
    std::string misuse;  // not empty: the stream is to end, and why
  };
  // Once there is a publication.
  Taken Take(const DeltaRequest& request);
  // From now on this counts.
  std::vector<DeltaResponse> Publish(PublicationPtr publication);

  // All of the publication that was asked for was sent and answered.
  bool settled() const;

 private:
  struct Pending {
    std::string nonce;
    std::map<std::string, std::string> versions;
  };
  struct Type {
    std::set<std::string> names;
    bool all = false;
    bool owes_answer = true;  // the first request gets one, though it be empty
    // What the client was told, by name: a version, or none where it was told that there is nothing.
    std::map<std::string, std::optional<std::string>> told;
    std::optional<Pending> pending;
  };

  std::string Subscribe(const DeltaRequest& request, Type& type, bool first);
  std::optional<Verdict> Settle(const DeltaRequest& request, Type& type);
  std::optional<DeltaResponse> Next(const std::string& url, Type& type);
  // False: there is more than one response should hold.
  bool AddNews(const std::string& url, Type& type, DeltaResponse& response);
  void AddRemovals(const std::string& url, Type& type, DeltaResponse& response);
  const PublishedResource* Find(std::string_view url, std::string_view name) const;

  std::string control_plane_;
  bool with_secrets_;
  PublicationPtr publication_;
  std::map<std::string, Type> types_;  // by URL
  uint64_t nonces_ = 0;
};

}  // namespace egret
