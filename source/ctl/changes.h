// Decisions that would change, as a table for people.
#pragma once

#include <string>

#include "source/chain/change_table.h"

namespace egret {

// One row on a line of its own, as it comes.
std::string ChangeLine(const PolicyChange& change, const ChangeCount& count);
// All, the most frequent first. Times are in UTC.
std::string ChangesTable(const ChangeTable::Rows& rows);

}  // namespace egret
