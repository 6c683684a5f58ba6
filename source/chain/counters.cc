#include "source/chain/counters.h"

namespace egret {

std::string_view NameOf(Limit limit) {
  constexpr std::array<std::string_view, static_cast<size_t>(Limit::kCount)> kNames = {"connections",
                                                                                       "connections_per_source",
                                                                                       "connections_per_listener",
                                                                                       "requests_per_connection",
                                                                                       "rate_requests",
                                                                                       "rate_tunnels",
                                                                                       "idle_connection",
                                                                                       "hand_over_queue",
                                                                                       "http2_streams",
                                                                                       "http2_resets",
                                                                                       "http2_continuations",
                                                                                       "http2_head_bytes",
                                                                                       "http2_settings",
                                                                                       "http2_pings",
                                                                                       "http2_empty_frames",
                                                                                       "http2_priorities",
                                                                                       "http2_window_updates",
                                                                                       "http2_queued_frames",
                                                                                       "http2_stalled_streams",
                                                                                       "http2_unread_streams"};
  return kNames[static_cast<size_t>(limit)];
}

size_t DecisionCounts::Hash::operator()(const View& view) const {
  size_t hash = 0;
  for (const std::string_view part : {view.policy, view.rule, view.action, view.stage})
    hash = hash * 1000003 + std::hash<std::string_view>()(part);
  return hash;
}

std::string_view NameOf(BodyRewrite outcome) {
  constexpr std::array<std::string_view, static_cast<size_t>(BodyRewrite::kCount)> kNames = {
      "applied", "no_transform", "partial", "coding", "stream", "too_large", "malformed"};
  return kNames[static_cast<size_t>(outcome)];
}

std::string_view NameOf(AuthRefusal refusal) {
  constexpr std::array<std::string_view, static_cast<size_t>(AuthRefusal::kCount)> kNames = {
      "missing", "malformed", "wrong", "throttled", "busy"};
  return kNames[static_cast<size_t>(refusal)];
}

std::string_view NameOf(AuthzResult result) {
  constexpr std::array<std::string_view, static_cast<size_t>(AuthzResult::kCount)> kNames = {"allowed", "denied",
                                                                                             "error", "failed_open"};
  return kNames[static_cast<size_t>(result)];
}

std::string_view NameOf(TlsResult result) {
  constexpr std::array<std::string_view, static_cast<size_t>(TlsResult::kCount)> kNames = {
      "ok", "protocol", "certificate", "alert", "timeout", "gone"};
  return kNames[static_cast<size_t>(result)];
}

std::string_view NameOf(OcspStaple staple) {
  constexpr std::array<std::string_view, static_cast<size_t>(OcspStaple::kCount)> kNames = {
      "not_asked", "none", "unusable", "good", "revoked"};
  return kNames[static_cast<size_t>(staple)];
}

TlsResult TlsResultOf(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return TlsResult::kOk;
    case Fault::kTlsCertificate:
    case Fault::kTlsName:
      return TlsResult::kCertificate;
    case Fault::kTlsAlert:
      return TlsResult::kAlert;
    case Fault::kTlsTimeout:
      return TlsResult::kTimeout;
    case Fault::kTlsProtocol:
      return TlsResult::kProtocol;
    default:
      return TlsResult::kGone;
  }
}

void DecisionCounts::Add(const View& decision) {
  auto at = counts_.find(decision);
  if (at == counts_.end()) {
    const View told = counts_.size() < kMost ? decision : View{"other", "other", decision.action, decision.stage};
    at = counts_
             .try_emplace(Key{std::string(told.policy), std::string(told.rule), std::string(told.action),
                              std::string(told.stage)})
             .first;
  }
  ++at->second;
}

}  // namespace egret
