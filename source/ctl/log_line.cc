#include "source/ctl/log_line.h"

#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <string>

#include "source/base/strings.h"
#include "source/config/error.h"
#include "source/config/json_parser.h"
#include "source/config/tree.h"
#include "source/ctl/json_node.h"

namespace egret {
namespace {

// A request that came through a tunnel is one inside it; what the tunnel carried is not in its own line.
Result<Asked, Problem> AskedFor(const Node& line) {
  const std::string method = TextOf(line, "method");
  const std::string target = TextOf(line, "target");
  if (method.empty() || target.empty())
    return Problem{"the log line has no method and target, so no policy was asked; its detail says what was wrong"};
  if (method == "CONNECT") return AskFor(method, target);
  const std::string path = TextOf(line, "path");
  if (TextOf(line, "parent_id").empty()) return AskFor(method, Cat("http://", target, path == "*" ? "" : path));
  Result<Asked, Problem> asked = AskFor("CONNECT", target);
  if (!asked) return asked;
  if (auto problem = AskInside(Cat(method, " ", path), *asked)) return *problem;
  return asked;
}

void AddIdentity(const std::string& name, Asked& asked) {
  asked.nobody = name.empty();
  if (name.empty()) return;
  asked.identity.emplace();
  asked.identity->assurance = Assurance::kToken;
  (name.starts_with("spiffe://") ? asked.identity->spiffe_id : asked.identity->user) = name;
}

void AddWayThere(const Node& line, Asked& asked) {
  if (const auto protocol = ParseProtocol(TextOf(line, "carries"))) asked.protocol = protocol;
  if (const std::string sni = TextOf(line, "sni"); !sni.empty()) asked.sni = sni;
  if (const std::string ja3 = TextOf(line, "ja3"); !ja3.empty()) asked.ja3 = ja3;
  if (const std::string ja4 = TextOf(line, "ja4"); !ja4.empty()) asked.ja4 = ja4;
  asked.ech = TextOf(line, "ech") == "true";
  const auto upstream = Endpoint::Parse(TextOf(line, "upstream"));
  if (!upstream || asked.target.literal || !TextOf(line, "next_hop").empty()) return;
  asked.resolved = {upstream->address};
  asked.assumed.emplace_back(
      Cat(asked.target.host, " resolves to what was dialled, ", upstream->address.ToString(), " (--resolved)"));
}

}  // namespace

Result<Asked, Problem> AskAsLogged(std::string_view text) {
  const Tree tree = ParseJson(text, "");
  if (!tree.root) {
    const std::string why = tree.errors.empty() ? std::string("not JSON") : tree.errors.front().ToString();
    return Problem{Cat("the log line: ", why)};
  }
  if (!tree.root->map()) return Problem{"the log line is no JSON object; give one whole line"};
  const Node& line = *tree.root;
  Result<Asked, Problem> asked = AskedFor(line);
  if (!asked) return asked;
  asked->logged = true;
  asked->headers_known = false;
  if (const auto source = Endpoint::Parse(TextOf(line, "source"))) asked->source = source->address;
  AddIdentity(TextOf(line, "identity"), *asked);
  AddWayThere(line, *asked);
  google::protobuf::Timestamp time;
  if (google::protobuf::util::TimeUtil::FromString(TextOf(line, "time"), &time)) asked->now = time.seconds();
  return asked;
}

}  // namespace egret
