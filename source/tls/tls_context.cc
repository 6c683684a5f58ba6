#include "source/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/tls/ocsp_staple.h"

namespace egret {
namespace {

Result<bool, Problem> Show(SSL_CTX* context, const TlsKeyPair& pair) {
  Result<std::vector<X509Ptr>, Problem> chain = ParseCertificates(pair.certificate_pem);
  if (!chain) return Problem{Cat(pair.name, ".certificate: ", chain.error().text)};
  Result<KeyPtr, Problem> key = ParseKey(pair.key_pem);
  if (!key) return Problem{Cat(pair.name, ".key: ", key.error().text)};
  if (X509_check_private_key(chain->front().get(), key->get()) != 1) {
    ERR_clear_error();
    return Problem{Cat(pair.name, ".key: it is not the key of this certificate; the leaf has to come first")};
  }
  if (SSL_CTX_use_certificate(context, chain->front().get()) != 1 || SSL_CTX_use_PrivateKey(context, key->get()) != 1)
    return LibraryProblem(Cat(pair.name, ".certificate"));
  for (size_t i = 1; i < chain->size(); ++i)
    if (SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) != 1) return LibraryProblem(Cat(pair.name, ".certificate"));
  return true;
}

// Sessions of a time when other clients were believed must not be resumed, nor those of another listener that believes
// others: a resumed session's certificate is not looked at again.
void BindSessions(SSL_CTX* context, const TlsServerOptions& options) {
  std::string bound = Cat(static_cast<int>(options.client_certificates), options.trust.system_roots ? "s" : "-",
                          options.trust.roots_pem.size(), ":", options.trust.roots_pem, options.trust.crl_pem);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  CHECK(EVP_Digest(bound.data(), bound.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  SSL_CTX_set_session_id_context(context, digest.data(), std::min(size, unsigned{SSL_MAX_SID_CTX_LENGTH}));
}

// The names of those who are believed, so that a client knows which certificate to show.
void NameAuthorities(SSL_CTX* context, const TlsTrust& trust) {
  const Result<std::vector<X509Ptr>, Problem> roots = ParseCertificates(trust.roots_pem);
  constexpr size_t kMost = 100;  // the list travels in every handshake
  if (!roots || roots->size() > kMost) return;
  for (const X509Ptr& root : *roots) SSL_CTX_add_client_CA(context, root.get());
}

}  // namespace

// --- Server

Result<std::shared_ptr<const TlsServerContext>, Problem> TlsServerContext::Make(const TlsServerOptions& options) {
  using ClientCertificates = TlsServerOptions::ClientCertificates;
  CHECK(!options.certificates.empty());
  std::shared_ptr<TlsServerContext> out(new TlsServerContext);
  out->alpn_ = options.settings.alpn;
  const bool asks = options.client_certificates != ClientCertificates::kNone;
  StorePtr store;
  if (asks) {
    Result<StorePtr, Problem> made = MakeStore(options.trust);
    if (!made) return made.error();
    store = std::move(*made);
  }
  for (const TlsKeyPair& pair : options.certificates) {
    Result<SslContextPtr, Problem> made = NewSslContext(TLS_server_method(), options.settings);
    if (!made) return made.error();
    SSL_CTX* const context = made->get();
    if (Result<bool, Problem> shown = Show(context, pair); !shown) return shown.error();
    if (asks) {
      const bool required = options.client_certificates == ClientCertificates::kRequire;
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
      SSL_CTX_set1_cert_store(context, store.get());
      NameAuthorities(context, options.trust);
    }
    BindSessions(context, options);
    RememberClients(context);
    SSL_CTX_set_tlsext_servername_callback(context, OnServerName);
    SSL_CTX_set_tlsext_servername_arg(context, out.get());
    if (!out->alpn_.empty()) SSL_CTX_set_alpn_select_cb(context, OnAlpn, out.get());
    X509* const leaf = SSL_CTX_get0_certificate(context);
    for (std::string& name : NamesOf(leaf)) {
      if (name.starts_with("*.")) {
        out->by_parent_name_.try_emplace(name.substr(2), context);
      } else {
        out->by_name_.try_emplace(std::move(name), context);
      }
    }
    out->expiries_.push_back({pair.name, NotAfter(leaf)});
    out->contexts_.push_back(std::move(*made));
  }
  return std::shared_ptr<const TlsServerContext>(std::move(out));
}

std::unique_ptr<TlsStream> TlsServerContext::Accept(std::unique_ptr<Stream> lower) const {
  SSL* const ssl = SSL_new(contexts_.front().get());
  CHECK(ssl != nullptr);
  return std::make_unique<TlsStream>(std::move(lower), ssl, TlsStream::Role::kServer, shared_from_this());
}

// An exact name counts more than a wildcard, which stands for one label (RFC 6125 6.4.3).
SSL_CTX* TlsServerContext::Choose(std::string_view name) const {
  const std::string lower = ToLower(name);
  if (const auto at = by_name_.find(lower); at != by_name_.end()) return at->second;
  if (const size_t dot = lower.find('.'); dot != std::string::npos) {
    const auto at = by_parent_name_.find(std::string_view(lower).substr(dot + 1));
    if (at != by_parent_name_.end()) return at->second;
  }
  return contexts_.front().get();
}

int TlsServerContext::OnServerName(SSL* ssl, int* alert, void* context) {
  const auto& self = *static_cast<const TlsServerContext*>(context);
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  if (!IsServerName(name)) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  SSL_CTX* const chosen = self.Choose(name);
  if (chosen != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, chosen);
  return SSL_TLSEXT_ERR_OK;
}

int TlsServerContext::OnAlpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offer,
                             unsigned offer_size, void* context) {
  const auto& self = *static_cast<const TlsServerContext*>(context);
  const std::string_view chosen = ChooseAlpn(self.alpn_, {reinterpret_cast<const char*>(offer), offer_size});
  if (chosen.empty()) return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol (RFC 7301 3.2)
  *out = reinterpret_cast<const unsigned char*>(chosen.data());
  *out_size = static_cast<unsigned char>(chosen.size());
  return SSL_TLSEXT_ERR_OK;
}

// --- Client

namespace {

// What a session of the client's is remembered under; lives as long as the SSL.
struct ClientPeer {
  const TlsClientContext* context;
  std::string host;
};

void FreePeer(void*, void* peer, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<ClientPeer*>(peer); }

int PeerIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, FreePeer);
  return index;
}

}  // namespace

TlsClientContext::TlsClientContext()
    : id_([] {
        static std::atomic<uint64_t> last{0};
        return ++last;
      }()) {}

Result<std::shared_ptr<const TlsClientContext>, Problem> TlsClientContext::Make(const TlsClientOptions& options) {
  std::shared_ptr<TlsClientContext> out(new TlsClientContext);
  Result<SslContextPtr, Problem> made = NewSslContext(TLS_client_method(), options.settings);
  if (!made) return made.error();
  out->context_ = std::move(*made);
  SSL_CTX* const context = out->context_.get();
  if (options.verify) {
    Result<StorePtr, Problem> store = MakeStore(options.trust);
    if (!store) return store.error();
    SSL_CTX_set1_cert_store(context, store->get());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    out->verifies_ = true;
    AskForStaples(context, options.require_staple);
  }
  if (!options.certificate.certificate_pem.empty()) {
    if (Result<bool, Problem> shown = Show(context, options.certificate); !shown) return shown.error();
    out->expiries_.push_back({options.certificate.name, NotAfter(SSL_CTX_get0_certificate(context))});
  }
  if (const std::string wire = AlpnWire(options.settings.alpn); !wire.empty())
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, OnSession);
  return std::shared_ptr<const TlsClientContext>(std::move(out));
}

std::unique_ptr<TlsStream> TlsClientContext::Connect(std::unique_ptr<Stream> lower, const std::string& host,
                                                     const std::vector<std::string>& alpn) const {
  SSL* const ssl = SSL_new(context_.get());
  CHECK(ssl != nullptr);
  X509_VERIFY_PARAM* const param = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const bool literal = X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1;
  if (!literal) {
    ERR_clear_error();
    CHECK(X509_VERIFY_PARAM_set1_host(param, host.data(), host.size()) == 1);
    SSL_set_tlsext_host_name(ssl, host.c_str());
  }
  if (!alpn.empty()) {
    const std::string wire = AlpnWire(alpn);
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(wire.data()), static_cast<unsigned>(wire.size()));
  }
  if (const SessionPtr session = Recall(host)) SSL_set_session(ssl, session.get());
  SSL_set_ex_data(ssl, PeerIndex(), new ClientPeer{this, host});
  return std::make_unique<TlsStream>(std::move(lower), ssl, TlsStream::Role::kClient, shared_from_this());
}

int TlsClientContext::OnSession(SSL* ssl, SSL_SESSION* session) {
  const auto* const peer = static_cast<const ClientPeer*>(SSL_get_ex_data(ssl, PeerIndex()));
  if (peer == nullptr || SSL_SESSION_is_resumable(session) != 1) return 0;
  peer->context->Remember(peer->host, SessionPtr(session));
  return 1;  // it is ours now
}

void TlsClientContext::Remember(std::string host, SessionPtr session) const {
  const std::lock_guard lock(mutex_);
  if (const auto at = by_host_.find(host); at != by_host_.end()) {
    remembered_.erase(at->second);
    by_host_.erase(at);
  }
  remembered_.push_front({host, std::move(session)});
  by_host_[std::move(host)] = remembered_.begin();
  if (remembered_.size() <= kMostSessions) return;
  by_host_.erase(remembered_.back().host);
  remembered_.pop_back();
}

// A ticket of TLS 1.3 is used once: used twice, it would tell an onlooker that both are the same client (RFC 8446 C.4).
TlsClientContext::SessionPtr TlsClientContext::Recall(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  const auto at = by_host_.find(host);
  if (at == by_host_.end()) return nullptr;
  if (SSL_SESSION_get_protocol_version(at->second->session.get()) < TLS1_3_VERSION) {
    SSL_SESSION_up_ref(at->second->session.get());
    return SessionPtr(at->second->session.get());
  }
  SessionPtr session = std::move(at->second->session);
  remembered_.erase(at->second);
  by_host_.erase(at);
  return session;
}

size_t TlsClientContext::sessions() const {
  const std::lock_guard lock(mutex_);
  return remembered_.size();
}

}  // namespace egret
