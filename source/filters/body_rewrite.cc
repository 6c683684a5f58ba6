#include "source/filters/body_rewrite.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "source/base/counter.h"
#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/local_reply.h"
#include "source/chain/worker.h"
#include "source/event/wait.h"
#include "source/http/content_coding.h"
#include "source/http/field_value.h"

namespace egret {
namespace {

constexpr int kChunksInOneTurn = 16;

// A message as this filter sees it, whichever way it goes.
struct Message {
  Exchange& exchange;
  Head& head;
  std::unique_ptr<Body>& body;
  const ContentChanges& changes;
  Side side;

  Fault fault(BodyRewrite why) const {
    if (side == Side::kUpstream) return Fault::kUpstreamUnchangeable;
    return why == BodyRewrite::kTooLarge ? Fault::kContentTooLarge : Fault::kContentUnchangeable;
  }
};

std::string_view ValueOf(const Head& head, std::string_view name) {
  const Field* field = head.Find(name);
  return field != nullptr ? TrimOws(field->value) : std::string_view();
}

bool ForbidsTransforming(const Head& head) {
  for (const Field& field : head.fields())
    if (EqualsIgnoreCase(field.name, "Cache-Control") && HasElement(field.value, "no-transform")) return true;
  return false;
}

std::string MediaType(const Head& head) {
  std::string_view value = ValueOf(head, "Content-Type");
  return ToLower(TrimOws(SplitFirst(value, ';')));
}

bool IsOneOf(const std::vector<std::string>& types, std::string_view type) {
  const auto fits = [type](std::string_view own) {
    if (!own.ends_with("/*")) return own == type;
    return type.starts_with(own.substr(0, own.size() - 1));
  };
  return std::any_of(types.begin(), types.end(), fits);
}

// The one coding that the content has; empty: none. Several are not taken off.
std::string CodingOf(const Head& head) {
  std::string coding;
  for (const Field& field : head.fields())
    if (EqualsIgnoreCase(field.name, "Content-Encoding"))
      ForEachElement(field.value, [&](std::string_view one) {
        if (!EqualsIgnoreCase(one, "identity")) Append(coding, coding.empty() ? "" : ", ", one);
      });
  return coding;
}

// kApplied: nothing that the head says is in the way.
BodyRewrite JudgeHead(const Message& message, std::string_view type, bool may_transform) {
  if (!may_transform || ForbidsTransforming(message.head)) return BodyRewrite::kNoTransform;
  if (message.head.status == 206 || message.head.Find("Content-Range") != nullptr) return BodyRewrite::kPartial;
  if (message.changes.needs_whole() && type == "text/event-stream") return BodyRewrite::kStream;
  const std::string coding = CodingOf(message.head);
  if (!coding.empty() && MakeDecoder(coding) == nullptr) return BodyRewrite::kCoding;
  return BodyRewrite::kApplied;
}

// Takes off what was said of the content as it was (RFC 9110 7.7).
void DescribeChanged(const Message& message) {
  Head& head = message.head;
  head.Remove(FieldName::kContentLength);  // the codec tells the new one, where it is known
  head.Remove("Content-Encoding");
  head.RemoveIf([](const Field& field) { return IsDigestField(field.name); });
  if (message.side != Side::kUpstream) return;
  head.Remove("Accept-Ranges");
  if (!ValueOf(head, "ETag").starts_with("W/")) head.Remove("ETag");
}

// What is held of a message counts where memory is scarce and somebody has to go.
class HeldBytes {
 public:
  explicit HeldBytes(ExchangeRecord& record) : record_(record) { record_.live_held = &held_; }
  ~HeldBytes() { record_.live_held = nullptr; }
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  void Set(size_t bytes) { held_.Add(static_cast<int64_t>(bytes) - held_.Read()); }

 private:
  ExchangeRecord& record_;
  Gauge held_;
};

struct Gathered {
  std::string received;
  std::string content;  // where it had a coding: decoded
  BodyRewrite outcome = BodyRewrite::kApplied;
  Failure failure;  // of the body
};

// False: there is no more to get of it, for the reason that is put in.
bool Decode(ContentEdit& decoder, std::string_view bytes, size_t most, Gathered& into) {
  std::string piece;
  do {
    piece.clear();
    if (!decoder.Take(bytes, piece)) into.outcome = BodyRewrite::kMalformed;
    into.content.append(piece);
    if (into.content.size() > most) into.outcome = BodyRewrite::kTooLarge;
  } while (!piece.empty() && into.outcome == BodyRewrite::kApplied);
  return into.outcome == BodyRewrite::kApplied;
}

// Reads the body to its end, or until it is clear that it cannot be changed.
Task<Gathered> Gather(const Message& message) {
  const size_t most = message.changes.most();
  const std::unique_ptr<ContentEdit> decoder = MakeDecoder(CodingOf(message.head));
  HeldBytes held(message.exchange.record());
  Gathered out;
  for (int chunks = 1;; ++chunks) {
    const Chunk chunk = co_await message.body->Read();
    if (chunk.kind == Chunk::kFailed) out.failure = chunk.why;
    if (chunk.kind == Chunk::kEnd && decoder != nullptr && !decoder->End(out.content))
      out.outcome = BodyRewrite::kMalformed;
    if (chunk.kind != Chunk::kBytes) co_return out;
    out.received.append(chunk.bytes);
    if (out.received.size() > most) out.outcome = BodyRewrite::kTooLarge;
    if (out.outcome != BodyRewrite::kApplied) co_return out;
    if (decoder != nullptr && !Decode(*decoder, chunk.bytes, most, out)) co_return out;
    held.Set(out.received.size() + out.content.size());
    if (chunks % kChunksInOneTurn == 0) co_await Yield();
  }
}

// Changes what the whole of which is needed. What stays as it is keeps its head and its every byte.
Task<Failure> ChangeWhole(Message message, BodyRewrite& outcome) {
  Gathered gathered = co_await Gather(message);
  outcome = gathered.outcome;
  if (gathered.failure) co_return gathered.failure;
  std::optional<std::string> changed;
  const bool decoded = !CodingOf(message.head).empty();
  if (outcome == BodyRewrite::kApplied) {
    std::string& content = decoded ? gathered.content : gathered.received;
    changed = message.changes.Apply(content);
    if (!changed) outcome = BodyRewrite::kTooLarge;
    if (changed == content) changed.reset();
  }
  const std::optional<uint64_t> length = changed ? changed->size() : message.body->Length();
  if (changed) DescribeChanged(message);
  std::string& front = changed ? *changed : gathered.received;
  message.body = MakeBodyWithFront(std::move(front), std::move(message.body), length);
  co_return Failure{};
}

void ChangeWhileItPasses(const Message& message) {
  const Failure malformed{message.side, message.fault(BodyRewrite::kMalformed)};
  if (auto decoder = MakeDecoder(CodingOf(message.head)))
    message.body = MakeEditedBody(std::move(message.body), std::move(decoder), malformed);
  message.body = message.changes.Around(std::move(message.body), malformed);
  DescribeChanged(message);
}

// A failure is one to answer with.
Task<Failure> Change(Message message, BodyRewrite outcome, bool refuse) {
  if (outcome == BodyRewrite::kApplied && message.changes.needs_whole()) {
    if (message.side == Side::kClient) {
      if (const Failure failure = co_await message.exchange.AnswerExpect()) co_return failure;
    }
    if (const Failure failure = co_await ChangeWhole(message, outcome)) co_return failure;
  } else if (outcome == BodyRewrite::kApplied) {
    ChangeWhileItPasses(message);
  }
  message.exchange.worker().counters().body_rewrites.Add(outcome);
  if (refuse && outcome != BodyRewrite::kApplied) co_return Failure{message.side, message.fault(outcome)};
  co_return Failure{};
}

// Content that somebody else sent: what the proxy itself says stays as it is.
bool MayHaveContent(Exchange& exchange, const Response& response) {
  const int status = response.head.status;
  if (exchange.record().failure) return false;
  return response.body != nullptr && exchange.request.head.method != "HEAD" && status != 204 && status != 304;
}

// Asks the origin for what can be changed: no coding but those that can be taken off.
void AskForChangeable(Head& head) {
  std::string kept;
  bool asked = false;
  for (const Field& field : head.fields()) {
    if (!EqualsIgnoreCase(field.name, "Accept-Encoding")) continue;
    asked = true;
    ForEachElement(field.value, [&](std::string_view element) {
      std::string_view rest = element;
      const std::string_view coding = TrimOws(SplitFirst(rest, ';'));
      if (EqualsIgnoreCase(coding, "identity") || MakeDecoder(coding) != nullptr)
        Append(kept, kept.empty() ? "" : ", ", element);
    });
  }
  if (asked) head.Set("Accept-Encoding", kept.empty() ? "identity" : kept);
}

}  // namespace

BodyRewriteFilter::BodyRewriteFilter(BodyRewriteOptions options) : options_(std::move(options)) {}

Task<Response> BodyRewriteFilter::Handle(Exchange& exchange, HttpNext next) const {
  return exchange.connect() ? next(exchange) : Rewrite(exchange, next);
}

// Both are tasks of their own: what awaits the rest of the chain holds nothing.
Task<Failure> BodyRewriteFilter::ChangeRequest(Exchange& exchange, bool may_transform) const {
  Request& request = exchange.request;
  if (options_.request->empty() || request.body == nullptr) co_return Failure{};
  const std::string type = MediaType(request.head);
  if (!IsOneOf(options_.types, type)) co_return Failure{};
  const Message message{exchange, request.head, request.body, *options_.request, Side::kClient};
  co_return co_await Change(message, JudgeHead(message, type, may_transform), options_.refuse);
}

Task<Failure> BodyRewriteFilter::ChangeResponse(Exchange& exchange, Response& response, bool may_transform) const {
  if (options_.response->empty() || !MayHaveContent(exchange, response)) co_return Failure{};
  const std::string type = MediaType(response.head);
  // Of several ranges only the parts say what they are of.
  const bool parts = options_.refuse && response.head.status == 206 && type == "multipart/byteranges";
  if (!parts && !IsOneOf(options_.types, type)) co_return Failure{};
  const Message message{exchange, response.head, response.body, *options_.response, Side::kUpstream};
  co_return co_await Change(message, JudgeHead(message, type, may_transform), options_.refuse);
}

Task<Response> BodyRewriteFilter::Rewrite(Exchange& exchange, HttpNext next) const {
  Head& head = exchange.request.head;
  const bool may_transform = !ForbidsTransforming(head);
  exchange.KeepJudged();
  if (const Failure failure = co_await ChangeRequest(exchange, may_transform)) co_return LocalReply(exchange, failure);
  if (!options_.response->empty()) {
    AskForChangeable(head);
    if (options_.refuse) {  // else ranges would be refused, and nobody would know why
      head.Remove("Range");
      head.Remove("If-Range");
    }
  }
  Response response = co_await next(exchange);
  if (const Failure failure = co_await ChangeResponse(exchange, response, may_transform))
    co_return LocalReply(exchange, failure);
  co_return response;
}

}  // namespace egret
