// The client of every measurement: one epoll thread.
//   forward        absolute-form GET on keep-alive connections of HTTP/1.1, one outstanding operation each
//   connect        TCP, CONNECT, one request, close
//   tunnel         requests through standing tunnels
//   tls_forward    as forward, to a proxy that speaks TLS
//   tls_handshake  TCP, TLS (no session is resumed), one GET, close
//   h2_forward     GET over HTTP/2, --streams outstanding on each connection
//   h2_tunnel      requests through standing tunnels, --streams on each connection
//   mitm_tunnel    requests in TLS through standing tunnels
//   mitm_handshake TCP, CONNECT, TLS with whoever answers for the target (no session is resumed), one GET, close
//   mitm_h2        GET over HTTP/2 in TLS through standing tunnels, --streams outstanding in each
// In tunnels a request is a GET, or (--answer-bytes) what `origin` speaks: bytes that no proxy takes for HTTP.
//
//   load --workload NAME --proxy ADDRESS:PORT --targets ADDRESS:PORT[,ADDRESS:PORT...]
//        --path /1k | --answer-bytes 1024 [--connections 32] [--streams 1] [--scheme https] [--content-type TYPE]
//        [--names N] [--rate N] [--seconds 3 | --operations N] [--warm-up 0.3 | --warm-up-operations N]
//
// Warms up and lets every operation end; then says "ready" and waits for a line, so that whoever measures can read
// the proxy's CPU time; then works for --seconds, lets every operation end again and prints one line of JSON. Each
// connection does one operation at least, of the warm-up, too. With --rate so many operations a second become due,
// and each one's latency counts from then; without, each connection begins the next when one has ended.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "source/base/ip.h"
#include "source/base/json.h"
#include "source/base/strings.h"
#include "tools/bench/load_run.h"
#include "tools/bench/sockets.h"

namespace egret::bench {
namespace {

struct Workload {
  std::string_view name;
  Plan::Work work;
  bool tls = false, inside = false, handshakes = false, http2 = false;
};
constexpr Workload kWorkloads[] = {
    {"forward", Plan::Work::kForward},
    {"connect", Plan::Work::kConnect},
    {"tunnel", Plan::Work::kTunnel},
    {.name = "tls_forward", .work = Plan::Work::kForward, .tls = true},
    {.name = "tls_handshake", .work = Plan::Work::kForward, .tls = true, .handshakes = true},
    {.name = "h2_forward", .work = Plan::Work::kForward, .http2 = true},
    {.name = "h2_tunnel", .work = Plan::Work::kTunnel, .http2 = true},
    {.name = "mitm_tunnel", .work = Plan::Work::kTunnel, .inside = true},
    {.name = "mitm_handshake", .work = Plan::Work::kTunnel, .inside = true, .handshakes = true},
    {.name = "mitm_h2", .work = Plan::Work::kForward, .inside = true, .http2 = true},
};

const Workload* WorkloadOf(std::string_view name) {
  for (const Workload& workload : kWorkloads)
    if (workload.name == name) return &workload;
  return nullptr;
}

Extent ExtentOf(std::optional<std::string_view> seconds, std::optional<std::string_view> operations, double otherwise) {
  return {seconds ? std::strtod(std::string(*seconds).c_str(), nullptr) : otherwise,
          ParseDecimal<uint64_t>(operations.value_or("0")).value_or(0)};
}

// Nothing: they do not say what is to be done.
std::optional<Plan> PlanOf(std::span<char* const> arguments) {
  const Workload* const workload = WorkloadOf(Option(arguments, "--workload").value_or(""));
  const auto proxy = Option(arguments, "--proxy");
  const auto targets = Option(arguments, "--targets");
  const auto path = Option(arguments, "--path");
  const auto answer_bytes = Option(arguments, "--answer-bytes");
  if (workload == nullptr || !proxy || !targets) return std::nullopt;
  Plan plan;
  plan.work = workload->work;
  plan.tls = workload->tls;
  plan.inside = workload->inside;
  plan.handshakes = workload->handshakes;
  plan.http2 = workload->http2;
  plan.proxy = ParseEndpointOrDie(*proxy);
  for (std::string_view rest = *targets; !rest.empty();)
    plan.targets.push_back(ParseEndpointOrDie(SplitFirst(rest, ',')));
  plan.names = ParseDecimal<size_t>(Option(arguments, "--names").value_or("0")).value_or(0);
  plan.path = path.value_or("");
  if (answer_bytes) plan.answer_bytes = ParseDecimal<uint64_t>(*answer_bytes);
  plan.scheme = Option(arguments, "--scheme").value_or("http");
  plan.content_type = Option(arguments, "--content-type").value_or("");
  plan.connections = ParseDecimal<size_t>(Option(arguments, "--connections").value_or("32")).value_or(0);
  plan.streams = ParseDecimal<size_t>(Option(arguments, "--streams").value_or("1")).value_or(0);
  if (const auto rate = Option(arguments, "--rate")) plan.rate = std::strtod(std::string(*rate).c_str(), nullptr);
  if (plan.http2 && plan.rate > 0) return std::nullopt;
  const bool forwards = plan.work == Plan::Work::kForward;
  const bool asks = forwards ? path.has_value() : plan.answer_bytes || (path && !plan.http2);
  if (!asks || plan.connections == 0 || plan.streams == 0) return std::nullopt;
  return plan;
}

void Print(std::string_view workload, Run& run, double seconds) {
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Member("workload", workload);
  out.Member("operations", run.totals().operations);
  out.Member("errors", run.totals().errors);
  out.Member("bytes", run.totals().bytes);
  out.Key("seconds");
  out.Raw(std::to_string(seconds));
  out.Member("p50_us", run.LatencyUs(0.5));
  out.Member("p99_us", run.LatencyUs(0.99));
  out.EndObject();
  std::puts(json.c_str());
}

int Main(std::span<char* const> arguments) {
  const std::optional<Plan> plan = PlanOf(arguments);
  if (!plan) {
    std::fputs(
        "usage: load --workload NAME --proxy ADDRESS:PORT --targets ADDRESS:PORT,... --path PATH | --answer-bytes N\n"
        "            [--connections N] [--streams N] [--scheme S] [--content-type TYPE] [--names N]\n"
        "            [--rate N (a second; HTTP/1.1 only)]\n"
        "            [--seconds S | --operations N] [--warm-up S | --warm-up-operations N]\n",
        stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL knows no MSG_NOSIGNAL
  Run run(*plan);
  run.Go(ExtentOf(Option(arguments, "--warm-up"), Option(arguments, "--warm-up-operations"), 0.3));
  std::puts("ready");
  std::fflush(stdout);
  std::string go;
  if (!std::getline(std::cin, go)) return 1;
  const double seconds = run.Go(ExtentOf(Option(arguments, "--seconds"), Option(arguments, "--operations"), 3));
  Print(*Option(arguments, "--workload"), run, seconds);
  return 0;
}

}  // namespace
}  // namespace egret::bench

int main(int argc, char** argv) { return egret::bench::Main({argv, static_cast<size_t>(argc)}); }
