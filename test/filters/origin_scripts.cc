#include "test/filters/origin_scripts.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/event/wait.h"

namespace egret {
namespace {

constexpr size_t kBig = 100'000;

std::string Answer(int status, std::string_view fields, std::string_view content) {
  return Cat("HTTP/1.1 ", status, " Said\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n", fields,
             "Content-Length: ", content.size(), "\r\n\r\n", content);
}
std::string NoContent(int status, std::string_view fields = "") {
  return Cat("HTTP/1.1 ", status, " Said\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n", fields, "\r\n");
}

// Path and query of a request line in any form.
std::string PathOf(const HttpText& request) {
  std::string_view target = request.start;
  SplitFirst(target, ' ');
  target = SplitFirst(target, ' ');
  if (target.starts_with("http://")) target.remove_prefix(std::min(target.size(), target.find('/', 7)));
  return std::string(target);
}

// Answers one request by its path; false where the connection is to be ended after it.
Task<bool> AnswerOne(Peer& proxy, const HttpText& request) {
  const std::string path = PathOf(request);
  if (request.start.starts_with("CONNECT")) co_return co_await proxy.Say("HTTP/1.1 200 Connected\r\n\r\n");
  if (path == "/close") {
    co_await proxy.Say(Cat(NoContent(200), "until the "));
    co_await Yield();
    co_await proxy.Say("end");
    co_return false;
  }
  if (path == "/chunks") {
    if (!co_await proxy.Say(Cat(NoContent(200, "Transfer-Encoding: chunked\r\n"), "6\r\nchunks\r\n"))) co_return false;
    co_await Yield();
    co_return co_await proxy.Say("4\r\n, 2x\r\n0\r\nX-Sum: 42\r\n\r\n");
  }
  if (path == "/big") co_return co_await proxy.Say(Answer(200, "", std::string(kBig, 'b')));
  if (path == "/empty") co_return co_await proxy.Say(NoContent(204));
  if (path == "/unchanged") co_return co_await proxy.Say(NoContent(304, "ETag: \"1\"\r\nContent-Length: 7\r\n"));
  if (path == "/broken") co_return co_await proxy.Say("HTTP/1.1 two hundred\r\n\r\n");
  if (path == "/content")
    co_return co_await proxy.Say(NoContent(200, "Transfer-Encoding: chunked\r\n") + "no size\r\n");
  if (path == "/asks") co_return co_await proxy.Say(Answer(407, "Proxy-Authenticate: Basic\r\n", "who?"));
  if (path == "/hints") {
    if (!co_await proxy.Say(NoContent(103, "Link: </a.css>\r\n"))) co_return false;
    co_await Yield();
  }
  std::string content = Cat("hello ", path);
  if (!request.body.empty()) Append(content, ", got ", request.body);
  for (const std::string& trailer : request.trailers) Append(content, ", ", trailer);
  if (request.start.starts_with("HEAD")) co_return co_await proxy.Say(NoContent(200, "Content-Length: 5\r\n"));
  co_return co_await proxy.Say(Answer(200, "", content));
}

// One answer, whatever the question.
Task<void> Answers(Peer& proxy, std::string answer) {
  if (!co_await proxy.HearUntil("\r\n\r\n")) co_return;
  co_await proxy.Say(std::move(answer));
  co_await proxy.HearEnd();
}

}  // namespace

Task<void> Web(Peer& proxy, int) {
  while (co_await proxy.HearHttp(HttpKind::kRequest))
    if (!co_await AnswerOne(proxy, proxy.http())) co_return;
}

Task<void> Forgetful(Peer& proxy, int nth) {
  if (nth > 1) co_return co_await Web(proxy, nth);
  if (co_await proxy.HearHttp(HttpKind::kRequest)) co_await AnswerOne(proxy, proxy.http());
  co_await proxy.HearHttp(HttpKind::kRequest);
}

Task<void> ForgetsAtTheHead(Peer& proxy, int nth) {
  if (nth > 1) co_return co_await Web(proxy, nth);
  if (co_await proxy.HearHttp(HttpKind::kRequest)) co_await AnswerOne(proxy, proxy.http());
  co_await proxy.HearUntil("\r\n\r\n");
}

Task<void> Silent(Peer& proxy, int) { co_await proxy.HearEnd(); }

Task<void> AnswersEarly(Peer& proxy, int) {
  if (!co_await proxy.HearUntil("\r\n\r\n")) co_return;
  if (proxy.last().starts_with("GET")) {
    co_await proxy.Say(Answer(200, "", "after"));
  } else {
    co_await proxy.Say(Answer(200, "", "early"));
  }
  co_await proxy.HearEnd();
}

Task<void> SaysContinue(Peer& proxy, int) {
  if (!co_await proxy.HearUntil("\r\n\r\n")) co_return;
  if (!co_await proxy.Say("HTTP/1.1 100 Continue\r\n\r\n")) co_return;
  if (!co_await proxy.Hear(5)) co_return;
  co_await proxy.Say(Answer(200, "", "took it"));
  co_await proxy.HearEnd();
}

Task<void> RefusesExpectation(Peer& proxy, int) {
  if (!co_await proxy.HearUntil("\r\n\r\n")) co_return;
  co_await proxy.Say(Answer(417, "", "too much"));
  co_await proxy.HearEnd();
}

Task<void> RefusesLate(Peer& proxy, int nth) {
  co_await Sleep(1000);
  co_await RefusesExpectation(proxy, nth);
}

Task<void> SwitchesProtocols(Peer& proxy, int) {
  if (!co_await proxy.HearUntil("\r\n\r\n")) co_return;
  co_await proxy.Say(NoContent(101,
                               "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  if (!co_await proxy.Hear(4)) co_return;
  co_await proxy.Say("pong");
  co_await proxy.HearEnd();
}

Task<void> Echo(Peer& proxy, int) {
  while (co_await proxy.Hear(1))
    if (!co_await proxy.Say(std::string(proxy.last()))) co_return;
  if (proxy.heard().size() >= 8) co_await proxy.Say("bye");  // the other direction is still open
}

Task<void> SpeaksFirstThenEnds(Peer& proxy, int) {
  if (!co_await proxy.Say("220 ready\r\n")) co_return;
  co_await Yield();
  proxy.Finish();
  co_await proxy.HearEnd();
}

[[clang::coro_wrapper]] Task<void> AsksWho(Peer& proxy, int) {
  return Answers(proxy, Answer(407, "Proxy-Authenticate: Basic realm=x\r\n", "inside us"));
}
[[clang::coro_wrapper]] Task<void> Fails(Peer& proxy, int) { return Answers(proxy, Answer(502, "", "inside us")); }
[[clang::coro_wrapper]] Task<void> TalksGarbage(Peer& proxy, int) { return Answers(proxy, "SSH-2.0-OpenSSH\r\n\r\n"); }
// RFC 9110 9.3.6: it means nothing.
[[clang::coro_wrapper]] Task<void> FramesItsTunnel(Peer& proxy, int) {
  return Answers(proxy, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

}  // namespace egret
