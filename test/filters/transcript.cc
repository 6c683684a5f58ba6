#include "test/filters/transcript.h"

#include <algorithm>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

// Overwrites what follows each `mark`.
void Blank(std::string& text, std::string_view mark, size_t bytes) {
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const size_t from = at + mark.size();
    text.replace(from, std::min(bytes, text.size() - from), "?");
  }
}

void Normalise(HttpText& answer) {
  std::erase_if(answer.fields, [](const std::string& field) {
    const std::string name = ToLower(std::string_view(field).substr(0, field.find(':')));
    return name == "date" || name == "connection";
  });
  for (std::string& field : answer.fields) Blank(field, "request-id=\"", 16);
  Blank(answer.body, "Request id ", 16);
}

bool Switches(const HttpText& answer, bool first) {
  return answer.status() == 101 || (first && answer.start == "HTTP/1.1 200 Connection established");
}

std::string Show(const HttpText& answer) {
  std::string out = Cat("[", answer.start, "]");
  for (const std::string& field : answer.fields) Append(out, " ", field, ";");
  return Cat(out, " body of ", answer.body.size(), ": ", std::string_view(answer.body).substr(0, 80));
}

// The first word of RFC 9209's details.
std::string_view Detail(const HttpText& answer) {
  std::string_view status = answer.Field("Proxy-Status");
  const size_t at = status.find("details=\"");
  if (at == std::string_view::npos) return {};
  status.remove_prefix(at + 9);
  return status.substr(0, status.find_first_of(" \""));
}

bool IsBeginningOf(std::string_view part, std::string_view whole) { return whole.starts_with(part); }

// The same answer, or a beginning of it that cannot be taken for the whole.
bool BeginsLike(const HttpText& heard, const HttpText& right) {
  if (!heard.has_head) return IsBeginningOf(heard.start, right.start) || heard.fields.size() <= right.fields.size();
  if (heard.start != right.start || heard.fields != right.fields) return false;
  if (!heard.complete) return IsBeginningOf(heard.body, right.body);
  return heard.body == right.body && heard.trailers == right.trailers;
}

}  // namespace

bool IsLocalReply(const HttpText& answer) {
  if (!answer.has_head)
    return answer.start.empty() || std::string_view("HTTP/1.1 ").starts_with(answer.start.substr(0, 9));
  return answer.status() >= 400 && !Detail(answer).empty() && answer.body.size() <= 2000;
}

Transcript Transcribe(const Peer& client, bool head_requests) {
  Transcript out;
  std::string_view rest = client.heard();
  bool switched = false;
  while (!rest.empty()) {
    if (switched && !rest.starts_with("HTTP/1.")) {
      out.tunnel = rest;
      break;
    }
    HttpText answer = ReadHttp(rest, head_requests ? HttpKind::kHeadResponse : HttpKind::kResponse);
    if (Switches(answer, out.answers.empty())) {
      switched = true;
      answer = ReadHttp(rest, HttpKind::kHeadResponse);
    }
    if (answer.until_end && client.end() == Peer::End::kFin) answer.complete = true;
    rest.remove_prefix(answer.size);
    Normalise(answer);
    out.answers.push_back(std::move(answer));
  }
  return out;
}

std::string Transcript::Summary() const {
  std::string out;
  for (const HttpText& answer : answers) {
    Append(out, answer.status(), ' ');
    if (const std::string_view detail = Detail(answer); !detail.empty()) {
      out += detail;
    } else if (answer.body.size() > 200) {
      Append(out, '<', answer.body.size(), " bytes>");
    } else {
      out += answer.body;
    }
    out += answer.complete ? "\n" : " ...\n";
  }
  if (!tunnel.empty()) Append(out, "> ", tunnel, '\n');
  return out;
}

namespace {

// The right answer that `heard` is or begins like; interim ones may be missing.
size_t FindRight(const HttpText& heard, const std::vector<HttpText>& right, size_t from) {
  while (from < right.size() && !BeginsLike(heard, right[from]) && right[from].status() / 100 == 1) ++from;
  return from < right.size() && BeginsLike(heard, right[from]) ? from : right.size();
}

size_t AfterFinal(const std::vector<HttpText>& right, size_t from) {
  while (from < right.size() && right[from].status() / 100 == 1) ++from;
  return std::min(from + 1, right.size());
}

}  // namespace

std::string WrongIn(const Transcript& heard, const Transcript& right) {
  size_t next = 0;
  for (const HttpText& answer : heard.answers) {
    const size_t at = FindRight(answer, right.answers, next);
    if (!answer.complete && &answer != &heard.answers.back())
      return Cat("incomplete, and more follows: ", Show(answer));
    if (at < right.answers.size()) {
      next = at + 1;
    } else if (next < right.answers.size() && IsLocalReply(answer)) {
      next = AfterFinal(right.answers, next);
    } else {
      return Cat(Show(answer), "\n  instead of ",
                 next < right.answers.size() ? Show(right.answers[next]) : std::string("nothing"));
    }
  }
  if (!IsBeginningOf(heard.tunnel, right.tunnel)) return Cat("tunnel: ", heard.tunnel, "\n  instead of ", right.tunnel);
  return {};
}

bool IsBeginningOfRequests(std::string_view heard, std::string_view right) {
  while (!heard.empty()) {
    const std::string_view one = heard.substr(0, ReadHttp(heard, HttpKind::kRequest).size);
    while (!right.empty() && !right.starts_with(one)) right.remove_prefix(ReadHttp(right, HttpKind::kRequest).size);
    if (right.empty()) return false;
    heard.remove_prefix(one.size());
    right.remove_prefix(one.size());
  }
  return true;
}

std::string Anonymous(std::string text, uint16_t port) {
  Blank(text, Cat(".test:", port).substr(0, 6), std::to_string(port).size());
  Blank(text, "127.0.0.1:", std::to_string(port).size());
  return text;
}

}  // namespace egret
