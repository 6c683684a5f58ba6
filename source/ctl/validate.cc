#include "source/ctl/validate.h"

#include "source/base/strings.h"
#include "source/config/bootstrap_file.h"
#include "source/config/error.h"

namespace egret {

int RunValidate(std::span<const std::string> arguments, Output& output) {
  for (const std::string& argument : arguments)
    if (argument.size() > 1 && argument.starts_with('-'))
      return Misuse("validate", Cat("no option ", argument), output);
  if (arguments.empty()) return Misuse("validate", "no file", output);
  int status = kDone;
  for (const std::string& path : arguments) {
    const BootstrapFile file = ReadBootstrap(path);
    output.err += ToString(file.errors);
    if (file.ok())
      Append(output.out, path, ": ok\n");
    else
      status = kRefused;
  }
  return status;
}

}  // namespace egret
