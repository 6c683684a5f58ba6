#include "source/xds/delta_state.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr int kInternal = 13;  // gRPC's code for what the client cannot put in force

std::vector<std::string> Without(const DeltaState::Names& all, const DeltaState::Names& those) {
  std::vector<std::string> rest;
  std::set_difference(all.begin(), all.end(), those.begin(), those.end(), std::back_inserter(rest));
  return rest;
}

std::string Sentence(const control::v1::Rejection& rejection) {
  std::string text = Cat(rejection.type_url().substr(rejection.type_url().rfind('.') + 1), " ", rejection.name());
  if (!rejection.field().empty()) Append(text, " ", rejection.field());
  if (!rejection.value().empty()) Append(text, ": ", rejection.value());
  Append(text, ": ", rejection.reason());
  if (!rejection.remedy().empty()) Append(text, "; ", rejection.remedy());
  return text;
}

}  // namespace

std::vector<DiscoveryRequest> DeltaState::Want(const WireType& type, Names names) {
  const auto [found, added] = types_.try_emplace(type);
  if (added && names.empty()) {
    types_.erase(found);
    return {};
  }
  Type& state = found->second;
  state.wanted = std::move(names);
  return open_ ? Catch(type, state) : std::vector<DiscoveryRequest>();
}

std::vector<DiscoveryRequest> DeltaState::Begin() {
  open_ = true;
  node_said_ = false;
  ++streams_;
  std::vector<DiscoveryRequest> requests;
  for (auto& [type, state] : types_) {
    state.begun = false;
    state.said.clear();
    for (DiscoveryRequest& request : Catch(type, state)) requests.push_back(std::move(request));
  }
  return requests;
}

// What has to be said for the server to know what is wanted.
std::vector<DiscoveryRequest> DeltaState::Catch(const WireType& type, Type& state) {
  std::vector<DiscoveryRequest> requests;
  if (!state.begun) {
    if (state.wanted.empty()) return requests;  // without a name it would ask for all
    requests.push_back(First(type, state));
    return requests;
  }
  const std::vector<std::string> more = Without(state.wanted, state.said);
  const std::vector<std::string> less = Without(state.said, state.wanted);
  state.said = state.wanted;
  if (!more.empty()) {
    DiscoveryRequest& request = requests.emplace_back(RequestFor(type.url));
    request.mutable_resource_names_subscribe()->Add(more.begin(), more.end());
  }
  if (!less.empty()) {
    DiscoveryRequest& request = requests.emplace_back(RequestFor(type.url));
    request.mutable_resource_names_unsubscribe()->Add(less.begin(), less.end());
  }
  return requests;
}

DiscoveryRequest DeltaState::First(const WireType& type, Type& state) {
  DiscoveryRequest request = RequestFor(type.url);
  request.mutable_resource_names_subscribe()->Add(state.wanted.begin(), state.wanted.end());
  if (streams_ > 1)
    for (const auto& [name, version] : versions_(type)) (*request.mutable_initial_resource_versions())[name] = version;
  state.begun = true;
  state.said = state.wanted;
  return request;
}

DiscoveryRequest DeltaState::RequestFor(std::string_view url) {
  DiscoveryRequest request;
  request.set_type_url(std::string(url));
  if (!node_said_) *request.mutable_node() = node_;
  node_said_ = true;
  return request;
}

const WireType* DeltaState::TypeOf(std::string_view url) const {
  for (const auto& [type, state] : types_)
    if (type.url == url && state.begun) return &type;
  return nullptr;
}

bool DeltaState::IsAsked(const WireType& type, const std::string& name) const {
  const auto found = types_.find(type);
  return found != types_.end() && (found->second.said.contains("*") || found->second.said.contains(name));
}

DiscoveryRequest DeltaState::Answer(const DiscoveryResponse& response,
                                    const std::vector<control::v1::Rejection>& rejections) {
  DiscoveryRequest request = RequestFor(response.type_url());
  request.set_response_nonce(response.nonce());
  if (rejections.empty()) return request;
  google::rpc::Status& status = *request.mutable_error_detail();
  status.set_code(kInternal);
  std::string text;
  int told = 0;
  for (const control::v1::Rejection& rejection : rejections) {
    if (told == kMostRejections) break;
    Append(text, told++ > 0 ? "\n" : "", Sentence(rejection));
    status.add_details()->PackFrom(rejection);
  }
  if (rejections.size() > static_cast<size_t>(told))
    Append(text, "\n... and ", rejections.size() - static_cast<size_t>(told), " more");
  status.set_message(text);
  return request;
}

}  // namespace egret
