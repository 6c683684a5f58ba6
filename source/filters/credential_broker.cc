#include "source/filters/credential_broker.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "source/auth/sigv4.h"
#include "source/auth/sigv4_canonical.h"
#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/local_reply.h"
#include "source/filters/credential_echo.h"
#include "source/policy/path.h"

namespace egret {
namespace {

using Others = CredentialBinding::Others;

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool IsBelow(std::string_view path, std::string_view prefix) {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

// What an origin may read as another path is below none.
bool IsPath(const CredentialBinding& binding, std::string_view path) {
  if (binding.path_prefixes.empty()) return true;
  return !IsAmbiguous(path) && std::any_of(binding.path_prefixes.begin(), binding.path_prefixes.end(),
                                           [&](const std::string& prefix) { return IsBelow(path, prefix); });
}

// The router's own TLS always is.
bool IsVerified(Exchange& exchange) {
  const std::optional<OriginTls>& inside = exchange.connection().origin_tls;
  return exchange.secure && (!inside || inside->context->verifies());
}

Task<Response> Refuse(Exchange& exchange, Fault fault, std::string_view message = {}) {
  co_return FilterReply(exchange, fault, "credential_broker", message);
}

Task<Response> Answer(Exchange& exchange, HttpNext next, std::vector<CredentialEcho> echoes) {
  exchange.bare_interims = true;
  Response response = co_await next(exchange);
  TakeOutEchoes(response.head, echoes);
  co_return response;
}

}  // namespace

// What one request is found to hold. Nothing of it is changed before all of it was looked at.
class CredentialBrokerFilter::Search {
 public:
  Search(const CredentialBrokerOptions& options, Exchange& exchange)
      : options_(options), exchange_(exchange), verified_(IsVerified(exchange)) {
    for (const CredentialBinding& binding : options_.bindings)
      if (exchange_.target->host == binding.target.host)
        others_ = std::min(others_.value_or(Others::kPass), binding.others);
  }

  Fault Look() {
    const Head& head = exchange_.request.head;
    if (HoldsPlaceholder(head.path) || HoldsPlaceholder(WithoutEscapes(head.path))) return Fault::kCredentialMisplaced;
    for (size_t i = 0; i < head.fields().size(); ++i)
      if (const Fault fault = LookAt(i); fault != Fault::kNone) return fault;
    return others_ && options_.known.AreInQuery(head.path) ? JudgeOwn() : Fault::kNone;
  }

  // Refused: nothing may go out.
  AwsRefusal Change() {
    if (filled_.empty() && !strips_ && signer_ == nullptr) return AwsRefusal::kNone;
    exchange_.KeepJudged();
    Head& head = exchange_.request.head;
    for (const Filled& filled : filled_) head.SetValue(filled.index, filled.value.text());
    if (strips_) StripFrom(head);
    return signer_ != nullptr ? Sign(head) : AwsRefusal::kNone;
  }

  // What may come back of what was put in.
  std::vector<CredentialEcho> TakeEchoes() { return std::move(echoes_); }

 private:
  struct Filled {
    size_t index;  // of the head's fields
    SecretText value;
  };

  bool IsTarget(const CredentialBinding& binding) const { return exchange_.target == binding.target; }

  bool Applies(const CredentialBinding& binding) const {
    const Head& head = exchange_.request.head;
    return verified_ && IsTarget(binding) && (binding.methods.empty() || Contains(binding.methods, head.method)) &&
           IsPath(binding, head.path.substr(0, head.path.find('?'))) &&
           binding.who.Hold(exchange_.identity.get(), exchange_.worker().unix_seconds());
  }

  bool HoldsPlaceholder(std::string_view text) const {
    return std::any_of(options_.bindings.begin(), options_.bindings.end(), [text](const CredentialBinding& binding) {
      return text.find(binding.placeholder) != std::string_view::npos;
    });
  }

  Fault LookAt(size_t index) {
    const Field& field = exchange_.request.head.fields()[index];
    if (Fill(index, field)) return Fault::kNone;
    if (HoldsPlaceholder(field.value) || HoldsPlaceholder(InsideBasic(field.value))) return Fault::kCredentialMisplaced;
    return others_ && options_.known.IsField(field.name) ? JudgeOwn() : Fault::kNone;
  }

  // A credential of the client's own is there.
  Fault JudgeOwn() {
    if (*others_ == Others::kRefuse) return Fault::kCredentialForeign;
    strips_ = strips_ || *others_ == Others::kStrip;
    return Fault::kNone;
  }

  bool Fill(size_t index, const Field& field) {
    return std::any_of(options_.bindings.begin(), options_.bindings.end(), [&](const CredentialBinding& binding) {
      return binding.signs ? SignsInPlaceOf(binding, field) : FillFrom(binding, index, field);
    });
  }

  bool FillFrom(const CredentialBinding& binding, size_t index, const Field& field) {
    for (const CredentialPlace& place : binding.places) {
      if (!EqualsIgnoreCase(field.name, place.header) || !Applies(binding)) continue;
      SecretText value = FillCredential(field.value, binding.placeholder, binding.secret->Get()->text(), place.forms);
      if (value.text().empty()) continue;
      KeepEchoes(binding, value.text());
      filled_.push_back({index, std::move(value)});
      return true;
    }
    return false;
  }

  // The secret, and what stands for it behind Basic.
  void KeepEchoes(const CredentialBinding& binding, std::string_view value) {
    KeepEcho(binding, binding.secret->Get()->text());
    KeepEcho(binding, value.substr(value.find(' ') + 1));
  }
  void KeepEcho(const CredentialBinding& binding, std::string_view credential) {
    echoes_.push_back({SecretText(std::string(credential)), binding.placeholder});
  }

  bool SignsInPlaceOf(const CredentialBinding& binding, const Field& field) {
    if (!EqualsIgnoreCase(field.name, "authorization") || !Applies(binding)) return false;
    const std::optional<AwsAuthorization> theirs = ParseAwsAuthorization(field.value);
    if (!theirs || theirs->access_key_id != binding.placeholder) return false;
    // It copies from wherever the key may read.
    const bool copies = exchange_.request.head.Find("x-amz-copy-source") != nullptr;
    if (copies && !binding.path_prefixes.empty()) return false;
    signer_ = &binding;
    return true;
  }

  AwsRefusal Sign(Head& head) {
    const std::shared_ptr<const SecretText> secret = signer_->secret->Get();
    const std::optional<AwsCredential> credential = ParseAwsCredential(secret->text());
    CHECK(credential);  // looked at when it was read
    KeepEcho(*signer_, credential->session_token);
    return SignForAws(head, exchange_.target->Authority(exchange_.default_port()), *credential,
                      {signer_->signs->region, signer_->signs->service}, exchange_.worker().unix_seconds());
  }

  void StripFrom(Head& head) {
    head.RemoveIf([this](const Field& field) { return options_.known.IsField(field.name) && !IsFilled(field); });
    if (options_.known.AreInQuery(head.path)) head.path = head.Keep(options_.known.WithoutThem(head.path));
  }

  bool IsFilled(const Field& field) const {
    return std::any_of(filled_.begin(), filled_.end(),
                       [&](const Filled& filled) { return field.value == filled.value.text(); });
  }

  const CredentialBrokerOptions& options_;
  Exchange& exchange_;
  const bool verified_;
  std::optional<Others> others_;  // nullopt: nothing is bound to this host
  std::vector<Filled> filled_;
  std::vector<CredentialEcho> echoes_;
  bool strips_ = false;
  const CredentialBinding* signer_ = nullptr;  // whose key signs; null: it is not signed
};

Task<Response> CredentialBrokerFilter::Handle(Exchange& exchange, HttpNext next) const {
  Search search(options_, exchange);
  if (const Fault fault = search.Look(); fault != Fault::kNone) return Refuse(exchange, fault);
  if (const AwsRefusal refusal = search.Change(); refusal != AwsRefusal::kNone)
    return Refuse(exchange, Fault::kCredentialUnsigned, TextOf(refusal));
  std::vector<CredentialEcho> echoes = search.TakeEchoes();
  return echoes.empty() ? next(exchange) : Answer(exchange, next, std::move(echoes));
}

}  // namespace egret
