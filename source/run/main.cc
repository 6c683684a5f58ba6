// egret: the proxy, or a command behind one.
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <span>
#include <string_view>

#include "source/base/crash.h"
#include "source/run/run.h"
#include "source/server/options.h"
#include "source/server/server.h"
#include "source/server/version.h"
#include "source/tls/key_memory.h"
#include "source/tls/record_memory.h"

namespace {

// So that no file or socket of ours comes to be where others write to, or read from.
void FillClosedStreams() {
  int fd = 0;
  do fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  using egret::Options;
  FillClosedStreams();
  if (argc > 1 && std::string_view(argv[1]) == "run")
    return egret::RunCommand(std::span<char* const>(argv, static_cast<size_t>(argc)).subspan(2));
  const egret::Result<Options, egret::Problem> options = egret::ParseOptions(argc, argv);
  if (!options) {
    std::fprintf(stderr, "egret: %s\n", options.error().text.c_str());
    return 2;
  }
  switch (options->mode) {
    case Options::Mode::kHelp:
      std::fputs(egret::HelpText().c_str(), stdout);
      return 0;
    case Options::Mode::kVersion:
      std::printf("egret %s\n", egret::kVersion);
      return 0;
    case Options::Mode::kValidate:
      return egret::RunValidate(*options);
    case Options::Mode::kServe:
      egret::TellOfCrashes();
      if (!options->core_dumps) prctl(PR_SET_DUMPABLE, 0);
      egret::KeepRecordMemory();
      if (!egret::SetUpKeyMemory()) std::fputs("egret: warning: keys may come to a core dump\n", stderr);
      return egret::RunServer(*options);
  }
  return 2;
}
