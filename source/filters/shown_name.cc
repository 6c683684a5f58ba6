#include "source/filters/shown_name.h"

#include <memory>
#include <optional>
#include <utility>

#include "source/chain/decide.h"
#include "source/chain/local_reply.h"
#include "source/filters/recorded.h"

namespace egret {
namespace {

std::optional<Target> NameOn(const Connection& connection) {
  if (connection.protocol != Protocol::kTls || !connection.target->literal || connection.sni.empty())
    return std::nullopt;
  std::optional<Target> name = ParseServerName(connection.sni, connection.target->port);
  if (name && name->literal) return std::nullopt;
  return name;
}

// As if it had been asked for by name; said at the stage where it is learned.
Decision JudgeName(const Connection& connection, const Target& name, const PolicyStack& stack) {
  Facts facts = FactsOf(connection);
  facts.target = &name;
  Decision decision = DecideTarget(connection.worker, &*connection.record, stack, facts, Ask::kTunnel).decision;
  decision.stage = Stage::kHello;
  return decision;
}

}  // namespace

bool ShowsName(const Connection& connection) { return NameOn(connection).has_value(); }

Task<bool> LearnShownName(Connection& connection, const PolicyStack& stack) {
  Target name = *NameOn(connection);
  const Decision decision = JudgeName(connection, name, stack);
  if (decision.denied()) {
    RecordDecision(connection.worker, *connection.record, decision);
    co_await RefuseTunnel(connection, decision);
    co_return false;
  }
  Result<Resolved, Fault> found = co_await ResolveRecorded(connection.worker, *connection.record, name.host);
  if (!found) {
    co_await RefuseTunnel(connection, {Side::kUpstream, found.error()});
    co_return false;
  }
  connection.binding->shown =
      std::make_shared<const ShownName>(ShownName{std::move(name), std::move(found->addresses)});
  co_return true;
}

}  // namespace egret
