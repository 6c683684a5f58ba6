#include "source/server/admin.h"

#include <utility>

#include "source/base/strings.h"
#include "source/http/hop.h"
#include "source/http/http1_server.h"
#include "source/io/socket_stream.h"

namespace egret {
namespace {

AdminReply Refusal(int status, std::string text) { return {status, "text/plain; charset=utf-8", std::move(text)}; }

bool IsLocalName(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) host = host.substr(0, colon);
  if (EqualsIgnoreCase(host, "localhost")) return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return IpAddress::Parse(host).has_value();
}

// A page in a browser must not reach this by a name of its own that resolves here (DNS rebinding), so Host is an
// address or localhost.
AdminReply Judge(const Head& head) {
  if (head.method != "GET" && head.method != "HEAD") return Refusal(405, "GET only.\n");
  const Field* host = head.Find(FieldName::kHost);
  if (host != nullptr && !IsLocalName(host->value)) return Refusal(403, "Host must be an address or localhost.\n");
  if (head.form != TargetForm::kOrigin) return Refusal(400, "This is the admin interface, not the proxy.\n");
  return {};
}

}  // namespace

Admin::Admin(ListenSocket socket, AdminPages& pages) : socket_(std::move(socket)), pages_(pages) {
  accepting_.Start(AcceptLoop(socket_.fd(), *this, counters_));
}

Admin::~Admin() {
  accepting_.Clear();
  sessions_.Clear();
}

void Admin::Accepted(int fd, const Endpoint& /*peer*/) { sessions_.Start(Session(fd)); }

Task<void> Admin::Session(int fd) {
  SocketStream stream(fd);
  const Http1ServerLimits limits;
  Http1Server codec(stream, limits);
  for (;;) {
    Result<Request, Failure> request = co_await codec.Next();
    if (!request && TextOf(request.error().fault).status == 0) co_return;
    AdminReply reply = request ? Judge(request->head) : Refusal(TextOf(request.error().fault).status, "Bad request.\n");
    if (!request) codec.CloseAfterThis();
    if (reply.status == 200) {
      const std::string_view path = request->head.path;
      reply = co_await pages_.Get(std::string(path.substr(0, path.find('?'))));
    }
    Head head;
    head.status = reply.status;
    head.Add("Content-Type", reply.content_type);
    head.Add("Cache-Control", "no-store");
    head.Add("X-Content-Type-Options", "nosniff");
    EnsureDate(head);
    const std::unique_ptr<Body> body = MakeBody(std::move(reply.body));
    if (co_await codec.Respond(head, body.get()) || !co_await codec.Settle()) co_return;
  }
}

}  // namespace egret
