#include "source/policy/name_guard.h"

#include <algorithm>
#include <optional>

namespace egret {

Fault AgainstHello(const Evaluation& evaluation, const FactView& view, const ShownName* shown) {
  const Target& target = view.target();
  if (!view->sni.known()) return target.literal || evaluation.TakesNoName() ? Fault::kNone : Fault::kSniMissing;
  const std::optional<Target> name = ParseServerName(view->sni.value(), target.port);
  if (!name) return Fault::kSniMalformed;
  if (name->host == target.host) return Fault::kNone;
  if (name->literal) return Fault::kSniMismatch;
  if (target.literal) {
    const bool there =
        shown != nullptr && shown->target == *name &&
        std::find(shown->resolved.begin(), shown->resolved.end(), *target.literal) != shown->resolved.end();
    return there ? Fault::kNone : Fault::kSniAddressMismatch;
  }
  if (!view->ech) return Fault::kSniMismatch;
  return evaluation.TakesOuterName(name->host) ? Fault::kNone : Fault::kEchOuterName;
}

}  // namespace egret
