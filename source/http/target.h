// A request target (RFC 9112 3.2) split into raw slices. What has more than one reading is refused: userinfo, fragment,
// backslash, space, controls, bytes beyond ASCII, "http:/x". Whether the authority is a good name or address, and in
// which canonical form, is for the policy to say.
#pragma once

#include <string_view>

#include "source/base/failure.h"
#include "source/base/result.h"
#include "source/http/head.h"

namespace egret {

struct RequestTarget {
  TargetForm form = TargetForm::kOrigin;
  std::string_view scheme;     // absolute-form: "http", "https", or another one as received
  std::string_view authority;  // absolute-form and CONNECT: host[:port] as received
  std::string_view path;       // with query: "/...", "*", and as received "" or "?..." behind a bare authority
};

// kHttpConnectTarget for a CONNECT that does not say host:port, else kHttpTarget.
Result<RequestTarget, Fault> ParseTarget(std::string_view method, std::string_view raw);

// host or host:port of plain characters: no userinfo, path, list or white space. For Host.
bool IsPlainAuthority(std::string_view text);

}  // namespace egret
