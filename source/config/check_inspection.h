// Rules that can be told only from inside TLS beside chains that look inside, or do not. Where none does, such a rule
// would leave every tunnel that it may hold for to `no_chain`.
#pragma once

#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

// Whether TLS that is to be inspected finds a chain of this listener that decrypts it. `chains_of` is not followed.
// What the match of a chain says of names, ports and sources is taken to fit.
bool Decrypts(const config::v1::Listener& listener);

// The rules of these policies that need that, as errors. `way`: how a connection gets there, for people.
std::vector<ConfigError> CheckUninspected(const config::v1::Bootstrap& bootstrap,
                                          const std::vector<std::string>& policies, const std::string& way);

}  // namespace egret
