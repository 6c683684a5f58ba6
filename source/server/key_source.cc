#include "source/server/key_source.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/failure.h"
#include "source/base/strings.h"
#include "source/http/http1_client.h"
#include "source/io/dial.h"
#include "source/upstream/tls_handshake.h"

namespace egret {
namespace {

constexpr uint64_t kHandshakeMs = 10'000;

using Got = Result<PublishedKeys, Problem>;

Problem ProblemOf(Fault fault) { return {std::string(TextOf(fault).detail)}; }

// Those of the addresses that may be dialled.
Result<std::vector<IpAddress>, Problem> Vet(const AddressGuard& guard, const KeyAddress& address,
                                            const std::vector<IpAddress>& found) {
  const bool filter = guard.mixed_answers() == AddressGuard::MixedAnswers::kFilter;
  const CidrSet* const opened[] = {&address.reaches_private};
  std::vector<IpAddress> vetted;
  std::optional<Problem> refused;
  for (const IpAddress& one : found) {
    const Finding finding = guard.Judge(one, address.at.target.port, opened);
    if (!finding) {
      vetted.push_back(one);
      continue;
    }
    if (!refused)
      refused = Problem{Cat(one.ToString(), " is refused: ", finding.reason,
                            finding.exemptible ? Cat("; reaches_private: [\"", finding.range.ToString(), "\"] opens it")
                                               : "; nothing opens this")};
  }
  if (refused && (!filter || vetted.empty())) return *refused;
  return vetted;
}

Head RequestOf(const KeyAddress& address) {
  Head head;
  head.method = "GET";
  head.form = TargetForm::kOrigin;
  head.path = head.Keep(address.at.path);
  head.Add(FieldName::kHost, address.at.target.Authority(443));
  head.Add("Accept", "application/jwk-set+json, application/json");
  head.Add("User-Agent", "egret");
  return head;
}

Task<Got> Fetch(Stream& stream, const Head& request) {
  const Http1ClientLimits limits;
  Http1Client client(stream, limits);
  if (const Failure failure = co_await client.SendHead(request, nullptr)) co_return ProblemOf(failure.fault);
  Result<Head, Failure> head = co_await client.ReadHead();
  while (head && head->status / 100 == 1) head = co_await client.ReadHead();
  if (!head) co_return ProblemOf(head.error().fault);
  if (head->status != 200) co_return Problem{Cat("it answers ", head->status)};
  PublishedKeys keys;
  keys.max_age_s = MaxAgeOf(*head);
  const std::unique_ptr<Body> body = client.ResponseBody();
  while (body != nullptr) {
    const Chunk chunk = co_await body->Read();
    if (chunk.kind == Chunk::kEnd) break;
    if (chunk.kind == Chunk::kFailed) co_return ProblemOf(chunk.why.fault);
    if (keys.json.size() + chunk.bytes.size() > HttpsKeySource::kMostBytes)
      co_return Problem{Cat("longer than ", HttpsKeySource::kMostBytes, " bytes")};
    keys.json += chunk.bytes;
  }
  co_return keys;
}

}  // namespace

Task<Result<std::vector<IpAddress>, Problem>> HttpsKeySource::Find(const KeyAddress& address) {
  const Result<Resolved, Fault> resolved = co_await resolver_.Resolve(address.at.target.host);
  if (!resolved) co_return ProblemOf(resolved.error());
  co_return Vet(policy_()->guard(), address, resolved->addresses);
}

Task<Got> HttpsKeySource::Get(const KeyAddress& address) {
  const Result<std::vector<IpAddress>, Problem> vetted = co_await Find(address);
  if (!vetted) co_return vetted.error();
  const DialOptions options;
  DialResult dialled = co_await DialAny(*vetted, address.at.target.port, options);
  if (dialled.stream == nullptr) co_return ProblemOf(dialled.fault);
  const TlsOffer offer{address.tls->Get(), address.tls_name, {std::string(kAlpnHttp1)}};
  const TlsOutcome tls = co_await ShakeHands(dialled.stream, offer, kHandshakeMs);
  if (tls.fault != Fault::kNone) co_return Problem{Cat(TextOf(tls.fault).detail, ": ", tls.detail)};
  const Head request = RequestOf(address);
  co_return co_await Fetch(*dialled.stream, request);
}

std::optional<uint64_t> MaxAgeOf(const Head& response) {
  constexpr std::string_view kMaxAge = "max-age=";
  constexpr size_t kMostDigits = 10;  // RFC 9111 1.2.2: what is more is forever
  std::optional<uint64_t> age;
  for (const Field& field : response.fields()) {
    if (!EqualsIgnoreCase(field.name, "Cache-Control")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      std::string_view directive = TrimOws(SplitFirst(rest, ','));
      if (EqualsIgnoreCase(directive, "no-store") || EqualsIgnoreCase(directive, "no-cache")) return 0;
      if (!EqualsIgnoreCase(directive.substr(0, kMaxAge.size()), kMaxAge)) continue;
      directive.remove_prefix(kMaxAge.size());
      if (directive.size() <= kMostDigits) age = ParseDecimal<uint64_t>(directive);
    }
  }
  return age;
}

}  // namespace egret
