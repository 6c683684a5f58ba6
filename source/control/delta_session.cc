#include "source/control/delta_session.h"

#include "source/base/strings.h"
#include "source/control/bounds.h"
#include "source/xds/resource.h"

namespace egret {
namespace {

bool IsSecret(std::string_view url) { return url == TypeUrl(ResourceType::kSecret); }

// Programs of ours say each reason; of others there is at least the sentence.
std::vector<control::v1::Rejection> RejectionsIn(const DeltaRequest& request) {
  std::vector<control::v1::Rejection> rejections;
  for (const auto& detail : request.error_detail().details()) {
    control::v1::Rejection rejection;
    if (rejections.size() == DeltaSession::kMostRejections || !detail.UnpackTo(&rejection)) continue;
    Shorten(rejection);
    rejections.push_back(std::move(rejection));
  }
  if (!rejections.empty()) return rejections;
  control::v1::Rejection& whole = rejections.emplace_back();
  whole.set_type_url(request.type_url());
  whole.set_reason(request.error_detail().message());
  Shorten(whole);
  return rejections;
}

}  // namespace

DeltaSession::Taken DeltaSession::Take(const DeltaRequest& request) {
  Taken taken;
  const std::string& url = request.type_url();
  if (url.empty()) {
    taken.misuse = "a request without type_url";
    return taken;
  }
  const auto [found, first] = types_.try_emplace(url);
  Type& type = found->second;
  if (types_.size() > kMostTypes) taken.misuse = "more types on one stream than there are";
  if (taken.misuse.empty()) taken.misuse = Subscribe(request, type, first);
  if (!taken.misuse.empty()) return taken;
  taken.verdict = Settle(request, type);
  if (auto response = Next(url, type)) taken.responses.push_back(std::move(*response));
  return taken;
}

std::string DeltaSession::Subscribe(const DeltaRequest& request, Type& type, bool first) {
  const auto& more = request.resource_names_subscribe();
  if (type.names.size() + static_cast<size_t>(more.size()) > kMostNames) return "too many names on one stream";
  // Who says no name at first wants all there are. Secrets are for those who know their names.
  if (first && more.empty() && !IsSecret(request.type_url())) type.all = true;
  for (const std::string& name : more) {
    if (name == "*") {
      type.all = !IsSecret(request.type_url());
      continue;
    }
    type.names.insert(name);
    type.told.erase(name);  // what is asked for is sent, whatever was sent before
  }
  if (first)
    for (const auto& [name, version] : request.initial_resource_versions()) type.told[name] = version;
  for (const std::string& name : request.resource_names_unsubscribe()) {
    if (name == "*") type.all = false;
    if (type.names.erase(name) == 0) continue;
    if (type.all) type.told[name] = std::nullopt;  // what it is within the wildcard is said once more
  }
  if (!type.all) std::erase_if(type.told, [&](const auto& one) { return !type.names.contains(one.first); });
  return "";
}

std::optional<Verdict> DeltaSession::Settle(const DeltaRequest& request, Type& type) {
  if (!type.pending || request.response_nonce() != type.pending->nonce) return std::nullopt;
  Verdict verdict{.type_url = request.type_url(),
                  .versions = std::move(type.pending->versions),
                  .accepted = !request.has_error_detail(),
                  .rejections = {}};
  if (!verdict.accepted) verdict.rejections = RejectionsIn(request);
  type.pending.reset();
  return verdict;
}

std::vector<DeltaResponse> DeltaSession::Publish(PublicationPtr publication) {
  publication_ = std::move(publication);
  std::vector<DeltaResponse> responses;
  for (auto& [url, type] : types_)
    if (auto response = Next(url, type)) responses.push_back(std::move(*response));
  return responses;
}

bool DeltaSession::settled() const {
  for (const auto& [url, type] : types_)
    if (type.pending) return false;
  return !types_.empty();
}

std::optional<DeltaResponse> DeltaSession::Next(const std::string& url, Type& type) {
  if (type.pending) return std::nullopt;
  DeltaResponse response;
  // Make before break: what goes is said once all that comes was.
  if (AddNews(url, type, response)) AddRemovals(url, type, response);
  if (response.resources().empty() && response.removed_resources().empty() && !type.owes_answer) return std::nullopt;
  type.owes_answer = false;
  response.set_type_url(url);
  response.set_system_version_info(publication_->version);
  response.mutable_control_plane()->set_identifier(control_plane_);
  response.set_nonce(Cat(++nonces_));
  Pending& pending = type.pending.emplace();
  pending.nonce = response.nonce();
  for (const auto& resource : response.resources()) pending.versions[resource.name()] = resource.version();
  for (const std::string& name : response.removed_resources()) pending.versions[name] = "";
  return response;
}

bool DeltaSession::AddNews(const std::string& url, Type& type, DeltaResponse& response) {
  size_t bytes = 0;
  const auto add = [&](const std::string& name, const PublishedResource& published) {
    const auto told = type.told.find(name);
    if (told != type.told.end() && told->second == published.version) return true;
    const size_t more = name.size() + published.any.value().size();
    if (bytes > 0 && bytes + more > kMostBytes) return false;  // and nothing was told of it
    bytes += more;
    type.told[name] = published.version;
    auto& resource = *response.add_resources();
    resource.set_name(name);
    resource.set_version(published.version);
    *resource.mutable_resource() = published.any;
    return true;
  };
  if (const PublishedType* all = type.all ? publication_->TypeOf(url) : nullptr) {
    for (const auto& [name, published] : *all)
      if (!add(name, published)) return false;
    return true;
  }
  for (const std::string& name : type.names)
    if (const PublishedResource* published = Find(url, name); published != nullptr && !add(name, *published))
      return false;
  return true;
}

void DeltaSession::AddRemovals(const std::string& url, Type& type, DeltaResponse& response) {
  for (const std::string& name : type.names) {
    if (Find(url, name) != nullptr) continue;
    const auto told = type.told.find(name);
    if (told != type.told.end() && !told->second) continue;
    response.add_removed_resources(name);
    type.told[name] = std::nullopt;
  }
  if (!type.all) return;
  std::erase_if(type.told, [&](const auto& one) {
    const auto& [name, version] = one;
    if (type.names.contains(name) || Find(url, name) != nullptr) return false;
    response.add_removed_resources(name);
    return true;
  });
}

const PublishedResource* DeltaSession::Find(std::string_view url, std::string_view name) const {
  return with_secrets_ || !IsSecret(url) ? publication_->Find(url, name) : nullptr;
}

}  // namespace egret
