#include "source/filters/authority_pages.h"

#include <string_view>
#include <utility>

#include "source/chain/local_reply.h"
#include "source/tls/certificates.h"

namespace egret {
namespace {

constexpr std::string_view kCa = "/.well-known/egret/ca.pem", kBundle = "/.well-known/egret/bundle.pem";

}  // namespace

void AuthorityPages::Set(Authorities authorities) {
  if (!authorities.empty() && system_roots_.Get() == nullptr)
    system_roots_.Set(std::make_shared<const std::string>(SystemRootsPem()));
  authorities_.Set(std::make_shared<const Authorities>(std::move(authorities)));
}

std::optional<Response> AuthorityPages::Answer(const Head& request) const {
  if (request.form != TargetForm::kOrigin || (request.path != kCa && request.path != kBundle)) return std::nullopt;
  if (request.method != "GET" && request.method != "HEAD") {
    Response refusal = PlainReply(405, "This page takes GET.\n");
    refusal.head.Add("Allow", "GET, HEAD");
    return refusal;
  }
  const auto authorities = authorities_.Get();
  if (authorities->empty()) return PlainReply(404, "This proxy has no certificate authority.\n");
  std::string text = request.path == kBundle ? *system_roots_.Get() : std::string();
  for (const auto& authority : *authorities) text += authority->Get()->trust_pem();
  return PlainReply(200, text, "application/x-pem-file");
}

}  // namespace egret
