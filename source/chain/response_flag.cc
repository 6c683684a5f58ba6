#include "source/chain/log_format.h"

namespace egret {

// Ranges follow the order of the table of faults: what a client sent, what policy refused, what the upstream did, ours.
std::string_view ResponseFlagOf(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "";
    case Fault::kClientGone:
    case Fault::kClientEnded:
      return "DC";
    case Fault::kClientTimeoutHeader:
    case Fault::kClientTimeoutBody:
    case Fault::kClientTimeoutWrite:
    case Fault::kIdleTimeout:
    case Fault::kHalfClosedTimeout:
      return "SI";
    case Fault::kLifetime:
    case Fault::kTotalTimeout:
      return "DT";
    case Fault::kCredentialMisplaced:
    case Fault::kCredentialForeign:
    case Fault::kCredentialUnsigned:
    case Fault::kPolicyDenied:
    case Fault::kAddressProhibited:
    case Fault::kSniMissing:
    case Fault::kSniMalformed:
    case Fault::kSniMismatch:
    case Fault::kSniAddressMismatch:
    case Fault::kEchOuterName:
    case Fault::kMisdirected:
    case Fault::kNeedsInspection:
    case Fault::kProxyLoop:
    case Fault::kAuthRequired:
    case Fault::kAuthWrong:
    case Fault::kNoIdentity:
    case Fault::kPolicyRevoked:
    case Fault::kInspectionNowRequired:
    case Fault::kDepth:
    case Fault::kExtAuthzDenied:
    case Fault::kExtAuthzError:
      return "UAEX";
    case Fault::kNoChain:
      return "NR";
    case Fault::kDnsTimeout:
    case Fault::kDnsFailure:
    case Fault::kDnsNotFound:
    case Fault::kDnsNoAddress:
      return "DF";
    case Fault::kConnectRefused:
    case Fault::kConnectTimeout:
    case Fault::kConnectUnreachable:
    case Fault::kConnectProhibited:
    case Fault::kConnectReset:
    case Fault::kLocalPortExhausted:
    case Fault::kDescriptorsExhausted:
    case Fault::kConnectFailed:
    case Fault::kParentRefused:
    case Fault::kParentAuth:
    case Fault::kParentMalformed:
      return "UF";
    case Fault::kUpstreamClosed:
    case Fault::kUpstreamTruncated:
      return "UC";
    case Fault::kUpstreamReset:
    case Fault::kUpstreamRefused:
      return "UR";
    case Fault::kUpstreamMalformed:
    case Fault::kUpstreamHttp2:
    case Fault::kUpstreamFraming:
    case Fault::kUpstreamHeaderTooLarge:
    case Fault::kUpstreamTooManyInterim:
    case Fault::kUpstreamUnasked101:
    case Fault::kUpstreamUnasked407:
    case Fault::kUpstreamBadUpgrade:
    case Fault::kUpstreamUnchangeable:
      return "UPE";
    case Fault::kUpstreamTimeoutHeader:
    case Fault::kUpstreamTimeoutBody:
    case Fault::kUpstreamTimeoutWrite:
      return "UT";
    case Fault::kRateLimited:
    case Fault::kAuthThrottled:
      return "RL";
    case Fault::kOverload:
      return "OM";
    case Fault::kConnectionLimit:
    case Fault::kPoolLimit:
    case Fault::kAuthBusy:
      return "UO";
    case Fault::kDrain:
    case Fault::kConfigSuperseded:
    case Fault::kAdminEnded:
      return "LR";
    default:
      return fault < Fault::kClientGone ? "DPE" : "";
  }
}

}  // namespace egret
