#include "source/ctl/fleet_tail.h"

#include <chrono>

#include "source/base/ip.h"
#include "source/base/json.h"
#include "source/base/strings.h"
#include "source/config/json_parser.h"
#include "source/ctl/json_node.h"
#include "source/ctl/news_streams.h"
#include "source/ctl/table.h"
#include "source/ctl/tail.h"
#include "source/policy/pattern.h"

namespace egret {
namespace {

using control::v1::ProxyLine;
using control::v1::TailNews;
using control::v1::TailRequest;

constexpr std::chrono::seconds kWait{1};

TailRequest RequestOf(const Given& given) {
  TailRequest request;
  request.set_group(given.Get("--group"));
  request.set_proxy(given.Get("--proxy"));
  request.set_decisions(!given.Has("--log"));
  request.set_contains(given.Get("--contains"));
  request.set_identity(given.Get("--identity"));
  request.set_verdict(given.Get("--verdict"));
  request.set_policy(given.Get("--policy"));
  request.set_rule(given.Get("--rule"));
  request.set_host(given.Get("--host"));
  return request;
}

// The proxy's own line, and which proxy it is.
std::string JsonOf(const ProxyLine& line) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Member("proxy", line.proxy());
  if (line.dropped() > 0) {
    json.Member("event", "dropped");
    json.Member("count", line.dropped());
  }
  json.EndObject();
  if (line.dropped() > 0 || line.line().size() < 3) return out + '\n';
  out.back() = ',';
  return out + line.line().substr(1) + '\n';
}

// One object on one line, that does not say itself which proxy it is of. No proxy of ours sends anything else.
bool IsSound(const std::string& line) {
  const Tree tree = ParseJson(line, "");
  return tree.root && tree.root->map() && MemberOf(*tree.root, "proxy").key.empty() &&
         line.find('\n') == std::string::npos;
}

bool IsHost(const std::string& text) { return IpAddress::Parse(text) || ParsePattern(text).ok(); }

class Watch {
 public:
  Watch(const Given& given, uint64_t lines, Output& output)
      : json_(given.Get("--output") == "json"), left_(lines), output_(output) {}

  int Run(NewsStreams<TailNews>& streams) {
    size_t open = streams.size();
    while (open > 0 && left_ > 0) {
      const auto item = streams.Next(kWait);
      if (item && item->news) {
        Take(*item->news);
      } else if (item) {
        --open;
        Ended(item->end, item->text);
      }
      if (!output_.Flush()) return kRefused;
    }
    if (left_ == 0) return kDone;
    if (refused_) return kRefused;
    if (told_ == 0 && !unreached_) {
      Complain("no proxy of that name reports there");
      return kRefused;
    }
    if (!unreached_) Complain("the control plane has ended it");
    return kNotReached;
  }

 private:
  void Take(const TailNews& news) {
    told_ += news.told();
    for (const ProxyLine& line : news.lines()) {
      if (left_ == 0) return;
      if (!line.refused().empty()) {
        Complain(Cat(line.proxy(), ": ", line.refused()));
        continue;
      }
      Show(line);
    }
  }

  void Show(const ProxyLine& line) {
    if (line.dropped() == 0 && !IsSound(line.line())) return;
    --left_;
    if (json_)
      output_.out += JsonOf(line);
    else if (line.dropped() > 0)
      Append(output_.out, OneLine(line.proxy()), "  (", line.dropped(), " lines are missing)\n");
    else
      Append(output_.out, OneLine(line.proxy()), "  ", ShownLogLine(line.line()));
  }

  void Ended(const grpc::Status& end, const std::string& text) {
    if (end.ok()) return;
    Complain(text);
    (end.error_code() == grpc::StatusCode::UNAVAILABLE ? unreached_ : refused_) = true;
  }

  void Complain(std::string_view text) { Append(output_.err, "egretctl tail: ", OneLine(text), "\n"); }

  const bool json_;
  uint64_t left_;
  Output& output_;
  uint64_t told_ = 0;
  bool refused_ = false, unreached_ = false;
};

}  // namespace

int TailGroup(const Given& given, uint64_t lines, Output& output) {
  const TailRequest request = RequestOf(given);
  if (given.Has("--host") && !IsHost(request.host())) {
    Append(output.err, "egretctl tail: --host ", OneLine(request.host()), ": write example.com, *.example.com, ",
           ".example.com or an address\n");
    return kRefused;
  }
  NewsStreams<TailNews> streams(given, [&request](control::v1::Control::Stub& stub, grpc::ClientContext& context) {
    return stub.Tail(&context, request);
  });
  return Watch(given, lines, output).Run(streams);
}

}  // namespace egret
