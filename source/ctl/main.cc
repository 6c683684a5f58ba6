// egretctl: what can be told of configurations, of a proxy and of a fleet.
#include <cstdio>
#include <string>
#include <vector>

#include "source/ctl/command.h"

namespace {

// A full disk is no success.
bool Print(egret::Output& output) {
  std::fwrite(output.err.data(), 1, output.err.size(), stderr);
  std::fwrite(output.out.data(), 1, output.out.size(), stdout);
  output.err.clear();
  output.out.clear();
  return std::fflush(stdout) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  egret::Output output;
  output.flush = Print;
  const int status = egret::RunEgretctl(arguments, output);
  return Print(output) ? status : egret::kRefused;
}
