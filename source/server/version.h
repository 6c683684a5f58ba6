#pragma once

namespace egret {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace egret
