#include "source/server/server.h"

#include <malloc.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/base/buffer.h"
#include "source/base/check.h"
#include "source/base/descriptors.h"
#include "source/base/json.h"
#include "source/base/log.h"
#include "source/base/service_manager.h"
#include "source/base/strings.h"
#include "source/event/combine.h"
#include "source/event/nursery.h"
#include "source/event/wait.h"
#include "source/io/ares_resolver.h"
#include "source/server/admin.h"
#include "source/server/connection_limits.h"
#include "source/server/cpus.h"
#include "source/server/drain.h"
#include "source/server/fleet_agent.h"
#include "source/server/grpc_authorizer.h"
#include "source/server/key_fetches.h"
#include "source/server/key_source.h"
#include "source/server/live_config.h"
#include "source/server/log_writer.h"
#include "source/server/memory.h"
#include "source/server/overload.h"
#include "source/server/pages.h"
#include "source/server/previews.h"
#include "source/server/reload.h"
#include "source/server/secret_watch.h"
#include "source/server/server_view.h"
#include "source/server/settings.h"
#include "source/server/take_over.h"
#include "source/server/version.h"
#include "source/server/worker_balance.h"
#include "source/server/worker_thread.h"
#include "source/tls/key_log.h"
#include "source/xds/subscriber.h"

namespace egret {
namespace {

void Say(std::string_view text) { Log(LogComponent::kServer, LogLevel::kInfo, text); }

void SayAll(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) Say(line);
}

// A name for Via that another instance does not have, so that a chain of proxies is not taken for a loop.
std::string InstanceName() {
  uint32_t random = 0;
  CHECK(getrandom(&random, sizeof random, 0) == sizeof random);
  char text[24];
  std::snprintf(text, sizeof text, "egret-%08x", random);
  return text;
}

// A server that nobody can speak to loses its peers at any time.
void IgnoreBrokenPipes() { signal(SIGPIPE, SIG_IGN); }

// Signals are read from a descriptor; every thread started after this has them blocked.
int OpenSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGHUP}) sigaddset(&set, number);
  CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  CHECK(fd >= 0);
  return fd;
}

// A tunnel takes two descriptors, and shells commonly grant 1,024: all that this process may have are taken.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  DescriptorShares::OfProcess() = DescriptorShares::Of(limit.rlim_cur);
}

// The process alone, that carries no traffic yet.
std::shared_ptr<const config::v1::Bootstrap> WithoutResources(const config::v1::Bootstrap& bootstrap) {
  auto alone = std::make_shared<config::v1::Bootstrap>(bootstrap);
  alone->clear_listeners();
  alone->clear_policies();
  alone->clear_domain_sets();
  alone->clear_upstreams();
  alone->clear_secrets();
  alone->clear_workload_sets();
  return alone;
}

// Whether no listener waits for its first time.
bool FirstSetIsWhole(const PushStatus& pushed) {
  const auto waits = [](const ResourceStatus& resource) {
    return resource.type_url.ends_with(".Listener") && resource.version_in_force.empty() &&
           (resource.state == ResourceState::kWarming || resource.state == ResourceState::kMissing);
  };
  return pushed.settled && std::none_of(pushed.resources.begin(), pushed.resources.end(), waits);
}

class Server {
 public:
  Server(const Options& options, Settings settings, ServerHost* host)
      : options_(options),
        host_(host),
        bootstrap_(std::make_shared<const config::v1::Bootstrap>(std::move(settings.bootstrap))),
        started_unix_(time(nullptr)),
        workers_wanted_(bootstrap_->has_workers() ? bootstrap_->workers() : GrantedCpus()),
        limits_(bootstrap_->limits().connections(), bootstrap_->limits().connections_per_source()),
        balance_(workers_wanted_) {}

  int Run() {
    IgnoreBrokenPipes();
    const int signals = host_ == nullptr ? OpenSignals() : -1;
    RaiseDescriptorLimit();
    if (bootstrap_->limits().has_large_buffers_per_worker())
      Buffer::max_large_per_thread = bootstrap_->limits().large_buffers_per_worker();
    if (!Start()) return 1;
    tasks_.Start(host_ == nullptr ? WatchSignals(signals) : FollowHost());
    tasks_.Start(secrets_.Run());
    if (subscriber_) tasks_.Start(AwaitFirstSet());
    if (const MemoryThresholds thresholds = MemoryThresholdsOf(bootstrap_->limits()); thresholds.any())
      tasks_.Start(WatchMemory(thresholds));
    loop_.Run();
    live_.Stop();
    subscriber_.reset();
    reload_.Stop();
    tasks_.Clear();
    if (signals >= 0) close(signals);
    admins_.clear();
    fleet_.Stop();
    previews_.Stop();
    workers_.clear();  // ends what is still open
    log_writer_.reset();
    return 0;
  }

 private:
  bool Start() {
    if (host_ != nullptr) handed_ = host_->TakeSockets();
    if (!MeetPredecessor() || !OpenAdmin()) return false;
    OpenKeyLog();  // before the contexts that write to it
    std::optional<PreparedConfiguration> first = Compile();
    if (!first) return false;
    log_writer_ = std::make_unique<LogWriter>(log_queue_, log_plan_.sinks, LogReader());
    for (const std::string& problem : log_writer_->problems()) Say(Cat("access log: ", problem));
    for (uint32_t i = 0; i < workers_wanted_; ++i) StartWorker(i, std::move(first->opened[i]), first->next->snapshot());
    if (IsPushed()) {
      live_.Hand(std::exchange(handed_, {}));
      subscriber_.emplace(SubscriberOptions{.release = kVersion, .fleet = &fleet_});
      subscriber_->Start(bootstrap_, live_);
    } else {
      SayReady();
    }
    return true;
  }

  // Whether what is in force comes from elsewhere than the file.
  bool IsPushed() const { return bootstrap_->has_xds() || bootstrap_->has_directory(); }

  // From here on it is there for traffic.
  void SayReady() {
    ready_ = true;
    handed_ = {};  // closes what this configuration has no use for
    if (predecessor_) predecessor_->SayReady();
    predecessor_.reset();
    if (take_over_socket_)
      take_over_.emplace(std::move(*take_over_socket_), [this] { return Offered(); }, [this] { TakenOver(); });
    Announce();
    if (host_ == nullptr) TellReady();
  }

  // Until everything that was pushed first is in force. What is pushed later takes nobody out of service.
  Task<void> AwaitFirstSet() {
    constexpr uint64_t kLookEveryMs = 20;
    while (live_.now()->listeners.empty() || !FirstSetIsWhole(*subscriber_->Status())) co_await Sleep(kLookEveryMs);
    live_.Hand({});
    SayReady();
  }

  // Of those who run this inside a program of their own.
  LogWriter::Reader LogReader() const {
    if (host_ == nullptr) return {};
    return [this](std::string_view lines) { host_->TakeLog(lines); };
  }

  // With --take-over: the sockets of whoever runs with it already, and our own place there.
  bool MeetPredecessor() {
    if (options_.take_over.empty()) return true;
    const auto refuse = [this](std::string_view why) {
      Say(Cat("--take-over ", options_.take_over, ": ", why));
      return false;
    };
    const std::optional<ListenAddress> address = ListenAddress::Parse(Cat("unix:", options_.take_over));
    if (!address) return refuse("not a path for a Unix socket, which has 107 bytes at most");
    Result<std::optional<Predecessor>, std::string> found = Predecessor::Find(*address);
    if (!found) return refuse(found.error());
    if (*found) {
      predecessor_.emplace(std::move(**found));
      handed_ = predecessor_->TakeSockets();
      take_over_socket_ = handed_.TakeNamed("take-over");
    } else {
      Result<ListenSocket, std::string> opened = ListenSocket::Open(*address, {});
      if (!opened) return refuse(opened.error());
      take_over_socket_ = std::move(*opened);
    }
    if (take_over_socket_) offered_.push_back({"take-over", take_over_socket_->fd()});
    return true;
  }

  bool OpenAdmin() {
    const auto open = [this](const std::string& name, const std::string& text, Pages& pages) {
      if (text.empty()) return true;
      const ListenAddress address = *ListenAddress::Parse(text);
      std::optional<ListenSocket> handed = handed_.TakeOne(address, name);
      Result<ListenSocket, std::string> socket =
          handed ? Result<ListenSocket, std::string>(std::move(*handed)) : ListenSocket::Open(address, {});
      if (!socket) {
        Say(Cat(name, ": ", socket.error()));
        return false;
      }
      Say(Cat(name, " on ", socket->bound().ToString()));
      offered_.push_back({name, socket->fd()});
      admins_.push_back(std::make_unique<Admin>(std::move(*socket), pages));
      return true;
    };
    return open("admin", bootstrap_->admin().address(), admin_pages_) &&
           open("metrics", bootstrap_->metrics().address(), metrics_pages_);
  }

  // Traffic does not depend on it.
  void OpenKeyLog() {
    if (!bootstrap_->debug().has_tls_key_log()) return;
    const config::v1::Debug::TlsKeyLog& wanted = bootstrap_->debug().tls_key_log();
    Result<std::unique_ptr<KeyLog>, Problem> opened = KeyLog::Open(KeyLogOptionsOf(wanted));
    if (!opened)
      return Say(Cat("debug.tls_key_log: ", wanted.path(), ": ", opened.error().text, "; nothing is written"));
    key_log_ = std::move(*opened);
    WarnOfKeyLog();
  }

  void WarnOfKeyLog() const {
    if (key_log_ != nullptr && key_log_->active())
      Log(LogComponent::kServer, LogLevel::kWarning, "the secrets of all TLS connections are written to ",
          key_log_->path());
  }

  // The listening sockets, and all that connections run; nothing accepts yet.
  std::optional<PreparedConfiguration> Compile() {
    for (const auto& admin : admins_)
      if (admin->bound().path.empty()) maker_.AddOwn(admin->bound().ip);
    auto prepared = live_.Start(IsPushed() ? WithoutResources(*bootstrap_) : bootstrap_, handed_);
    if (prepared) return std::move(*prepared);
    for (const ConfigError& error : prepared.error()) Say(error.ToString());
    return std::nullopt;
  }

  // All that a successor gets.
  std::vector<OfferedSocket> Offered() const {
    std::vector<OfferedSocket> all = offered_;
    for (const BoundListener& listener : live_.now()->listeners)
      for (const int fd : listener.fds) all.push_back({Cat("listener ", listener.name), fd});
    return all;
  }

  void StartWorker(uint32_t index, std::vector<WorkerSocket> sockets, const Snapshot& snapshot) {
    WorkerThread::Setup setup;
    setup.index = index;
    setup.resolver = ResolverOptionsOf(*bootstrap_);
    setup.snapshot = snapshot;
    setup.sockets = std::move(sockets);
    setup.log = &log_queue_;
    setup.limits = &limits_;
    setup.balance = &balance_;
    setup.on_drained = drain_.OnWorkerDrained();
    workers_.push_back(std::make_unique<WorkerThread>(std::move(setup)));
  }

  // Where it listens, for people and for the ready-file.
  void Announce() {
    std::string json;
    JsonWriter out(json);
    out.BeginObject();
    out.Key("listeners");
    out.BeginObject();
    const std::vector<BoundListener>& bound = live_.now()->listeners;
    for (const BoundListener& listener : bound) {
      Say(Cat("listener ", listener.name, " on ", listener.address.ToString()));
      out.Member(listener.name, listener.address.ToString());
    }
    out.EndObject();
    if (!bootstrap_->admin().address().empty()) {
      out.Member("admin", admins_.front()->bound().ToString());
    }
    if (!bootstrap_->metrics().address().empty()) out.Member("metrics", admins_.back()->bound().ToString());
    out.EndObject();
    for (const TlsExpiry& expiry : secrets_.Expiries())
      if (!expiry.ca_sha256.empty()) Say(Cat("certificate authority ", expiry.name, ": SHA-256 ", expiry.ca_sha256));
    if (!bound.empty() && bound.front().address.path.empty())
      Say(Cat("try: curl -x http://", bound.front().address.ToString(), " https://example.com/"));
    if (!options_.ready_file.empty()) WriteReadyFile(json + '\n');
  }

  void WriteReadyFile(const std::string& text) {
    const std::string temporary = options_.ready_file + ".new";
    std::FILE* const file = std::fopen(temporary.c_str(), "we");
    const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (file == nullptr || std::fclose(file) != 0 || !written ||
        std::rename(temporary.c_str(), options_.ready_file.c_str()) != 0)
      Say(Cat("--ready-file ", options_.ready_file, " cannot be written: ", std::strerror(errno)));
  }

  Task<void> WatchMemory(MemoryThresholds thresholds) {
    constexpr uint64_t kTickMs = 250, kTicksToTrim = 4;
    const MemoryReader reader;
    OverloadMonitor monitor(thresholds);
    for (uint64_t tick = 0;; ++tick) {
      co_await Sleep(kTickMs);
      const std::optional<MemoryReading> reading = reader.Read();
      if (!reading) continue;
      const Overload before = monitor.level();
      const Overload level = monitor.Judge(*reading);
      if (level == Overload::kNone && before == Overload::kNone) continue;
      for (const auto& worker : workers_) worker->Post([level](Worker& on) { on.SetOverload(level); });
      if (tick % kTicksToTrim == 0) malloc_trim(0);  // what was let go counts until the kernel has it back
      if (level != before)
        Say(Cat("memory: ", reading->used_bytes >> 20, " MiB in use, ", reading->resident_bytes >> 20,
                " MiB of them by this process: ", NameOf(level)));
    }
  }

  Task<void> FollowHost() {
    co_await host_->Run();
    loop_.Stop();
  }

  Task<void> WatchSignals(int fd) {
    FdWatch watch;
    CHECK(loop_.Watch(fd, watch));
    for (;;) {
      co_await GateAwaiter(watch.read);
      signalfd_siginfo info;
      if (read(fd, &info, sizeof info) != sizeof info) {
        watch.read.Close();
      } else if (info.ssi_signo == SIGUSR1) {
        log_writer_->Reopen();
      } else if (info.ssi_signo == SIGHUP) {
        ReadAgain();
        WarnOfKeyLog();
      } else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
        End(true);
      }
    }
  }

  // Whoever was known by what is not there any more is known no longer.
  void JudgeIdentities() {
    for (const std::unique_ptr<WorkerThread>& worker : workers_)
      worker->Post([](Worker& on) { on.credential_ends().Stir(); });
  }

  // The file, and all that secrets are read from.
  void ReadAgain() {
    TellReloading();
    secrets_.RenewAll();
    if (!IsPushed()) return reload_.Start();
    Say("configuration is pushed: of the file, nothing is read again");
    TellReady();
  }

  // Winds down; the process ends with it, or stays.
  void End(bool process_too) {
    if (!drain_.begun()) Say("draining: what is open may take its time");
    if (take_over_) take_over_->Stop();
    if (process_too) {
      if (host_ == nullptr) TellStopping(drain_.within_ms());
      drain_.Quit();
    } else {
      drain_.Begin();
    }
  }

  void TakenOver() {
    Say("draining: a new process has taken over");
    take_over_->Stop();
    for (const auto& admin : admins_) admin->StopAccepting();
    drain_.TakenOver();
  }

  const Options& options_;
  ServerHost* const host_;                                        // null: none
  const std::shared_ptr<const config::v1::Bootstrap> bootstrap_;  // that it started with
  int64_t started_unix_;
  uint32_t workers_wanted_;
  ConnectionLimits limits_;
  WorkerBalance balance_;
  const LogPlan log_plan_{host_ == nullptr ? LogPlanOf(*bootstrap_) : LogPlan{.sinks = {}, .formats = {std::nullopt}}};
  LogQueue log_queue_{log_plan_.formats, log_plan_.fingerprints};
  std::unique_ptr<KeyLog> key_log_;
  std::unique_ptr<LogWriter> log_writer_;
  SecretWatch secrets_{[this] { JudgeIdentities(); }};
  Loop loop_;
  std::vector<std::unique_ptr<WorkerThread>> workers_;
  AresResolver resolver_{ResolverOptionsOf(*bootstrap_)};  // of what the main thread fetches
  HttpsKeySource key_source_{resolver_, [this] { return live_.now()->policies.policy; }};
  KeyFetches key_fetches_{loop_, key_source_, [this] { JudgeIdentities(); }};
  ConfigurationMaker maker_{workers_wanted_,
                            {.via = InstanceName(),
                             .version = kVersion,
                             .open_authorizer = OpenGrpcAuthorizer,
                             .open_keys = [this](KeyAddress address) { return key_fetches_.Open(std::move(address)); },
                             .stand_ins = host_ == nullptr ? nullptr : host_->stand_ins()}};
  LiveConfig live_{loop_, maker_, workers_, secrets_};
  Previews previews_{loop_, live_.now(), maker_, workers_};
  Reload reload_{options_, bootstrap_, live_};
  FleetAgent fleet_{loop_,
                    workers_,
                    previews_,
                    {.quit = [this] { End(true); },
                     .hurry =
                         [this] {
                           if (subscriber_) subscriber_->Hurry();
                         }}};
  std::optional<Subscriber> subscriber_;
  bool ready_ = false;
  bool health_failed_ = false;
  Drain drain_{loop_, DrainTimesOf(*bootstrap_, options_), workers_};
  const ServerView view_{
      .options = options_,
      .now = live_.now(),
      .pushed = [this]() -> std::shared_ptr<const PushStatus> { return subscriber_ ? subscriber_->Status() : nullptr; },
      .file_errors = [this] { return reload_.errors(); },
      .workers = workers_,
      .previews = previews_,
      .log = log_queue_,
      .secrets = secrets_,
      .key_fetches = key_fetches_,
      .loop = loop_,
      .started_unix = started_unix_,
      .ready = ready_,
      .draining = drain_.begun(),
      .health_failed = health_failed_,
      .drain = [this] { End(false); },
      .quit = [this] { End(true); }};
  Pages admin_pages_{view_, Pages::Audience::kOperator}, metrics_pages_{view_, Pages::Audience::kScraper};
  std::vector<std::unique_ptr<Admin>> admins_;
  std::optional<Predecessor> predecessor_;  // while this process starts
  HandedSockets handed_;                    // its sockets
  std::vector<OfferedSocket> offered_;      // ours, for a successor; open until this process drains
  std::optional<ListenSocket> take_over_socket_;
  std::optional<TakeOverPoint> take_over_;
  Nursery tasks_;
};

}  // namespace

int RunServer(const Options& options) {
  LogLevels::SetAll(options.log_level);
  Settings settings = LoadSettings(options);
  SayAll(settings.warnings);
  SayAll(settings.problems);
  if (!settings.problems.empty()) return 1;
  return Server(options, std::move(settings), nullptr).Run();
}

bool RunServer(Settings settings, ServerHost& host) {
  const Options options;
  return Server(options, std::move(settings), &host).Run() == 0;
}

int RunValidate(const Options& options) {
  const Settings settings = LoadSettings(options);
  SayAll(settings.warnings);
  SayAll(settings.problems);
  if (!settings.problems.empty()) return 1;
  std::printf("%s: valid\n", options.config.empty() ? "the embedded default" : options.config.c_str());
  return 0;
}

}  // namespace egret
