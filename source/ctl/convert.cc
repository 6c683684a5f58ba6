#include "source/ctl/convert.h"

#include <optional>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/base/strings.h"
#include "source/config/bootstrap_file.h"
#include "source/config/canonical.h"
#include "source/config/error.h"

namespace egret {
namespace {

struct Wanted {
  std::string path;
  std::string format = "json";
};

Result<Wanted, std::string> Parse(std::span<const std::string> arguments) {
  Wanted wanted;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument == "--to" && i + 1 < arguments.size()) {
      wanted.format = arguments[++i];
    } else if (argument.starts_with("--to=")) {
      wanted.format = argument.substr(5);
    } else if (argument.size() > 1 && argument.starts_with('-')) {
      return Cat(argument == "--to" ? "no format after " : "no option ", argument);
    } else if (!wanted.path.empty()) {
      return std::string("more than one file");
    } else {
      wanted.path = argument;
    }
  }
  if (wanted.path.empty()) return std::string("no file");
  if (wanted.format != "json" && wanted.format != "textproto") return Cat("no format ", wanted.format);
  return wanted;
}

}  // namespace

int RunConvert(std::span<const std::string> arguments, Output& output) {
  const Result<Wanted, std::string> wanted = Parse(arguments);
  if (!wanted.ok()) return Misuse("convert", wanted.error(), output);
  config::v1::Bootstrap bootstrap;
  const LoadResult loaded = LoadFile(wanted->path, bootstrap);
  output.err += ToString(loaded.errors);
  if (!loaded.ok()) return kRefused;
  output.out += wanted->format == "json" ? ToCanonicalJson(bootstrap) : ToTextproto(bootstrap);
  return kDone;
}

}  // namespace egret
