// Whatever a proxy asks for, in whatever order, while whatever is published: one response of a type is on its way at a
// time, it has nothing that was not asked for, and once all are answered the proxy has what is published, and no more.
// Row X30 of the catalogue.
//
// An input is a conversation of steps of five bytes: what is published ('p', then a byte for each of four names), or
// what is asked: the type, bits of what is subscribed to, left, and said to be held, and what the nonce is.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "source/base/check.h"
#include "source/control/delta_session.h"
#include "source/xds/resource.h"

namespace egret {
namespace {

constexpr size_t kMostSteps = 100, kStep = 5;
constexpr std::array<const char*, 5> kNames = {"a", "b", "c", "d", "*"};
constexpr std::array kTypes = {ResourceType::kListener, ResourceType::kEgressPolicy, ResourceType::kSecret};

// What a proxy knows, by the rules of the protocol and not by the session's.
struct Known {
  std::set<std::string> names;
  bool all = false;
  std::map<std::string, std::string> held;
  std::optional<std::string> nonce;  // of the response that is not answered yet

  bool Wants(const std::string& name) const { return all || names.contains(name); }
};

PublicationPtr PublicationOf(const uint8_t* bytes) {
  auto made = std::make_shared<Publication>();
  for (const ResourceType type : kTypes)
    for (size_t i = 0; i < 4; ++i) {
      if (bytes[i] % 4 == 0) continue;
      PublishedResource& resource = made->types[std::string(TypeUrl(type))][kNames[i]];
      resource.version = std::to_string(bytes[i] % 4);
      if (bytes[i] >= 252)
        resource.any.set_value(std::string(DeltaSession::kMostBytes - 1, 'x'));  // one fills a response
    }
  return made;
}

class Talk {
 public:
  explicit Talk(PublicationPtr publication) { Publish(std::move(publication)); }

  void Publish(PublicationPtr publication) {
    publication_ = publication;
    for (const DeltaResponse& response : session_.Publish(std::move(publication))) Hear(response);
  }

  void Ask(const uint8_t* bytes) {
    const ResourceType type = kTypes[bytes[0] % kTypes.size()];
    const std::string url(TypeUrl(type));
    DeltaRequest request;
    request.set_type_url(url);
    const bool first = !known_.contains(url);
    Known& known = known_[url];
    const bool secret = type == ResourceType::kSecret;
    if (first && (bytes[1] & 31) == 0) known.all = !secret;
    for (size_t i = 0; i < kNames.size(); ++i) {
      const std::string name = kNames[i];
      const auto has = [i](uint8_t bits) { return (bits >> i & 1) != 0; };
      if (has(bytes[1])) request.add_resource_names_subscribe(name);
      if (has(bytes[1]) && name == "*") known.all = !secret;
      if (has(bytes[1]) && name != "*") known.names.insert(name);
      if (first && has(bytes[3]) && name != "*") (*request.mutable_initial_resource_versions())[name] = "1";
      if (first && has(bytes[3]) && name != "*") known.held[name] = "1";
    }
    for (size_t i = 0; i < kNames.size(); ++i) {
      if ((bytes[2] >> i & 1) == 0) continue;
      request.add_resource_names_unsubscribe(kNames[i]);
      if (std::string(kNames[i]) == "*") known.all = false;
      known.names.erase(kNames[i]);
    }
    std::erase_if(known.held, [&](const auto& one) { return !known.Wants(one.first); });
    if (bytes[4] % 3 == 1) request.set_response_nonce("foreign");
    if (bytes[4] % 3 == 2) SayNonce(request, known, bytes[4] >= 128);
    Take(request);
  }

  // Answers all there is to answer, and what comes of it.
  void Finish() {
    for (int turns = 0; !session_.settled() && !known_.empty(); ++turns) {
      CHECK(turns < 100);
      for (auto& [url, known] : known_) {
        if (!known.nonce) continue;
        DeltaRequest request;
        request.set_type_url(url);
        SayNonce(request, known, turns % 2 == 1);
        Take(request);
      }
    }
    for (const auto& [url, known] : known_) CHECK(known.held == Expected(url, known));
  }

 private:
  static void SayNonce(DeltaRequest& request, Known& known, bool refuses) {
    if (!known.nonce) return;
    request.set_response_nonce(*known.nonce);
    if (refuses) request.mutable_error_detail()->set_message("no");
    known.nonce.reset();
  }

  void Take(const DeltaRequest& request) {
    const DeltaSession::Taken taken = session_.Take(request);
    CHECK(taken.misuse.empty());
    CHECK(!taken.verdict || taken.verdict->accepted == taken.verdict->rejections.empty());
    for (const DeltaResponse& response : taken.responses) Hear(response);
  }

  void Hear(const DeltaResponse& response) {
    const auto found = known_.find(response.type_url());
    CHECK(found != known_.end());
    Known& known = found->second;
    CHECK(!known.nonce && nonces_.insert(response.nonce()).second);
    known.nonce = response.nonce();
    std::set<std::string> names;
    for (const auto& resource : response.resources()) {
      CHECK(known.Wants(resource.name()) && names.insert(resource.name()).second);
      known.held[resource.name()] = resource.version();
    }
    for (const std::string& name : response.removed_resources()) {
      CHECK(known.Wants(name) && names.insert(name).second);
      known.held.erase(name);
    }
  }

  std::map<std::string, std::string> Expected(const std::string& url, const Known& known) const {
    std::map<std::string, std::string> expected;
    const PublishedType* type = url == TypeUrl(ResourceType::kSecret) ? nullptr : publication_->TypeOf(url);
    if (type == nullptr) return expected;
    for (const auto& [name, resource] : *type)
      if (known.Wants(name)) expected[name] = resource.version;
    return expected;
  }

  DeltaSession session_{"fuzz", false};  // without secrets, whatever is asked
  PublicationPtr publication_;
  std::map<std::string, Known> known_;  // by URL
  std::set<std::string> nonces_;
};

}  // namespace
}  // namespace egret

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret;
  constexpr std::array<uint8_t, 4> kBegin = {1, 1, 0, 2};
  Talk talk(PublicationOf(kBegin.data()));
  for (size_t step = 0; step < kMostSteps && (step + 1) * kStep <= size; ++step) {
    const uint8_t* bytes = data + step * kStep;
    if (bytes[0] == 'p')
      talk.Publish(PublicationOf(bytes + 1));
    else
      talk.Ask(bytes);
  }
  talk.Finish();
  return 0;
}
