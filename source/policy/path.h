// Paths as rules see them. A path is forwarded as it came and, without its query, matched as it came: nothing is
// rewritten between the two. But origins differ in how they read one. Some decode %2F, take "\" for "/", drop
// ";params", end at %00, decode twice or accept overlong UTF-8; all resolve dot segments, in one order or another. So
//  - a path that an origin may read as another one is *ambiguous*, and matches nothing in an ALLOW;
//  - in a DENY the path is matched as it came and in every other reading, and any match counts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace egret {

// Dot segments (plain or escaped, or dots with ";params"), empty segments, an escaped or plain backslash, an escaped
// slash, NUL or control character, "%25" before two hex digits, an invalid escape, overlong UTF-8, '?', '#' or a
// control character as such, or no leading slash ("*" is fine).
bool IsAmbiguous(std::string_view path);

// The other readings of a path: escapes decoded once or (eight times at most) until none is left, backslashes as
// slashes, ";params" kept or dropped, cut at NUL, dot segments resolved before or after empty segments are merged.
// Without `path` itself.
std::vector<std::string> OtherReadings(std::string_view path);

// The path with escapes of unreserved characters decoded, which every URI library may do (RFC 3986 6.2.2.2).
std::string WithoutNeedlessEscapes(std::string_view path);

}  // namespace egret
