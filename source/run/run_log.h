// What is gathered from the access log of a run, for what is told of it at its end.
#pragma once

#include <optional>
#include <string_view>

#include "source/learn/access_line.h"
#include "source/learn/egress_record.h"
#include "source/learn/traffic.h"
#include "source/run/summary.h"

namespace egret {

struct RunLog {
  RunSummary summary;
  std::optional<Traffic> traffic;      // nullopt: no policy is to be made of it
  std::optional<EgressRecord> record;  // nullopt: none is to be written

  // Whole lines, in JSON.
  void Add(std::string_view lines) {
    ForEachAccessLine(lines, [this](const AccessLine& line) {
      summary.Add(line);
      if (traffic) traffic->Add(line);
      if (record) record->Add(line);
    });
  }
};

}  // namespace egret
