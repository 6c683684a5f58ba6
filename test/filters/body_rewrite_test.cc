// body_rewrite around a chain that answers as it was told.
#include "source/filters/body_rewrite.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/chain/exchange.h"
#include "test/chain/chain_test_base.h"
#include "test/support/gzip.h"
#include "test/support/pieces_body.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string Text(const Head& head) {
  std::string out;
  for (const Field& field : head.fields()) Append(out, field.name, ": ", field.value, '\n');
  return out;
}

// Remembers what it was asked and gives what it was told to.
class Origin final : public HttpFilter {
 public:
  Task<Response> Handle(Exchange& exchange, HttpNext) const override {
    asked = Text(exchange.request.head);
    if (exchange.request.body != nullptr) {
      asked_length = exchange.request.body->Length();
      content = co_await ReadAll(*exchange.request.body);
    }
    Response response;
    response.head.status = status;
    for (const auto& [name, value] : fields) response.head.Add(name, value);
    response.body = std::move(body);
    if (fails) exchange.record().Fail(fails);
    co_return response;
  }

  int status = 200;
  Fields fields;
  Failure fails;
  mutable std::unique_ptr<Body> body;
  mutable std::string asked, content;
  mutable std::optional<uint64_t> asked_length;
};

struct Answer {
  int status = 0;
  std::string fields, content;
  std::optional<uint64_t> length;
};

Task<Answer> Ask(Exchange& exchange, const HttpFilters& filters) {
  Response response = co_await HttpNext(filters)(exchange);
  Answer answer{response.head.status, Text(response.head), "", response.body ? response.body->Length() : 0};
  if (response.body != nullptr) answer.content = co_await ReadAll(*response.body);
  co_return answer;
}

std::shared_ptr<const ContentChanges> Changes(std::vector<ContentChange> changes, size_t most = 1000) {
  return std::make_shared<const ContentChanges>(std::move(changes), most);
}
ContentChange OldToNew() { return ReplaceText{SoughtText("old"), "new"}; }
ContentChange Pattern(const std::string& pattern, std::string with) {
  return ReplaceMatches{std::make_shared<const re2::RE2>(pattern), std::move(with)};
}

class BodyRewriteTest : public ChainTestBase {
 protected:
  BodyRewriteTest() {
    origin_ = std::make_unique<Origin>();
    origin_->fields = {{"Content-Type", "text/html; charset=utf-8"}};
    request_.head.method = "GET";
  }

  void Gives(std::string_view content, size_t piece = 4) {
    auto body = std::make_unique<PiecesBody>(Cut(content, piece));
    body->length = content.size();
    origin_->body = std::move(body);
  }
  Answer Rewrite() {
    HttpFilters filters;
    filters.push_back(std::make_unique<BodyRewriteFilter>(options_));
    Origin* const origin = origin_.get();
    filters.push_back(std::move(origin_));
    std::unique_ptr<PipeStream> far;
    const std::unique_ptr<Connection> connection = MakeConnection(far);
    Exchange exchange(*connection, sink_, std::move(request_), RecordHolder(*worker_));
    if (expects_) exchange.expectation = Expectation::kPending;
    Answer answer = RunTask(loop_, Ask(exchange, filters));
    EXPECT_EQ(exchange.record().bytes_held(), 0u);
    failure_ = exchange.record().failure;
    asked_ = origin->asked;
    content_ = origin->content;
    asked_length_ = origin->asked_length;
    return answer;
  }
  uint64_t Count(BodyRewrite outcome) { return worker_->counters().body_rewrites.Read(outcome); }
  // The same bytes, and a head of which nothing was taken.
  void ExpectUntouched(std::string_view content, BodyRewrite outcome) {
    const Fields fields = origin_->fields;
    const Answer answer = Rewrite();
    EXPECT_EQ(answer.content, content);
    EXPECT_EQ(answer.length, content.size());
    for (const auto& [name, value] : fields)
      EXPECT_NE(answer.fields.find(Cat(name, ": ", value, '\n')), std::string::npos) << name;
    if (outcome != BodyRewrite::kCount) EXPECT_EQ(Count(outcome), 1u);
    EXPECT_EQ(Count(BodyRewrite::kApplied), outcome == BodyRewrite::kApplied ? 1u : 0u);
  }

  BodyRewriteOptions options_{Changes({}), Changes({OldToNew()}), {"text/*", "application/json"}, false};
  std::unique_ptr<Origin> origin_;
  Request request_;
  FakeSink sink_;
  bool expects_ = false;
  Failure failure_;
  std::string asked_, content_;
  std::optional<uint64_t> asked_length_;
};

constexpr auto kNotCounted = BodyRewrite::kCount;

TEST_F(BodyRewriteTest, AResponseIsChangedWhileItPasses) {
  origin_->fields.insert(origin_->fields.end(), {{"ETag", "\"1\""},
                                                 {"Digest", "x"},
                                                 {"Repr-Digest", "x"},
                                                 {"Content-Length", "12"},
                                                 {"Accept-Ranges", "bytes"},
                                                 {"X-Other", "kept"}});
  Gives("an old story");
  const Answer answer = Rewrite();
  EXPECT_EQ(answer.content, "an new story");
  EXPECT_EQ(answer.length, std::nullopt);
  EXPECT_EQ(answer.fields, "Content-Type: text/html; charset=utf-8\nX-Other: kept\n");
  EXPECT_EQ(Count(BodyRewrite::kApplied), 1u);
}

TEST_F(BodyRewriteTest, AWeakETagStays) {
  origin_->fields.emplace_back("ETag", "W/\"1\"");
  Gives("old");
  EXPECT_EQ(Rewrite().fields, "Content-Type: text/html; charset=utf-8\nETag: W/\"1\"\n");
}

TEST_F(BodyRewriteTest, OfCompressedContentWhatIsReadGoesOn) {
  origin_->fields.emplace_back("Content-Encoding", "gzip");
  Gives(Compress("an old story"));
  const Answer answer = Rewrite();
  EXPECT_EQ(answer.content, "an new story");
  EXPECT_EQ(answer.fields, "Content-Type: text/html; charset=utf-8\n");
}

TEST_F(BodyRewriteTest, TheWholeIsReadWhereAPatternWantsIt) {
  options_.response = Changes({Pattern("o(ld)", "b\\1"), OldToNew()});
  origin_->fields.emplace_back("Content-Encoding", "gzip");
  Gives(Compress("an old old story"));
  const Answer answer = Rewrite();
  EXPECT_EQ(answer.content, "an bld bld story");
  EXPECT_EQ(answer.length, 16u);
  EXPECT_EQ(answer.fields, "Content-Type: text/html; charset=utf-8\n");
}

TEST_F(BodyRewriteTest, WhatHoldsNoMatchPassesByteForByte) {
  options_.response = Changes({Pattern("absent", "")});
  origin_->fields.insert(origin_->fields.end(), {{"Content-Encoding", "gzip"}, {"ETag", "\"1\""}});
  const std::string content = Compress("an old story");
  Gives(content);
  ExpectUntouched(content, BodyRewrite::kApplied);
}

TEST_F(BodyRewriteTest, WhatIsLargerThanTheBoundPassesByteForByte) {
  options_.response = Changes({Pattern("old", "")}, 100);
  const std::string content = std::string(99, 'x') + "old";
  Gives(content);
  ExpectUntouched(content, BodyRewrite::kTooLarge);
}

TEST_F(BodyRewriteTest, WhatDecodesToMoreThanTheBoundPassesAsItCame) {
  options_.response = Changes({Pattern("old", "")}, 100);
  origin_->fields.emplace_back("Content-Encoding", "gzip");
  const std::string content = Compress(std::string(5000, 'x') + "old");
  ASSERT_LT(content.size(), 100u);
  Gives(content);
  ExpectUntouched(content, BodyRewrite::kTooLarge);
}

TEST_F(BodyRewriteTest, WhatGrowsBeyondTheBoundPassesByteForByte) {
  options_.response = Changes({Pattern("x", "xxx")}, 100);
  const std::string content(50, 'x');
  Gives(content);
  ExpectUntouched(content, BodyRewrite::kTooLarge);
}

TEST_F(BodyRewriteTest, MalformedContentOfWhichTheWholeIsReadPassesByteForByte) {
  options_.response = Changes({Pattern("old", "")});
  origin_->fields.emplace_back("Content-Encoding", "gzip");
  Gives("not gzip: old");
  ExpectUntouched("not gzip: old", BodyRewrite::kMalformed);
}

TEST_F(BodyRewriteTest, WhatMayNotOrCannotBeChangedPassesByteForByte) {
  struct Case {
    int status;
    Fields fields;
    BodyRewrite outcome;
  };
  const Case kCases[] = {
      {200, {{"Cache-Control", "public, No-Transform"}}, BodyRewrite::kNoTransform},
      {206, {{"Content-Range", "bytes 0-2/9"}}, BodyRewrite::kPartial},
      {200, {{"Content-Encoding", "br"}}, BodyRewrite::kCoding},
      {200, {{"Content-Encoding", "gzip, gzip"}}, BodyRewrite::kCoding},
      {304, {{"ETag", "\"1\""}}, kNotCounted},
  };
  for (const Case& one : kCases) {
    worker_ = std::make_unique<Worker>(loop_, nullptr, &log_, 0);
    origin_ = std::make_unique<Origin>();
    origin_->status = one.status;
    origin_->fields = one.fields;
    origin_->fields.emplace_back("Content-Type", "text/plain");
    request_ = Request();
    request_.head.method = "GET";
    Gives("old");
    ExpectUntouched("old", one.outcome);
  }
}

TEST_F(BodyRewriteTest, OtherTypesAreLeftAlone) {
  for (const char* type : {"image/png", "application/jsonx", "textual/html", "text"}) {
    origin_ = std::make_unique<Origin>();
    origin_->fields = {{"Content-Type", type}};
    request_ = Request();
    Gives("old");
    ExpectUntouched("old", kNotCounted);
  }
}

TEST_F(BodyRewriteTest, AnEventStreamIsNotWaitedFor) {
  options_.response = Changes({Pattern("old", "new")});
  origin_->fields = {{"Content-Type", "text/event-stream"}};
  Gives("old");
  ExpectUntouched("old", BodyRewrite::kStream);
}

TEST_F(BodyRewriteTest, WhatTheClientWantsUnchangedIsLeftAlone) {
  request_.head.Add("Cache-Control", "no-transform");
  Gives("old");
  ExpectUntouched("old", BodyRewrite::kNoTransform);
}

TEST_F(BodyRewriteTest, WhatAnswersHeadIsLeftAlone) {
  request_.head.method = "HEAD";
  origin_->fields.emplace_back("Content-Length", "3");
  Gives("old");
  ExpectUntouched("old", kNotCounted);
}

TEST_F(BodyRewriteTest, WhatTheProxySaysItselfIsLeftAlone) {
  origin_->fails = {Side::kUpstream, Fault::kConnectRefused};
  origin_->status = 502;
  Gives("old");
  ExpectUntouched("old", kNotCounted);
}

TEST_F(BodyRewriteTest, OriginsAreAskedForWhatCanBeChanged) {
  request_.head.Add("Accept-Encoding", "gzip;q=0.8, br, *;q=0.1");
  request_.head.Add("accept-encoding", "zstd, deflate");
  request_.head.Add("Range", "bytes=1-");
  Gives("old");
  Rewrite();
  EXPECT_EQ(asked_, "Range: bytes=1-\nAccept-Encoding: gzip;q=0.8, deflate\n");
}

TEST_F(BodyRewriteTest, WhoTakesOnlyWhatCannotBeChangedGetsNoCoding) {
  request_.head.Add("Accept-Encoding", "br");
  Gives("old");
  Rewrite();
  EXPECT_EQ(asked_, "Accept-Encoding: identity\n");
}

TEST_F(BodyRewriteTest, WithRefuseNothingPassesUnchanged) {
  options_.refuse = true;
  origin_->fields.emplace_back("Content-Encoding", "br");
  request_.head.Add("Range", "bytes=1-");
  Gives("old");
  const Answer answer = Rewrite();
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.content.find("old"), std::string::npos);
  EXPECT_EQ(failure_, (Failure{Side::kUpstream, Fault::kUpstreamUnchangeable}));
  EXPECT_EQ(asked_, "");
  EXPECT_EQ(Count(BodyRewrite::kCoding), 1u);
}

TEST_F(BodyRewriteTest, WithRefuseRangesInPartsDoNotPassEither) {
  options_.refuse = true;
  origin_->status = 206;
  origin_->fields = {{"Content-Type", "multipart/byteranges; boundary=x"}};
  Gives("old");
  EXPECT_EQ(Rewrite().status, 502);
}

TEST_F(BodyRewriteTest, ATruncatedResponseOfWhichTheWholeIsNeededIsA502) {
  options_.response = Changes({Pattern("old", "new")});
  auto body = std::make_unique<PiecesBody>(Cut("an old", 2));
  body->fails = {Side::kUpstream, Fault::kUpstreamTruncated};
  origin_->body = std::move(body);
  EXPECT_EQ(Rewrite().status, 502);
  EXPECT_EQ(failure_.fault, Fault::kUpstreamTruncated);
}

class RequestRewriteTest : public BodyRewriteTest {
 protected:
  RequestRewriteTest() {
    options_.request = Changes({OldToNew()});
    options_.response = Changes({});
    request_.head.method = "POST";
    request_.head.Add("Content-Type", "application/json");
  }
  void Sends(std::string_view content) {
    auto body = std::make_unique<PiecesBody>(Cut(content, 4));
    body->length = content.size();
    request_.body = std::move(body);
  }
};

TEST_F(RequestRewriteTest, ARequestIsChangedWhileItPasses) {
  request_.head.Add("Content-Length", "11");
  request_.head.Add("Content-Encoding", "gzip");
  Sends(Compress("the old way"));
  Rewrite();
  EXPECT_EQ(content_, "the new way");
  EXPECT_EQ(asked_, "Content-Type: application/json\n");
  EXPECT_EQ(asked_length_, std::nullopt);
}

TEST_F(RequestRewriteTest, AClientThatWaitsIsToldToGoOnWhereTheWholeIsNeeded) {
  options_.request = Changes({Pattern("o", "0")});
  request_.head.Add(FieldName::kExpect, "100-continue");
  expects_ = true;
  Sends("the old way");
  Rewrite();
  EXPECT_EQ(sink_.said, "100()");
  EXPECT_EQ(content_, "the 0ld way");
  EXPECT_EQ(asked_length_, 11u);
  EXPECT_EQ(asked_, "Content-Type: application/json\n");
}

TEST_F(RequestRewriteTest, WithRefuseTooMuchIsA413AndAnUnknownCodingA415) {
  options_.request = Changes({Pattern("o", "0")}, 10);
  options_.refuse = true;
  Sends("the old way");
  EXPECT_EQ(Rewrite().status, 413);
  EXPECT_EQ(asked_, "");
  origin_ = std::make_unique<Origin>();
  request_ = Request();
  request_.head.method = "POST";
  request_.head.Add("Content-Type", "text/plain");
  request_.head.Add("Content-Encoding", "zstd");
  Sends("old");
  EXPECT_EQ(Rewrite().status, 415);
}

TEST_F(RequestRewriteTest, AClientThatBreaksOffReachesNoOrigin) {
  options_.request = Changes({Pattern("o", "0")});
  auto body = std::make_unique<PiecesBody>(Cut("the o", 2));
  body->fails = {Side::kClient, Fault::kClientEnded};
  request_.body = std::move(body);
  Rewrite();
  EXPECT_EQ(asked_, "");
  EXPECT_EQ(failure_.fault, Fault::kClientEnded);
}

// Whoever ends an exchange may do so at any of its waits: nothing is left of it, and nothing is touched after its end.
TEST_F(RequestRewriteTest, AnExchangeMayBeBrokenOffAnywhere) {
  for (const bool whole : {false, true}) {
    const ContentChange change = whole ? Pattern("o", "0") : OldToNew();
    options_.request = options_.response = Changes({change});
    bool ended = false;
    for (int turns = 0; !ended; ++turns) {
      HttpFilters filters;
      filters.push_back(std::make_unique<BodyRewriteFilter>(options_));
      auto origin = std::make_unique<Origin>();
      origin->fields = {{"Content-Type", "text/html"}, {"Content-Encoding", "gzip"}};
      origin->body = std::make_unique<PiecesBody>(Cut(Compress("an old story"), 3));
      filters.push_back(std::move(origin));
      std::unique_ptr<PipeStream> far;
      const std::unique_ptr<Connection> connection = MakeConnection(far);
      Request request;
      request.head.method = "POST";
      request.head.Add("Content-Type", "text/plain");
      request.body = std::make_unique<PiecesBody>(Cut("the old way", 2));
      Exchange exchange(*connection, sink_, std::move(request), RecordHolder(*worker_));
      {
        TestJoiner joiner;
        Task<Answer> task = Ask(exchange, filters);
        task.Start(joiner);
        for (int i = 0; i < turns && !task.done(); ++i) loop_.Turn(0);
        ended = task.done();
      }
      EXPECT_EQ(exchange.record().bytes_held(), 0u);
      ASSERT_LT(turns, 1000);
    }
  }
}

}  // namespace
}  // namespace egret
