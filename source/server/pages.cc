#include "source/server/pages.h"

#include <time.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "source/base/json.h"
#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/config/canonical.h"
#include "source/config/nearest.h"
#include "source/config/redact.h"
#include "source/event/combine.h"
#include "source/server/config_pages.h"
#include "source/server/page_query.h"
#include "source/server/preview_pages.h"
#include "source/server/pushed_pages.h"
#include "source/server/stats_pages.h"
#include "source/server/tail_pages.h"
#include "source/server/tap_pages.h"
#include "source/server/version.h"
#include "source/server/worker_pages.h"
#include "source/tls/key_log.h"

namespace egret {
namespace {

constexpr uint64_t kAnswerMs = 5000;     // a page that waits longer for its workers gives up
constexpr uint64_t kPreviewMs = 60'000;  // one that has a candidate policy compiled

AdminReply Text(int status, std::string text) { return {status, "text/plain; charset=utf-8", std::move(text)}; }
AdminReply Json(std::string text) { return {200, "application/json", std::move(text += '\n')}; }

std::string_view NameOf(Page::Methods methods) {
  switch (methods) {
    case Page::Methods::kGet:
      return "GET, HEAD";
    case Page::Methods::kPost:
      return "POST";
    case Page::Methods::kGetOrPost:
      return "GET, HEAD, POST";
  }
  return "";
}

// Not to be overlooked.
std::string_view Warning() {
  const KeyLog* const log = KeyLog::Current();
  if (log == nullptr || !log->active()) return "";
  return "The secrets of all TLS connections are written to a file (debug.tls_key_log).";
}

Task<AdminReply> Index(const ServerView& /*server*/, const AdminRequest& request) {
  if (!request.wants_html) {
    std::string text = Cat("egret ", kVersion, '\n');
    if (!Warning().empty()) Append(text, Warning(), '\n');
    for (const Page& page : AllPages())
      Append(text, page.path, page.methods == Page::Methods::kPost ? " (POST): " : ": ", page.says, '\n');
    co_return Text(200, std::move(text));
  }
  std::string html =
      Cat("<!doctype html><html lang=en><meta charset=utf-8><title>egret</title><h1>egret ", kVersion, "</h1>");
  if (!Warning().empty()) Append(html, "<p><strong>", Warning(), "</strong>");
  html += "<table>\n";
  for (const Page& page : AllPages()) {
    Append(html, "<tr><td>");
    if (page.methods == Page::Methods::kPost) {
      Append(html, page.path, " (POST)");
    } else {
      Append(html, "<a href=\"", page.path, "\">", page.path, "</a>");
    }
    Append(html, "<td>", page.says, '\n');
  }
  co_return AdminReply{200, "text/html; charset=utf-8", html + "</table>\n"};
}

Task<AdminReply> Ready(const ServerView& server, const AdminRequest& /*request*/) {
  std::string text = Cat(StateOf(server), '\n');
  if (const auto pushed = server.pushed(); !server.ready && pushed) text += WaitsFor(*pushed);
  co_return Text(TakesTraffic(server) ? 200 : 503, std::move(text));
}

// Whether it is worth keeping: not whether it takes traffic, and not what others do.
Task<AdminReply> Live(const ServerView& /*server*/, const AdminRequest& /*request*/) { co_return Text(200, "OK\n"); }

// http://user:password@host:port without the user and the password.
std::string WithoutUserinfo(const std::string& url) {
  const size_t at = url.rfind('@');
  const size_t scheme = url.find("://");
  if (at == std::string::npos || scheme == std::string::npos) return url;
  return Cat(url.substr(0, scheme + 3), "***@", url.substr(at + 1));
}

void WriteOptions(const Options& options, JsonWriter& out) {
  out.BeginObject();
  out.Member("config", options.config.empty() ? "the embedded default" : options.config);
  if (options.port) out.Member("port", *options.port);
  if (options.workers) out.Member("workers", *options.workers);
  if (!options.parent.empty()) out.Member("parent", WithoutUserinfo(options.parent));
  out.MemberIf("node_id", options.node_id);
  out.MemberIf("parent_credentials", options.parent_credentials);
  out.MemberIf("ready_file", options.ready_file);
  if (options.drain_ms) out.Member("drain_ms", *options.drain_ms);
  out.EndObject();
}

Task<AdminReply> ServerInfo(const ServerView& server, const AdminRequest& /*request*/) {
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Member("version", kVersion);
  out.Member("state", StateOf(server));
  out.Member("pid", getpid());
  out.Member("started_unix", server.started_unix);
  out.Member("uptime_s", time(nullptr) - server.started_unix);
  out.Member("workers", server.workers.size());
  if (const size_t taps = TapsOpen(server); taps > 0) out.Member("taps_open", taps);
  out.MemberIf("node_id", server.now->bootstrap->node().id());
  out.MemberIf("node_cluster", server.now->bootstrap->node().cluster());
  out.MemberIf("node_zone", server.now->bootstrap->node().zone());
  out.Key("options");
  WriteOptions(server.options, out);
  out.EndObject();
  co_return Json(std::move(json));
}

// What an operator may read; what only the proxy may know is left out.
Task<AdminReply> ConfigDump(const ServerView& server, const AdminRequest& /*request*/) {
  std::string json = ToCanonicalJson(Redacted(*server.now->bootstrap));
  if (const auto pushed = server.pushed()) AddPushed(*pushed, json);
  co_return Json(std::move(json));
}

// Of our own certificates, when they end; a CA by its fingerprint, which clients can compare.
Task<AdminReply> Certs(const ServerView& server, const AdminRequest& /*request*/) {
  constexpr int64_t kDay = 86400;
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Key("certificates");
  out.BeginArray();
  for (const TlsExpiry& expiry : server.secrets.Expiries()) {
    out.BeginObject();
    out.Member("name", expiry.name);
    out.MemberIf("ca_sha256", expiry.ca_sha256);
    out.Member("not_after_unix", expiry.not_after);
    out.Member("days_until_expiration", (expiry.not_after - time(nullptr)) / kDay);
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  co_return Json(std::move(json));
}

std::string LevelsText() {
  std::string text;
  for (size_t i = 0; i < kLogComponents; ++i) {
    const auto component = static_cast<LogComponent>(i);
    Append(text, NameOf(component), ": ", NameOf(LogLevels::Get(component)), '\n');
  }
  return text;
}

// ?level=debug for all, ?dns=debug&http=off for some. All or nothing.
AdminReply ChangeLevels(std::string_view query) {
  const auto changes = ParseQuery(query);
  if (changes.empty()) return Text(400, "Say which: ?level=debug, or ?dns=debug&http=info.\n");
  for (const auto& [name, value] : changes) {
    if (name != "level" && !ParseLogComponent(name))
      return Text(400, Cat("No such component. There are:\n", LevelsText()));
    if (!ParseLogLevel(value)) return Text(400, "A level is debug, info, warning, error or off.\n");
  }
  for (const auto& [name, value] : changes) {
    if (name == "level") {
      LogLevels::SetAll(*ParseLogLevel(value));
    } else {
      LogLevels::Set(*ParseLogComponent(name), *ParseLogLevel(value));
    }
  }
  return Text(200, LevelsText());
}

Task<AdminReply> Logging(const ServerView& /*server*/, const AdminRequest& request) {
  if (request.method == "POST") co_return ChangeLevels(request.query);
  if (!request.query.empty()) {
    AdminReply refusal = Text(405, "A change is asked for by POST.\n");
    refusal.allow = "POST";
    co_return refusal;
  }
  co_return Text(200, LevelsText());
}

// /ready alone says so: whoever balances load sends no more, and what comes is served.
Task<AdminReply> FailHealth(const ServerView& server, const AdminRequest& /*request*/) {
  server.health_failed = true;
  co_return Text(200, "OK\n");
}

Task<AdminReply> RestoreHealth(const ServerView& server, const AdminRequest& /*request*/) {
  server.health_failed = false;
  co_return Text(200, "OK\n");
}

Task<AdminReply> DrainListeners(const ServerView& server, const AdminRequest& /*request*/) {
  server.drain();
  co_return Text(200, "OK\n");
}

Task<AdminReply> Quit(const ServerView& server, const AdminRequest& /*request*/) {
  server.quit();
  co_return Text(200, "OK\n");
}

constexpr auto kGet = Page::Methods::kGet;
constexpr auto kPost = Page::Methods::kPost;

constexpr Page kPages[] = {
    {"/", kGet, false, "this list", Index},
    {"/ready", kGet, true, "200 where it takes traffic, 503 while it winds down or is said to have failed", Ready},
    {"/live", kGet, true, "200 as long as it answers at all, whatever it waits for", Live},
    {"/healthcheck/fail", kPost, false, "from here on /ready says 503; traffic is served as before", FailHealth},
    {"/healthcheck/ok", kPost, false, "takes that back", RestoreHealth},
    {"/server_info", kGet, false, "version, state, uptime, command line", ServerInfo},
    {"/listeners", kGet, false, "where it listens, and how many connections are open", Listeners},
    {"/clusters", kGet, false, "next hops and pooled connections", Clusters},
    {"/inspection", kGet, false, "destinations whose clients refuse minted certificates", Inspection},
    {"/connections", kGet, false, "requests and tunnels that are open", Connections},
    {"/connections/end", kPost, false, "ends one, with what runs inside it: ?request_id=ID", EndConnection},
    {"/certs", kGet, false, "certificates and CAs of the proxy, and when they end", Certs},
    {"/config_dump", kGet, false, "the configuration, secrets left out", ConfigDump},
    {"/config_status", kGet, false, "what of it is in force, and what is not and why", ConfigStatus},
    {"/stats", kGet, false, "all counters: ?filter=REGEX, ?format=json", Stats},
    {"/stats/prometheus", kGet, true, "the same for Prometheus", StatsPrometheus},
    {"/taps", kGet, false, "where exchanges are captured, and how far that is", Taps},
    {"/logging", Page::Methods::kGetOrPost, false, "log levels; POST ?level=debug or ?dns=debug", Logging},
    {"/decisions", kGet, false,
     "follows decisions as they are made: ?verdict=deny, ?identity=NAME, ?host=*.example.com, ?policy=NAME, "
     "?rule=NAME, "
     "?contains=TEXT",
     Decisions},
    {"/tail", kGet, false, "follows the access log, by the same", Tail},
    {"/preview", kPost, false,
     "decides by the policies sent as well, enforces nothing, lists what would change: ?for=10m", PreviewCandidate,
     kMostCandidate},
    {"/drain_listeners", kPost, false, "takes no new connection, lets what is open end", DrainListeners},
    {"/quitquitquit", kPost, false, "ends the process in order", Quit},
};

bool Takes(Page::Methods methods, std::string_view method) {
  if (method == "GET") return methods != Page::Methods::kPost;
  return method == "POST" && methods != Page::Methods::kGet;
}

}  // namespace

std::span<const Page> AllPages() { return kPages; }

size_t Pages::MostContent(const AdminRequest& request) const {
  for (const Page& page : kPages)
    if (page.path == request.path && Takes(page.methods, request.method) && audience_ == Audience::kOperator)
      return page.most_content;
  return 0;
}

Task<AdminReply> Pages::Answer(AdminRequest request) {
  std::vector<std::string> paths;
  for (const Page& page : kPages) {
    if (audience_ == Audience::kScraper && !page.for_scrapers) continue;
    paths.emplace_back(page.path);
    if (page.path != request.path) continue;
    if (!Takes(page.methods, request.method)) {
      AdminReply refusal = Text(405, Cat("This page takes ", NameOf(page.methods), ".\n"));
      refusal.allow = NameOf(page.methods);
      co_return refusal;
    }
    const uint64_t within_ms = page.most_content > 0 ? kPreviewMs : kAnswerMs;
    auto answered = co_await WithDeadline(page.answer(server_, request), within_ms);
    co_return answered ? std::move(*answered) : Text(503, "A worker did not answer in time.\n");
  }
  co_return Text(404, Cat("No such page; ", Suggest(request.path, paths, 20), '\n'));
}

}  // namespace egret
