// Decisions that would change, as a table for people.
#pragma once

#include <cstdint>
#include <string>

#include "source/chain/change_table.h"

namespace egret {

// One row on a line of its own, as it comes.
std::string ChangeLine(const PolicyChange& change, const ChangeCount& count);
// All, the most frequent first. Times are in UTC.
std::string ChangesTable(const ChangeTable::Rows& rows);

struct ChangeTotals {
  uint64_t decisions = 0;  // that were compared
  uint64_t skipped = 0;    // too many to be
  uint64_t overflow = 0;   // changed, without a row
};
// The end of a preview: the table, where it has rows, and what there was in all.
std::string ChangesSummary(const ChangeTable::Rows& rows, const ChangeTotals& totals);

}  // namespace egret
