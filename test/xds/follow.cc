// Follows a control plane as the proxy does, for servers in other languages to be tried on:
//   follow BOOTSTRAP [KEEPALIVE_MS]
// A line "in force: listeners l policies p" for each configuration; for each line on standard input one of the status.
// It ends with standard input.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <string_view>

#include "source/config/bootstrap_file.h"
#include "source/xds/subscriber.h"
#include "test/xds/push.h"

namespace egret {
namespace {

class PrintingSink final : public ConfigSink {
 public:
  std::vector<ConfigError> Apply(std::shared_ptr<const config::v1::Bootstrap> effective) override {
    auto errors = inner_.Apply(std::move(effective));
    if (errors.empty()) std::printf("in force: %s\n", inner_.Names().c_str());
    std::fflush(stdout);
    return errors;
  }

 private:
  RememberingSink inner_;
};

void Print(const PushStatus& status) {
  std::string line = Cat("status: source=", NameOf(status.source), " connected=", status.connected ? 1 : 0,
                         " server=", status.server, " attempts=", status.attempts, " streams=", status.streams,
                         " applied=", status.applied, " error=\"", status.last_error, "\"");
  for (const ResourceStatus& one : status.resources)
    Append(line, " ", one.name, "=", one.version_received, "/", one.version_in_force, "/", NameOf(one.state));
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

int Follow(const char* file, int keepalive_ms) {
  auto bootstrap = std::make_shared<config::v1::Bootstrap>();
  const LoadResult loaded = LoadFile(file, *bootstrap);
  if (!loaded.ok()) {
    std::fputs(ToString(loaded.errors).c_str(), stderr);
    return 1;
  }
  PrintingSink sink;
  Subscriber subscriber({.keepalive_ms = keepalive_ms, .keepalive_timeout_ms = keepalive_ms});
  subscriber.Start(bootstrap, sink);
  for (std::string line; std::getline(std::cin, line);) Print(*subscriber.Status());
  return 0;
}

}  // namespace
}  // namespace egret

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  return egret::Follow(argv[1], argc > 2 ? std::atoi(argv[2]) : 30'000);
}
