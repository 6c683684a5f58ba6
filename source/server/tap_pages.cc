#include "source/server/tap_pages.h"

#include <algorithm>
#include <string>
#include <utility>

#include "source/base/json.h"

namespace egret {

size_t TapsOpen(const ServerView& server) {
  return static_cast<size_t>(std::count_if(server.now->built.taps.begin(), server.now->built.taps.end(),
                                           [](const auto& tap) { return tap->state() == TapFile::State::kOpen; }));
}

Task<AdminReply> Taps(const ServerView& server, const AdminRequest& /*request*/) {
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Key("taps");
  out.BeginArray();
  for (const auto& tap : server.now->built.taps) {
    out.BeginObject();
    out.Member("file", tap->options().path);
    out.Member("state", NameOf(tap->state()));
    out.MemberIf("why", tap->why());
    out.Member("ends_unix_ms", tap->options().ends_unix_ms);
    out.Member("exchanges", tap->written());
    out.Member("max_exchanges", tap->options().max_exchanges);
    out.Member("dropped", tap->dropped());
    out.Member("file_bytes", tap->file_bytes());
    out.Member("max_file_bytes", tap->options().max_file_bytes);
    out.Member("max_content_bytes", tap->options().rules.content_bytes);
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  co_return AdminReply{200, "application/json", json + '\n'};
}

}  // namespace egret
