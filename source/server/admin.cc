#include "source/server/admin.h"

#include <unistd.h>

#include <optional>
#include <utility>

#include "source/base/strings.h"
#include "source/event/combine.h"
#include "source/http/accept.h"
#include "source/http/content_coding.h"
#include "source/http/hop.h"

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
  if (accept != nullptr) request.accept = accept->value;
  request.wants_html = request.accept.find("text/html") != std::string::npos;
  return request;
}

// Nothing: the client has gone, or sends more than that.
Task<std::optional<std::string>> ReadContent(Http1Server& codec, Request& request, size_t most) {
  std::string content;
  if (request.body == nullptr) co_return content;
  Head go_on;
  go_on.status = 100;
  if (request.expects_continue && co_await codec.Inform(go_on)) co_return std::nullopt;
  for (;;) {
    const Chunk chunk = co_await request.body->Read();
    if (chunk.kind == Chunk::kEnd) co_return content;
    if (chunk.kind == Chunk::kFailed || content.size() + chunk.bytes.size() > most) co_return std::nullopt;
    content += chunk.bytes;
  }
}

Head HeadOf(const AdminReply& reply) {
  Head head;
  head.status = reply.status;
  head.Add("Content-Type", reply.content_type);
  head.Add("Cache-Control", "no-store");
  head.Add("X-Content-Type-Options", "nosniff");
  head.Add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  if (!reply.allow.empty()) head.Add("Allow", reply.allow);
  EnsureDate(head);
  return head;
}

// What is small gains nothing by it, and what is huge would keep the main loop.
void MaybeCompress(const Head& asked, std::string& body, Head& head) {
  constexpr size_t kLeast = 1024, kMost = size_t{8} << 20;
  if (body.size() < kLeast || body.size() > kMost) return;
  head.Add("Vary", "Accept-Encoding");
  const Field* takes = asked.Find("Accept-Encoding");
  if (takes == nullptr || !TakesGzip(takes->value)) return;
  body = Gzip(body);
  head.Add("Content-Encoding", "gzip");
}

Task<void> UntilLeft(Stream& client) { co_await Race(client.GoneGate(), client.PeerDoneGate()); }

}  // namespace

Admin::Admin(ListenSocket socket, AdminPages& pages) : socket_(std::move(socket)), pages_(pages) {
  accepting_.Start(AcceptLoop(socket_.fd(), *this, counters_));
}

Admin::~Admin() {
  accepting_.Clear();
  sessions_.Clear();
}

void Admin::Accepted(int fd, const Endpoint& /*peer*/) {
  if (open_ >= kMost && !MakeRoom()) {
    close(fd);
    return;
  }
  sessions_.Start(Session(fd));
}

bool Admin::MakeRoom() {
  if (waits_.empty()) return false;
  auto* const guest = static_cast<Guest*>(waits_.first());
  guest->Unlink();
  guest->leave.Open();
  return true;
}

Task<AdminReply> Admin::Answer(Http1Server& codec, Request& received) {
  AdminRequest request = RequestOf(received.head);
  if (const size_t most = pages_.MostContent(request); most > 0) {
    std::optional<std::string> content = co_await ReadContent(codec, received, most);
    if (!content) co_return Refusal(413, Cat("More than ", most, " bytes, or not all of it came.\n"));
    request.content = std::move(*content);
  }
  co_return co_await pages_.Answer(std::move(request));
}

Task<void> Admin::Session(int fd) {
  SocketStream stream(fd);
  Guest guest;
  ++open_;
  co_await Race(Converse(stream, guest), guest.leave);
  --open_;
}

Task<void> Admin::Converse(SocketStream& stream, Guest& guest) {
  const Http1ServerLimits limits;
  Http1Server codec(stream, limits);
  for (;;) {
    waits_.PushBack(guest);
    Result<Request, Failure> request = co_await codec.Next();
    guest.Unlink();
    if (!request && TextOf(request.error().fault).status == 0) co_return;
    AdminReply reply = request ? Judge(request->head, pages_.guarded())
                               : Refusal(TextOf(request.error().fault).status, "Bad request.\n");
    if (!request) codec.CloseAfterThis();
    if (reply.status == 200) reply = co_await Answer(codec, *request);
    Head head = HeadOf(reply);
    if (reply.stream != nullptr) {
      codec.CloseAfterThis();
      co_await Race(codec.Respond(head, reply.stream.get()), UntilLeft(stream));
      co_return;
    }
    if (request) MaybeCompress(request->head, reply.body, head);
    const std::unique_ptr<Body> body = MakeBody(std::move(reply.body));
    waits_.PushBack(guest);
    if (co_await codec.Respond(head, body.get()) || !co_await codec.Settle()) co_return;
  }
}

}  // namespace egret
