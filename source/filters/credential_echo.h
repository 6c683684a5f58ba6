// A net under what an origin says: a credential that it gives back in a field of its response head does not get to the
// client. A net, not a boundary: an origin that wants to tell it can tell it in other words, and content is not looked
// at.
#pragma once

#include <string_view>
#include <vector>

#include "source/base/secret_text.h"
#include "source/http/head.h"

namespace egret {

struct CredentialEcho {
  // Shorter ones stand in too much that is none.
  static constexpr size_t kShortest = 8;

  SecretText credential;
  std::string_view placeholder;
};

// Puts the placeholder where a field's value has the credential.
void TakeOutEchoes(Head& head, const std::vector<CredentialEcho>& echoes);

}  // namespace egret
