#include "source/ctl/learn.h"

#include "source/base/strings.h"
#include "source/config/error.h"
#include "source/config/file.h"
#include "source/learn/proposal.h"
#include "source/learn/traffic.h"

namespace egret {
namespace {

constexpr size_t kMostLog = size_t{1} << 30;

}  // namespace

int RunLearn(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kLearnFlags, arguments);
  if (!given) return Misuse("learn", given.error().text, output);
  if (given->words().size() != 1) return Misuse("learn", "from which log? give one LOG, or -", output);
  const std::string& path = given->words().front();
  const auto log = ReadWholeFile(path == "-" ? "/dev/stdin" : path, kMostLog, FileKind::kAny);
  if (!log) {
    output.err += ToString({{.file = path, .why = log.error().why, .remedy = log.error().remedy}});
    return kRefused;
  }
  Traffic traffic;
  traffic.Add(*log);
  if (traffic.by_identity().empty()) {
    Append(output.err, "egretctl learn: ", path, " tells of nothing that was allowed and reached (", traffic.refused(),
           " lines of what was refused)\n");
    return kRefused;
  }
  output.out += ProposedYaml(traffic, ProposeRules(traffic, !given->Has("--for-anybody")),
                             given->Get("--name", "learned"), "egretctl learn");
  return kDone;
}

}  // namespace egret
