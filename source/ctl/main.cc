// egretctl: what can be told of configurations without a running proxy.
#include <cstdio>
#include <string>
#include <vector>

#include "source/ctl/command.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  egret::Output output;
  const int status = egret::RunEgretctl(arguments, output);
  std::fwrite(output.err.data(), 1, output.err.size(), stderr);
  std::fwrite(output.out.data(), 1, output.out.size(), stdout);
  // A full disk is no success.
  return std::fflush(stdout) == 0 ? status : egret::kRefused;
}
