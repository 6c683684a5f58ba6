#include "source/tls/name_constraints.h"

#include <openssl/err.h>

#include "source/base/check.h"

namespace egret {
namespace {

bool SpeaksOfSubjects(const STACK_OF(GENERAL_SUBTREE) * trees) {
  for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); ++i)
    if (sk_GENERAL_SUBTREE_value(trees, i)->base->type == GEN_DIRNAME) return true;
  return false;
}

}  // namespace

bool NameConstraints::AddOf(const X509* ca) {
  constexpr int kAbsent = -1;
  int criticality = kAbsent;
  auto* const found = static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(ca, NID_name_constraints, &criticality, nullptr));
  if (found == nullptr) return criticality == kAbsent;
  all_.emplace_back(found);
  if (SpeaksOfSubjects(found->permittedSubtrees) || SpeaksOfSubjects(found->excludedSubtrees)) limit_subjects_ = true;
  return true;
}

std::optional<std::string> NameConstraints::Refuse(const LeafName& name) const {
  if (all_.empty()) return std::nullopt;
  // The library judges certificates only: one with this name and nothing else.
  const X509Ptr bearer(X509_new());
  CHECK(bearer != nullptr);
  PutAltNames(bearer.get(), {&name, 1}, true);
  X509_check_purpose(bearer.get(), -1, 0);  // reads its names
  ERR_clear_error();                        // it is no whole certificate
  for (const auto& constraints : all_)
    if (const int verdict = NAME_CONSTRAINTS_check(bearer.get(), constraints.get()); verdict != X509_V_OK)
      return X509_verify_cert_error_string(verdict);
  return std::nullopt;
}

}  // namespace egret
