#include <cstdio>

#include "source/base/crash.h"
#include "source/control/options.h"
#include "source/control/program.h"
#include "source/server/version.h"

int main(int argc, char** argv) {
  using egret::ControlOptions;
  const egret::Result<ControlOptions, egret::Problem> options = egret::ParseControlOptions(argc, argv);
  if (!options) {
    std::fprintf(stderr, "egret-control: %s\n", options.error().text.c_str());
    return 2;
  }
  switch (options->mode) {
    case ControlOptions::Mode::kHelp:
      std::fputs(egret::ControlHelp().c_str(), stdout);
      return 0;
    case ControlOptions::Mode::kVersion:
      std::printf("egret-control %s\n", egret::kVersion);
      return 0;
    case ControlOptions::Mode::kValidate:
      return egret::RunControlCheck(*options);
    case ControlOptions::Mode::kServe:
      egret::TellOfCrashes();
      return egret::RunControl(*options);
  }
  return 2;
}
