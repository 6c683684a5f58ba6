#include "source/config/build_credential_broker.h"

#include <algorithm>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/policy/target.h"

namespace egret {
namespace {

using filters::http::v1::CredentialBroker;
using Others = CredentialBinding::Others;

Result<std::shared_ptr<const SecretText>, Problem> ReadCredential(const SecretTable& secrets, const std::string& name) {
  Result<std::string, Problem> text = ReadPart(secrets.Get(name).credential(), secrets.Get(name), "credential");
  if (!text) return text.error();
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  const bool sound = std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c < '\x7f'; });
  auto credential = std::make_shared<const SecretText>(std::move(*text));
  if (!sound || credential->text().empty())
    return Problem{Cat("secrets.", name, ".credential: not one line of visible ASCII")};
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

template <class List>
std::vector<std::string> Texts(const List& list) {
  return {list.begin(), list.end()};
}

}  // namespace

Result<std::vector<CredentialBinding>, Problem> MakeBindings(const CredentialBroker& message, const std::string& what,
                                                             const SecretTable& secrets,
                                                             std::vector<Renewable>& renewables) {
  std::vector<CredentialBinding> bindings;
  for (const CredentialBroker::Binding& binding : message.bindings()) {
    Renewable part;
    part.what = what;
    part.secrets = {binding.secret()};
    auto secret = MakeCurrent<SecretText>(
        secrets, [name = binding.secret()](const SecretTable& of) { return ReadCredential(of, name); }, part);
    if (!secret) return Problem{Cat(what, ": ", secret.error().text)};
    renewables.push_back(std::move(part));
    const uint16_t port = binding.port() == 0 ? uint16_t{443} : static_cast<uint16_t>(binding.port());
    Result<Target, Fault> target = ParseAuthority(binding.host(), port);
    CHECK(target.ok());  // validated
    bindings.push_back({std::move(*secret), std::move(*target), binding.header(), binding.placeholder(),
                        Texts(binding.methods()), Texts(binding.path_prefixes()), Texts(binding.users()),
                        Texts(binding.groups()), OthersOf(binding.other_credentials())});
  }
  return bindings;
}

}  // namespace egret
