// A parent proxy that people name on the command line: all that leaves goes through it.
#pragma once

#include <optional>
#include <string>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"

namespace egret {

// Puts the parent into a configuration that is loaded, for every way out that names none of its own. `url`:
// http://[user:password@]host:port, user and password percent-encoded (RFC 3986 3.2.1); `credentials`: a file with
// user:password in their place, or empty. What is wrong is told with the option's name, and without the password.
std::optional<Problem> GoOutThrough(const std::string& url, const std::string& credentials,
                                    config::v1::Bootstrap& bootstrap);

}  // namespace egret
