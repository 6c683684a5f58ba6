#include "source/chain/listener.h"

#include <algorithm>
#include <string_view>

#include "source/base/check.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"

namespace egret {
namespace {

bool NameMatches(std::string_view pattern, std::string_view name) {
  if (pattern.starts_with("*.")) return name.size() > pattern.size() - 1 && name.ends_with(pattern.substr(1));
  if (pattern.starts_with(".")) return name == pattern.substr(1) || name.ends_with(pattern);
  return name == pattern;
}

template <class List, class Predicate>
bool AnyOrUnset(const List& list, Predicate predicate) {
  return list.empty() || std::any_of(list.begin(), list.end(), predicate);
}

bool VerdictMatches(ChainMatch::Verdict verdict, const Connection& connection) {
  switch (verdict) {
    case ChainMatch::Verdict::kAny:
      return true;
    case ChainMatch::Verdict::kRelay:
      return connection.relay_permit.has_value();
    case ChainMatch::Verdict::kInspect:
      return connection.inspect_permit.has_value() || connection.judge_requests;
  }
  return false;
}

[[clang::coro_wrapper]] Task<void> EnterChain(Connection& connection, const ListenerChains& listener) {
  for (const FilterChain& chain : listener.chains)
    if (chain.match.Matches(connection)) return NetworkNext(chain.filters, nullptr)(connection);
  return RefuseTunnel(connection, {Side::kEgret, Fault::kNoChain});
}

}  // namespace

bool ChainMatch::Matches(const Connection& connection) const {
  return VerdictMatches(verdict, connection) && Takes(connection);
}

bool ChainMatch::Takes(const Connection& connection) const {
  const Endpoint& wanted = connection.original_destination ? *connection.original_destination : connection.local;
  const uint16_t port = connection.target ? connection.target->port : wanted.port;
  return (!protocol || protocol == connection.protocol) &&
         AnyOrUnset(server_names, [&](const std::string& name) { return NameMatches(name, connection.sni); }) &&
         AnyOrUnset(alpn,
                    [&](const std::string& offer) {
                      return std::find(connection.alpn.begin(), connection.alpn.end(), offer) != connection.alpn.end();
                    }) &&
         AnyOrUnset(ports, [&](uint16_t p) { return p == port; }) &&
         AnyOrUnset(sources, [&](const Cidr& range) { return range.Contains(connection.peer.address); });
}

Task<void> NetworkNext::operator()(Connection& connection) const {
  if (!rest_.empty()) return rest_.front()->Handle(connection, NetworkNext(rest_.subspan(1), choose_));
  CHECK(choose_ != nullptr);
  return EnterChain(connection, *choose_);
}

Task<Response> HttpNext::operator()(Exchange& exchange) const {
  CHECK(!rest_.empty());
  return rest_.front()->Handle(exchange, HttpNext(rest_.subspan(1)));
}

}  // namespace egret
