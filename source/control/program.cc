#include "source/control/program.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/base/json.h"
#include "source/base/log.h"
#include "source/base/service_manager.h"
#include "source/base/strings.h"
#include "source/control/ads_service.h"
#include "source/control/control_service.h"
#include "source/control/fleet_service.h"
#include "source/control/grpc_server.h"
#include "source/control/library.h"
#include "source/control/pages.h"
#include "source/control/rollouts.h"
#include "source/event/wait.h"
#include "source/server/admin.h"

namespace egret {
namespace {

constexpr std::chrono::seconds kEndWithin{2};  // streams never end by themselves
constexpr uint64_t kGoodbyeMs = 10'000;        // all of the end: what is longer hangs

void Say(std::string_view text) { Log(LogComponent::kServer, LogLevel::kInfo, text); }

void Complain(std::string_view text) { Log(LogComponent::kServer, LogLevel::kError, text); }

// Read from a descriptor; every thread started after this has them blocked.
int OpenSignals() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT}) sigaddset(&set, number);
  CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  CHECK(fd >= 0);
  return fd;
}

bool WriteWhole(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  std::FILE* const file = std::fopen(temporary.c_str(), "we");
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && written && std::rename(temporary.c_str(), path.c_str()) == 0;
}

class Program {
 public:
  explicit Program(const ControlOptions& options)
      : options_(options),
        library_(options.resources, options.bootstraps, hub_),
        ads_(options.identifier, hub_, roster_),
        fleet_(roster_, switchboard_),
        watch_(switchboard_),
        rollouts_(options.identifier, options.rollouts, hub_, roster_, watch_),
        operators_(options.identifier, {options.viewers, options.operators},
                   {hub_, library_, roster_, rollouts_, switchboard_, watch_}),
        pages_(hub_, roster_) {}

  int Run() {
    const int signals = OpenSignals();
    library_.Start();
    rollouts_.Start();  // before proxies come: what they were given, they are given again
    const bool started = OpenAdmin() && OpenGrpc() && OpenControl();
    if (started) {
      Announce();
      TellReady();
      FdWatch watch;
      CHECK(loop_.Watch(signals, watch));
      while (!watch.read.open()) loop_.Turn(-1);
      Say("ends");
      TellStopping(kGoodbyeMs);
    }
    for (const GrpcServer* one : {&control_, &grpc_})
      if (one->server) one->server->Shutdown(std::chrono::system_clock::now() + kEndWithin);
    rollouts_.Stop();
    library_.Stop();
    admin_.reset();
    close(signals);
    return started ? 0 : 1;
  }

 private:
  bool OpenAdmin() {
    if (options_.admin.empty()) return true;
    const auto address = ListenAddress::Parse(options_.admin);
    if (!address) {
      Complain(Cat("--admin ", options_.admin, ": takes an address and a port, or unix:PATH"));
      return false;
    }
    auto socket = ListenSocket::Open(*address, {});
    if (!socket) {
      Complain(Cat("--admin ", socket.error()));
      return false;
    }
    admin_.emplace(std::move(*socket), pages_);
    return true;
  }

  bool OpenGrpc() { return Open(options_.listen, Tls(), {&ads_, &fleet_}, grpc_); }

  bool OpenControl() {
    if (options_.control.empty()) return true;
    const bool local = options_.control.starts_with("unix:");
    return Open(options_.control, local ? ServerTlsFiles() : Tls(), {&operators_}, control_);
  }

  ServerTlsFiles Tls() const {
    return {.certificate = options_.tls_certificate, .key = options_.tls_key, .client_ca = options_.client_ca};
  }

  static bool Open(const std::string& address, const ServerTlsFiles& tls, const std::vector<grpc::Service*>& services,
                   GrpcServer& into) {
    auto started = StartGrpcServer(address, tls, services);
    if (started)
      into = std::move(*started);
    else
      Complain(started.error().text);
    return started.ok();
  }

  void Announce() {
    std::string json;
    JsonWriter out(json);
    out.BeginObject();
    out.Member("listen", grpc_.address);
    Say(Cat("serves proxies on ", grpc_.address));
    if (control_.server) {
      out.Member("control", control_.address);
      Say(Cat("operators ask on ", control_.address));
    }
    if (admin_) {
      out.Member("admin", admin_->bound().ToString());
      Say(Cat("admin on ", admin_->bound().ToString()));
    }
    out.EndObject();
    if (!options_.ready_file.empty() && !WriteWhole(options_.ready_file, json + '\n'))
      Complain(Cat("--ready-file ", options_.ready_file, " cannot be written: ", std::strerror(errno)));
  }

  const ControlOptions& options_;
  Loop loop_;
  Hub hub_;
  Roster roster_;
  Switchboard switchboard_;
  Library library_;
  AdsService ads_;
  FleetService fleet_;
  ChangeWatch watch_;
  Rollouts rollouts_;
  ControlService operators_;
  ControlPages pages_;
  std::optional<Admin> admin_;
  GrpcServer grpc_;
  GrpcServer control_;
};

}  // namespace

int RunControl(const ControlOptions& options) {
  NameLog("egret-control");
  LogLevels::SetAll(options.log_level);
  return Program(options).Run();
}

int RunControlCheck(const ControlOptions& options) {
  NameLog("egret-control");
  Hub hub;
  Library(options.resources, options.bootstraps, hub).Look();
  const auto groups = hub.Look();
  if (groups.empty()) Complain(Cat("no group in ", options.resources, "; make a folder for each"));
  for (const auto& [name, group] : groups)
    if (!group.errors.empty()) return 1;
  return groups.empty() ? 1 : 0;
}

}  // namespace egret
