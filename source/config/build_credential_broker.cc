#include "source/config/build_credential_broker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "source/auth/sigv4.h"
#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/policy/target.h"

namespace egret {
namespace {

using filters::http::v1::CredentialBroker;
using Others = CredentialBinding::Others;

Result<std::shared_ptr<const SecretText>, Problem> ReadCredential(const SecretTable& secrets, const std::string& name,
                                                                  bool signs) {
  Result<std::string, Problem> text = ReadPart(secrets.Get(name).credential(), secrets.Get(name), "credential");
  if (!text) return text.error();
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  const bool sound = std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c < '\x7f'; });
  auto credential = std::make_shared<const SecretText>(std::move(*text));
  if (!sound || credential->text().empty())
    return Problem{Cat("secrets.", name, ".credential: not one line of visible ASCII")};
  if (signs && !ParseAwsCredential(credential->text()))
    return Problem{Cat("secrets.", name, ".credential: not ACCESS_KEY_ID:SECRET_KEY or with :SESSION_TOKEN after it")};
  return std::shared_ptr<const SecretText>(std::move(credential));
}

Others OthersOf(CredentialBroker::Binding::OtherCredentials others) {
  switch (others) {
    case CredentialBroker::Binding::STRIP:
      return Others::kStrip;
    case CredentialBroker::Binding::PASS:
      return Others::kPass;
    default:
      return Others::kRefuse;
  }
}

std::vector<CredentialPlace> PlacesOf(const CredentialBroker::Binding& binding) {
  const CredentialForms alone = {.token = false, .basic = false}, token = {.alone = false, .basic = false};
  const auto basic = [](bool or_token, std::string_view user) {
    return CredentialForms{.alone = false, .token = or_token, .basic_user = std::string(user)};
  };
  switch (binding.template_()) {
    case CredentialBroker::Binding::GITHUB:
      return {{"authorization", basic(true, "x-access-token")}};
    case CredentialBroker::Binding::PYPI:
      return {{"authorization", basic(false, "__token__")}};
    case CredentialBroker::Binding::ANTHROPIC:
      return {{"x-api-key", alone}, {"authorization", token}};
    case CredentialBroker::Binding::NPM:
    case CredentialBroker::Binding::OPENAI:
      return {{"authorization", token}};
    default:
      if (binding.header().empty()) return {};
      return {{binding.header(), {}}};
  }
}

std::optional<SigningScope> ScopeOf(const CredentialBroker::Binding& binding) {
  if (!binding.has_s3()) return std::nullopt;
  return SigningScope{binding.s3().region(), binding.s3().service().empty() ? "s3" : binding.s3().service()};
}

template <class List>
std::vector<std::string> Texts(const List& list) {
  return {list.begin(), list.end()};
}

BoundIdentities WhoOf(const CredentialBroker::Binding& binding) {
  return {Texts(binding.users()), Texts(binding.groups()), Texts(binding.spiffe_ids()),
          Texts(binding.service_accounts())};
}

}  // namespace

Result<CredentialBrokerOptions, Problem> MakeCredentialBroker(const CredentialBroker& message, const std::string& what,
                                                              const SecretTable& secrets,
                                                              std::vector<Renewable>& renewables) {
  CredentialBrokerOptions options;
  options.known = KnownCredentials(Texts(message.credential_headers()), Texts(message.credential_query_keys()));
  for (const CredentialBroker::Binding& binding : message.bindings()) {
    Renewable part;
    part.what = what;
    part.secrets = {binding.secret()};
    auto secret = MakeCurrent<SecretText>(
        secrets,
        [name = binding.secret(), signs = binding.has_s3()](const SecretTable& of) {
          return ReadCredential(of, name, signs);
        },
        part);
    if (!secret) return Problem{Cat(what, ": ", secret.error().text)};
    renewables.push_back(std::move(part));
    const uint16_t port = binding.port() == 0 ? uint16_t{443} : static_cast<uint16_t>(binding.port());
    Result<Target, Fault> target = ParseAuthority(binding.host(), port);
    CHECK(target.ok());  // validated
    options.bindings.push_back({std::move(*secret), std::move(*target), PlacesOf(binding), ScopeOf(binding),
                                binding.placeholder(), Texts(binding.methods()), Texts(binding.path_prefixes()),
                                WhoOf(binding), OthersOf(binding.other_credentials())});
  }
  return options;
}

}  // namespace egret
