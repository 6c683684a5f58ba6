// What is gathered from the access log of a run, for what is told of it at its end.
#pragma once

#include <errno.h>

#include <optional>
#include <string_view>

#include "source/learn/access_line.h"
#include "source/learn/egress_record.h"
#include "source/learn/traffic.h"
#include "source/run/summary.h"
#include "source/run/write_all.h"

namespace egret {

struct RunLog {
  RunSummary summary;
  std::optional<Traffic> traffic;      // nullopt: no policy is to be made of it
  std::optional<EgressRecord> record;  // nullopt: none is to be written
  int lines = -1;                      // a file that all lines are written to as they come; -1: none is
  int lines_error = 0;                 // errno of that, once it went wrong: then it has ended

  // Whole lines, in JSON.
  void Add(std::string_view text) {
    if (lines >= 0 && lines_error == 0 && !WriteAll(lines, text)) lines_error = errno;
    ForEachAccessLine(text, [this](const AccessLine& line) {
      summary.Add(line);
      if (traffic) traffic->Add(line);
      if (record) record->Add(line);
    });
  }
};

}  // namespace egret
