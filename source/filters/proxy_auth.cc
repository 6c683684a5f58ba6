#include "source/filters/proxy_auth.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "source/base/client_network.h"
#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/local_reply.h"

namespace egret {
namespace {

using Kind = AuthVerdict::Kind;

// Whoever mistypes, and many who share an address, never meet it; who guesses has one try a second.
constexpr RateLimits kWrongOnes = {.rate = 1, .burst = 32, .tunnels = 0, .keys = 65536};
constexpr uint64_t kNsPerMs = 1'000'000;

Response Refuse(Exchange& exchange, AuthRefusal why, Failure failure) {
  exchange.worker().counters().auth.refused[static_cast<size_t>(why)].Add();
  return LocalReply(exchange, failure);
}

Response TryLater(Exchange& exchange, AuthRefusal why, Failure failure, uint64_t after_ms) {
  Response response = Refuse(exchange, why, failure);
  response.head.Add("Retry-After", Cat((after_ms + 999) / 1000));
  return response;
}

AuthQuestion QuestionOf(Exchange& exchange, const std::optional<Credentials>& credentials) {
  const Connection& connection = exchange.connection();
  AuthQuestion question;
  if (credentials) question.credentials = &*credentials;
  question.certificate = connection.identity;
  question.source = connection.peer.address;
  question.in_tls = connection.tls != nullptr;
  question.now_ms = exchange.worker().loop().now_ms();
  question.now = exchange.worker().unix_seconds();
  return question;
}

}  // namespace

// How far the search for who asks has come.
struct ProxyAuthFilter::Search {
  enum class End : uint8_t { kNobody, kAccepted, kWrong, kBusy, kThrottled };

  std::optional<Credentials> credentials;
  End end = End::kNobody;
  AuthBy by = AuthBy::kNobody;
  std::shared_ptr<const Identity> identity;
  bool charged = false;  // it counts as a wrong one until it turns out to be right
  uint64_t retry_ms = 1000;
};

ProxyAuthFilter::ProxyAuthFilter(ProxyAuthOptions options)
    : options_(std::move(options)), wrong_(RateTable::Make(kWrongOnes)) {
  for (const auto& method : options_.methods)
    for (std::string& challenge : method->Challenges(options_.realm))
      if (std::find(challenges_.begin(), challenges_.end(), challenge) == challenges_.end())
        challenges_.push_back(std::move(challenge));
}

Task<void> ProxyAuthFilter::Try(Exchange& exchange, Search& search) const {
  const AuthQuestion question = QuestionOf(exchange, search.credentials);
  for (const auto& method : options_.methods) {
    // A wrong credential is not made good by what else is known.
    if (search.end == Search::End::kWrong && !JudgesCredentials(method->by())) continue;
    AuthVerdict verdict = method->AtOnce(question);
    if (verdict.kind == Kind::kCosts) {
      if (!Charge(search, question)) co_return;
      verdict = co_await method->Check(question);
    }
    if (verdict.kind == Kind::kWrong) search.end = Search::End::kWrong;
    if (verdict.kind == Kind::kBusy) search.end = Search::End::kBusy;
    if (verdict.kind != Kind::kAccepted && verdict.kind != Kind::kBusy) continue;
    if (search.charged) wrong_->Return(ClientKey(question.source));
    if (verdict.kind == Kind::kBusy) co_return;
    search.end = Search::End::kAccepted;
    search.by = method->by();
    search.identity = std::move(verdict.identity);
    co_return;
  }
}

// False: too many that were wrong came from there.
bool ProxyAuthFilter::Charge(Search& search, const AuthQuestion& question) const {
  if (search.charged) return true;
  const RateTable::Taken taken = wrong_->Take(ClientKey(question.source), false, question.now_ms * kNsPerMs);
  search.charged = taken.verdict == RateTable::Verdict::kTaken;
  if (search.charged) return true;
  search.end = Search::End::kThrottled;
  search.retry_ms = taken.retry_ms;
  return false;
}

// Nobody asks, as far as is known.
std::optional<Response> ProxyAuthFilter::TakeNobody(Exchange& exchange) const {
  if (!options_.optional && challenges_.empty())
    return Refuse(exchange, AuthRefusal::kMissing, {Side::kClient, Fault::kNoIdentity});
  if (!options_.optional) return Refuse(exchange, AuthRefusal::kMissing, {Side::kClient, Fault::kAuthRequired});
  exchange.may_identify = !challenges_.empty();
  exchange.worker().counters().auth.accepted[static_cast<size_t>(AuthBy::kNobody)].Add();
  return std::nullopt;
}

std::optional<Response> ProxyAuthFilter::Conclude(Exchange& exchange, const Search& search) const {
  // Whom the connection is known for counts only as far as a method takes it.
  exchange.identity = search.identity;
  exchange.record().identity.clear();
  switch (search.end) {
    case Search::End::kNobody:
      return TakeNobody(exchange);
    case Search::End::kAccepted:
      exchange.worker().counters().auth.accepted[static_cast<size_t>(search.by)].Add();
      if (search.identity->ends != Identity::kNever) exchange.worker().credential_ends().Note(search.identity->ends);
      if (search.identity->named()) exchange.record().identity = search.identity->Name();
      return std::nullopt;
    case Search::End::kWrong: {
      const bool malformed = search.credentials->scheme() == Credentials::Scheme::kMalformed;
      return Refuse(exchange, malformed ? AuthRefusal::kMalformed : AuthRefusal::kWrong,
                    {Side::kClient, Fault::kAuthWrong});
    }
    case Search::End::kBusy:
      return TryLater(exchange, AuthRefusal::kBusy, {Side::kEgret, Fault::kAuthBusy}, search.retry_ms);
    case Search::End::kThrottled:
      return TryLater(exchange, AuthRefusal::kThrottled, {Side::kClient, Fault::kAuthThrottled}, search.retry_ms);
  }
  return std::nullopt;
}

Task<std::optional<Response>> ProxyAuthFilter::Identify(Exchange& exchange) const {
  exchange.challenges = challenges_;
  if (exchange.credentials_repeated)
    co_return Refuse(exchange, AuthRefusal::kMalformed, {Side::kClient, Fault::kHttpCredentials});
  Search search;
  if (exchange.proxy_authorization) search.credentials = Credentials::Parse(*exchange.proxy_authorization);
  co_await Try(exchange, search);
  co_return Conclude(exchange, search);
}

Task<Response> ProxyAuthFilter::Handle(Exchange& exchange, HttpNext next) const {
  if (std::optional<Response> refusal = co_await Identify(exchange)) co_return std::move(*refusal);
  co_return co_await next(exchange);
}

}  // namespace egret
