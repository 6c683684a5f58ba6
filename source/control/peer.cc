#include "source/control/peer.h"

#include <grpcpp/security/auth_context.h>

#include <memory>

#include "source/base/strings.h"
#include "source/config/error.h"
#include "source/control/identity.h"

namespace egret {

constexpr size_t kLongestName = 256;

Peer PeerOf(const grpc::ServerContextBase& context) {
  Peer peer{.address = context.peer(), .certified = false, .names = {}};
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (!auth || !auth->IsPeerAuthenticated()) return peer;
  peer.certified = true;
  for (const grpc::string_ref& name : auth->FindPropertyValues("x509_subject_alternative_name"))
    peer.names.emplace_back(name.data(), name.size());
  return peer;
}

grpc::Status Admit(const Peer& peer, const envoy::config::core::v3::Node& node) {
  for (const std::string* name : {&node.id(), &node.cluster()})
    if (name->empty() || name->size() > kLongestName || !IsPlainText(*name))
      return {grpc::StatusCode::INVALID_ARGUMENT,
              "node.id and node.cluster say who asks and for which group; both are "
              "needed, of at most 256 bytes"};
  if (peer.certified && !MayBe(peer.names, node.id(), node.cluster()))
    return {grpc::StatusCode::PERMISSION_DENIED,
            Cat("the certificate does not say that this is ", ShownValue(node.id()), " of ", ShownValue(node.cluster()),
                "; it needs the URI spiffe://DOMAIN/", node.cluster(), "/", node.id(), " or the DNS name ", node.id(),
                ".", node.cluster())};
  return grpc::Status::OK;
}

}  // namespace egret
