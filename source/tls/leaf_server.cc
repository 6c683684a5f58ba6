#include "source/tls/leaf_server.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret {
namespace {

using AlpnList = std::vector<std::string>;

void FreeAlpn(void*, void* alpn, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<AlpnList*>(alpn); }

int AlpnIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeAlpn);
  return index;
}

// The parts with their lengths, so that no two can be taken for one another.
void BindSession(SSL* ssl, const Leaf& leaf, std::string_view partition) {
  const auto& ca = leaf.base->ca_sha256;
  const std::string bound = Cat(std::string_view(reinterpret_cast<const char*>(ca.data()), ca.size()), leaf.name.size(),
                                ":", leaf.name, partition);
  std::array<unsigned char, 32> digest;
  static_assert(digest.size() <= SSL_MAX_SID_CTX_LENGTH);
  CHECK(EVP_Digest(bound.data(), bound.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  CHECK(SSL_set_session_id_context(ssl, digest.data(), digest.size()) == 1);
}

}  // namespace

Result<std::shared_ptr<const LeafServerContext>, Problem> LeafServerContext::Make(const TlsSettings& settings) {
  Result<SslContextPtr, Problem> made = NewSslContext(TLS_server_method(), settings);
  if (!made) return made.error();
  SSL_CTX* const context = made->get();
  RememberClients(context);
  SSL_CTX_set_tlsext_servername_callback(context, OnServerName);
  SSL_CTX_set_alpn_select_cb(context, OnAlpn, nullptr);
  std::shared_ptr<LeafServerContext> out(new LeafServerContext);
  out->context_ = std::move(*made);
  return std::shared_ptr<const LeafServerContext>(std::move(out));
}

std::unique_ptr<TlsStream> LeafServerContext::Accept(std::unique_ptr<Stream> lower, const Leaf& leaf,
                                                     std::vector<std::string> alpn, std::string_view partition) const {
  SSL* const ssl = SSL_new(context_.get());
  CHECK(ssl != nullptr);
  // The CA's certificates were tried against the library's rules when it was made.
  CHECK(SSL_use_cert_and_key(ssl, leaf.certificate.get(), leaf.base->key.get(), leaf.base->chain.get(), 1) == 1);
  BindSession(ssl, leaf, partition);
  if (!alpn.empty()) SSL_set_ex_data(ssl, AlpnIndex(), new AlpnList(std::move(alpn)));
  return std::make_unique<TlsStream>(std::move(lower), ssl, TlsStream::Role::kServer, shared_from_this());
}

int LeafServerContext::OnServerName(SSL* ssl, int* alert, void*) {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  if (IsServerName(name)) return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int LeafServerContext::OnAlpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* offer,
                              unsigned offer_size, void*) {
  const auto* const ours = static_cast<const AlpnList*>(SSL_get_ex_data(ssl, AlpnIndex()));
  if (ours == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const std::string_view chosen = ChooseAlpn(*ours, {reinterpret_cast<const char*>(offer), offer_size});
  if (chosen.empty()) return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol (RFC 7301 3.2)
  *out = reinterpret_cast<const unsigned char*>(chosen.data());
  *out_size = static_cast<unsigned char>(chosen.size());
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace egret
