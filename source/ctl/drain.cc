#include "source/ctl/drain.h"

#include "source/base/strings.h"

namespace egret {

int RunDrain(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kDrainFlags, arguments);
  if (!given) return Misuse("drain", given.error().text, output);
  if (!given->words().empty()) return Misuse("drain", Cat(given->words().front(), ": one word too many"), output);
  const auto answer = AskAdmin(given->Get("--admin", kDefaultAdmin), "POST",
                               given->Has("--quit") ? "/quitquitquit" : "/drain_listeners");
  if (!answer) {
    Append(output.err, "egretctl drain: ", answer.error().text, "\n");
    return kNotReached;
  }
  output.out += "draining\n";
  return kDone;
}

}  // namespace egret
