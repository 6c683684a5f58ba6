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
// address or localhost; nor send a form here from elsewhere, so Origin is this very place.
AdminReply Judge(const Head& head, bool guarded) {
  if (head.form != TargetForm::kOrigin) return Refusal(400, "This is the admin interface, not the proxy.\n");
  if (!guarded) return {};
  const Field* host = head.Find(FieldName::kHost);
  if (host != nullptr && !IsLocalName(host->value)) return Refusal(403, "Host must be an address or localhost.\n");
  const Field* origin = head.Find("Origin");
  if (origin != nullptr && (host == nullptr || origin->value != Cat("http://", host->value)))
    return Refusal(403, "No page of another origin is served.\n");
  return {};
}

AdminRequest RequestOf(const Head& head) {
  AdminRequest request;
  request.method = head.method == "HEAD" ? "GET" : head.method;
  const std::string_view target = head.path;
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  const Field* accept = head.Find("Accept");
  request.wants_html = accept != nullptr && accept->value.find("text/html") != std::string_view::npos;
  return request;
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
    AdminReply reply = request ? Judge(request->head, pages_.guarded())
                               : Refusal(TextOf(request.error().fault).status, "Bad request.\n");
    if (!request) codec.CloseAfterThis();
    if (reply.status == 200) reply = co_await pages_.Answer(RequestOf(request->head));
    Head head;
    head.status = reply.status;
    head.Add("Content-Type", reply.content_type);
    head.Add("Cache-Control", "no-store");
    head.Add("X-Content-Type-Options", "nosniff");
    head.Add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    if (!reply.allow.empty()) head.Add("Allow", reply.allow);
    EnsureDate(head);
    const std::unique_ptr<Body> body = MakeBody(std::move(reply.body));
    if (co_await codec.Respond(head, body.get()) || !co_await codec.Settle()) co_return;
  }
}

}  // namespace egret
