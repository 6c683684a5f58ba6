// What the exit status of egret run means where it is not the command's own; as env(1) and others have it.
#pragma once

namespace egret {

inline constexpr int kExitDenied = 77;       // with --fail-on-deny: something was refused
inline constexpr int kExitOwnFailure = 125;  // of egret run itself
inline constexpr int kExitCannotExecute = 126;
inline constexpr int kExitNotFound = 127;
inline constexpr int kExitSignal = 128;  // plus the signal's number

}  // namespace egret
