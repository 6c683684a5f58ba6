#include "source/server/worker_pages.h"

#include <algorithm>
#include <map>
#include <utility>

#include "source/base/json.h"
#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/chain/record.h"
#include "source/server/page_query.h"
#include "source/tls/key_log.h"

namespace egret {
namespace {

constexpr size_t kMostShown = 10'000;  // of what is open, by each worker

struct PoolUse {
  size_t links = 0, idle = 0;
};

struct OpenRecords {
  std::string json;  // objects with commas between
  size_t count = 0, shown = 0;
};

AdminReply Json(std::string text) { return {200, "application/json", std::move(text += '\n')}; }

uint64_t Moved(uint64_t so_far, const Counter* live) { return so_far + (live != nullptr ? live->Read() : 0); }

void WriteRecord(const ExchangeRecord& record, uint64_t now_ms, std::string& to) {
  const bool tunnel = record.kind == ExchangeRecord::Kind::kTunnel;
  JsonWriter out(to);
  out.BeginObject();
  out.Member("request_id", record.request_id);
  out.MemberIf("parent_id", record.parent_id);
  out.Member("kind", tunnel ? "tunnel" : "request");
  out.Member("listener", record.listener);
  out.Member("source", record.source);
  out.MemberIf("identity", record.identity);
  out.MemberIf("protocol", record.protocol);
  out.MemberIf("method", record.method);
  out.MemberIf("target", record.target);
  out.MemberIf("path", record.path);
  out.MemberIf("policy", record.decision.policy);
  out.MemberIf("rule", record.decision.rule);
  out.MemberIf("carries", record.carries);
  out.MemberIf("sni", record.sni);
  out.MemberIf("next_hop", record.next_hop);
  out.MemberIf("upstream", record.upstream);
  if (tunnel) {  // a request's are known once it has ended
    out.Member("received_bytes", Moved(record.received_bytes, record.live_received));
    out.Member("sent_bytes", Moved(record.sent_bytes, record.live_sent));
  }
  out.Member("age_ms", now_ms - record.started_ms);
  out.EndObject();
}

OpenRecords OpenOn(Worker& worker) {
  OpenRecords open;
  const ListNode& live = worker.live();
  for (const ListNode* node = live.first(); node != &live; node = node->after(), ++open.count) {
    if (open.shown == kMostShown) continue;
    if (open.shown++ > 0) open.json += ',';
    WriteRecord(static_cast<const ExchangeRecord&>(*node), worker.loop().now_ms(), open.json);
  }
  return open;
}

void Merge(const LeafRefusals::Seen& from, LeafRefusals::Seen& to) {
  for (size_t i = 0; i < to.how.size(); ++i) to.how[i] += from.how[i];
  to.first = to.first == 0 ? from.first : std::min(to.first, from.first);
  to.last = std::max(to.last, from.last);
}

void WriteRefusals(const std::string& name, const LeafRefusals::Seen& seen, JsonWriter& out) {
  out.BeginObject();
  out.Member("name", name);
  out.Key("refusals");
  out.BeginObject();
  bool told = false;
  for (size_t i = 0; i < seen.how.size(); ++i) {
    const auto how = static_cast<LeafRefusal>(i);
    if (seen.how[i] == 0) continue;
    out.Member(NameOf(how), seen.how[i]);
    told = told || how != LeafRefusal::kSilent;
  }
  out.EndObject();
  out.Member("first_seen", seen.first);
  out.Member("last_seen", seen.last);
  if (told)
    out.Member("suggestion",
               Cat("A client does not believe what the CA signs for it. Give it the CA, or relay it: {name: "
                   "relay-",
                   name, ", action: ALLOW, to: {domains: [", name, "]}, inspection: NEVER}"));
  out.EndObject();
}

}  // namespace

Task<AdminReply> Listeners(const ServerView& server, const AdminRequest& /*request*/) {
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Key("listeners");
  out.BeginArray();
  for (const BoundListener& listener : server.now->listeners) {
    out.BeginObject();
    out.Member("name", listener.name);
    out.Member("address", listener.address.ToString());
    out.Member("connections", listener.connections->open());
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  co_return Json(std::move(json));
}

Task<AdminReply> Clusters(const ServerView& server, const AdminRequest& /*request*/) {
  using Pools = std::map<PoolKey, PoolUse>;
  const std::vector<Pools> pools = co_await AskWorkers<Pools>(server, [](Worker& worker) {
    Pools own;
    worker.pool().ForEach([&own](const PoolKey& key, size_t links, size_t idle) { own[key] = {links, idle}; });
    return own;
  });
  Pools all;
  for (const Pools& own : pools)
    for (const auto& [key, use] : own) {
      all[key].links += use.links;
      all[key].idle += use.idle;
    }
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Key("next_hops");
  out.BeginArray();
  for (const config::v1::Upstream& upstream : server.now->bootstrap->upstreams()) {
    out.BeginObject();
    out.Member("name", upstream.name());
    out.MemberIf("http_proxy", upstream.http_proxy().address());
    out.EndObject();
  }
  out.EndArray();
  out.Key("pool");
  out.BeginArray();
  for (const auto& [key, use] : all) {
    out.BeginObject();
    out.Member("key", key);
    out.Member("links", use.links);
    out.Member("idle", use.idle);
    out.Member("in_use", use.links - use.idle);
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  co_return Json(std::move(json));
}

Task<AdminReply> Inspection(const ServerView& server, const AdminRequest& /*request*/) {
  using Names = std::map<std::string, LeafRefusals::Seen, std::less<>>;
  const std::vector<Names> known =
      co_await AskWorkers<Names>(server, [](Worker& worker) { return worker.leaf_refusals().names(); });
  Names all;
  for (const Names& own : known)
    for (const auto& [name, seen] : own) Merge(seen, all[name]);
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  if (const KeyLog* const log = KeyLog::Current(); log != nullptr && log->active())
    out.Member("tls_key_log", log->path());
  out.Key("refused_leaves");
  out.BeginArray();
  for (const auto& [name, seen] : all) WriteRefusals(name, seen, out);
  out.EndArray();
  out.EndObject();
  co_return Json(std::move(json));
}

Task<AdminReply> Connections(const ServerView& server, const AdminRequest& /*request*/) {
  const std::vector<OpenRecords> all = co_await AskWorkers<OpenRecords>(server, OpenOn);
  size_t count = 0;
  std::string json = "{\"connections\":[";
  bool first = true;
  for (const OpenRecords& own : all) {
    count += own.count;
    if (own.shown == 0) continue;
    if (!std::exchange(first, false)) json += ',';
    json += own.json;
  }
  co_return Json(Cat(json, "],\"count\":", count, '}'));
}

Task<AdminReply> EndConnection(const ServerView& server, const AdminRequest& request) {
  const std::optional<std::string> id = QueryValue(request.query, "request_id");
  if (!id || id->empty()) co_return AdminReply{400, "text/plain; charset=utf-8", "Say which: ?request_id=ID.\n"};
  const std::vector<bool> ended = co_await AskWorkers<bool>(server, [id = *id](Worker& worker) {
    ListNode& live = worker.live();
    for (ListNode* node = live.first(); node != &live; node = node->after()) {
      auto& record = static_cast<ExchangeRecord&>(*node);
      if (record.request_id != id || record.running == nullptr) continue;
      worker.End(record, {Side::kEgret, Fault::kAdminEnded});
      return true;
    }
    return false;
  });
  if (std::find(ended.begin(), ended.end(), true) == ended.end())
    co_return AdminReply{404, "text/plain; charset=utf-8", "Nothing that is open has this id; see /connections.\n"};
  Log(LogComponent::kServer, LogLevel::kInfo, "an operator ended ", *id);
  co_return AdminReply{200, "text/plain; charset=utf-8", "OK\n"};
}

}  // namespace egret
