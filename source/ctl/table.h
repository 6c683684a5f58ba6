// Tables for a terminal. What is told may come from peers: nothing of it can move the cursor or end a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace egret {

// Without control characters, which become "?"; "-" where there is nothing.
std::string OneLine(std::string_view text);

// Rows of as many cells as the first one, in columns.
std::string Table(const std::vector<std::vector<std::string>>& rows);

// "4d3h", "2h5m", "5m12s", "12s".
std::string ShownSeconds(int64_t seconds);

}  // namespace egret
