#include "source/tls/ocsp_staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

#include "source/tls/certificates.h"

namespace egret {
namespace {

using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, FreeWith<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, FreeWith<OCSP_BASICRESP_free>>;
using IdPtr = std::unique_ptr<OCSP_CERTID, FreeWith<OCSP_CERTID_free>>;
using FeaturesPtr = std::unique_ptr<TLS_FEATURE, FreeWith<TLS_FEATURE_free>>;

constexpr StapleVerdict kNotAsked{OcspStaple::kNotAsked, ""};
constexpr StapleVerdict kNone{OcspStaple::kNone, "no OCSP response is stapled"};
constexpr StapleVerdict kGood{OcspStaple::kGood, ""};
constexpr StapleVerdict kRevoked{OcspStaple::kRevoked, "the stapled OCSP response says that it is revoked"};
constexpr StapleVerdict kTooLarge{OcspStaple::kUnusable, "the stapled OCSP response is too large"};
constexpr StapleVerdict kMalformed{OcspStaple::kUnusable, "the stapled OCSP response is malformed"};
constexpr StapleVerdict kRefusal{OcspStaple::kUnusable, "the stapled OCSP response is an error of the responder's"};
constexpr StapleVerdict kNotSigned{OcspStaple::kUnusable,
                                   "the stapled OCSP response is not signed by whom it has to be"};
constexpr StapleVerdict kOther{OcspStaple::kUnusable, "the stapled OCSP response is for another certificate"};
constexpr StapleVerdict kUntimely{OcspStaple::kUnusable, "the stapled OCSP response is out of date"};
constexpr StapleVerdict kUnknown{OcspStaple::kUnusable, "the stapled OCSP response does not know it"};

constexpr int kMostAnswers = 32;  // of certificates that one response speaks of

// Where an SSL keeps its verdict, which is one of those above: nothing to free.
int VerdictIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// The certificate's part of the response. Ids are hashes, of an algorithm that the responder chose (RFC 6960 4.1.1).
OCSP_SINGLERESP* FindAnswer(OCSP_BASICRESP* response, const X509* certificate, const X509* issuer) {
  const int count = std::min(OCSP_resp_count(response), kMostAnswers);
  for (int i = 0; i < count; ++i) {
    OCSP_SINGLERESP* const answer = OCSP_resp_get0(response, i);
    const OCSP_CERTID* const theirs = OCSP_SINGLERESP_get0_id(answer);
    ASN1_OBJECT* algorithm = nullptr;
    OCSP_id_get0_info(nullptr, &algorithm, nullptr, nullptr, const_cast<OCSP_CERTID*>(theirs));
    const EVP_MD* const digest = EVP_get_digestbyobj(algorithm);
    const IdPtr ours(digest != nullptr ? OCSP_cert_to_id(digest, certificate, issuer) : nullptr);
    if (ours != nullptr && OCSP_id_cmp(ours.get(), theirs) == 0) return answer;
  }
  return nullptr;
}

// A revocation is believed however old it is: it is for good. Else the answer has to say until when it holds, or one
// could be stapled for ever.
const StapleVerdict& JudgeAnswer(OCSP_SINGLERESP* answer) {
  ASN1_GENERALIZEDTIME* since = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  const int status = OCSP_single_get0_status(answer, nullptr, nullptr, &since, &until);
  if (status == V_OCSP_CERTSTATUS_REVOKED) return kRevoked;
  if (until == nullptr || OCSP_check_validity(since, until, kStapleSkewSeconds, -1) != 1) return kUntimely;
  return status == V_OCSP_CERTSTATUS_GOOD ? kGood : kUnknown;
}

const StapleVerdict& Judge(std::string_view der, STACK_OF(X509) * chain, X509_STORE* store) {
  if (der.size() > kMostStaple) return kTooLarge;
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  const ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (response == nullptr || at != end) return kMalformed;
  if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) return kRefusal;
  const BasicPtr basic(OCSP_response_get1_basic(response.get()));
  if (basic == nullptr) return kMalformed;
  // Whoever is verified in full has an issuer there, but for one that is itself among those who are believed.
  if (sk_X509_num(chain) < 2) return kOther;
  OCSP_SINGLERESP* const answer = FindAnswer(basic.get(), sk_X509_value(chain, 0), sk_X509_value(chain, 1));
  if (answer == nullptr) return kOther;
  // By the issuer, or by whom the issuer itself gave this power (RFC 6960 4.2.2.2); a root's word is not enough.
  if (OCSP_basic_verify(basic.get(), chain, store, OCSP_NOEXPLICIT) != 1) return kNotSigned;
  return JudgeAnswer(answer);
}

const StapleVerdict& JudgeHandshake(SSL* ssl) {
  const unsigned char* response = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(ssl, static_cast<void*>(&response));
  if (response == nullptr || size < 0) return kNone;
  return JudgeStaple({reinterpret_cast<const char*>(response), static_cast<size_t>(size)}, SSL_get0_verified_chain(ssl),
                     SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)));
}

// Called once the server's part is whole and its certificate verified; also where a session of TLS 1.3 is resumed, in
// which no certificate is shown. Nonzero: the handshake goes on.
int OnStatus(SSL* ssl, void* required) {
  if (SSL_session_reused(ssl) == 1) return 1;
  const StapleVerdict& verdict = JudgeHandshake(ssl);
  SSL_set_ex_data(ssl, VerdictIndex(), const_cast<StapleVerdict*>(&verdict));
  if (verdict.staple == OcspStaple::kGood) return 1;
  const bool revoked = verdict.staple == OcspStaple::kRevoked;
  if (!revoked && required == nullptr && !DemandsStaple(SSL_get0_peer_certificate(ssl))) return 1;
  SSL_set_verify_result(ssl, revoked ? X509_V_ERR_CERT_REVOKED : X509_V_ERR_OCSP_VERIFY_NEEDED);
  return 0;
}

}  // namespace

void AskForStaples(SSL_CTX* context, bool required) {
  static char yes;  // any address that is not null
  SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
  SSL_CTX_set_tlsext_status_cb(context, OnStatus);
  SSL_CTX_set_tlsext_status_arg(context, required ? &yes : nullptr);
}

const StapleVerdict& StapleOf(const SSL* ssl) {
  const void* const verdict = SSL_get_ex_data(ssl, VerdictIndex());
  return verdict != nullptr ? *static_cast<const StapleVerdict*>(verdict) : kNotAsked;
}

const StapleVerdict& JudgeStaple(std::string_view response, STACK_OF(X509) * chain, X509_STORE* store) {
  const StapleVerdict& verdict = Judge(response, chain, store);
  ERR_clear_error();
  return verdict;
}

bool DemandsStaple(const X509* certificate) {
  int critical = 0;
  const FeaturesPtr features(
      static_cast<TLS_FEATURE*>(X509_get_ext_d2i(certificate, NID_tlsfeature, &critical, nullptr)));
  ERR_clear_error();
  if (features == nullptr) return critical != -1;  // -1: there is none
  for (int i = 0; i < sk_ASN1_INTEGER_num(features.get()); ++i)
    if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features.get(), i)) == TLSEXT_TYPE_status_request) return true;
  return false;
}

}  // namespace egret
