// header_rewrite around a chain that answers by itself.
#include "source/filters/header_rewrite.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "source/chain/exchange.h"
#include "test/chain/chain_test_base.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

class NoSink final : public ExchangeSink {
 public:
  Task<Failure> Inform(const Head&) override { co_return Failure{}; }
  Task<Failure> Respond(const Head&, Body*) override { co_return Failure{}; }
  void CloseAfterThis() override {}
  bool responded() const override { return false; }
  bool request_complete() const override { return true; }
  Gate& GoneGate() override { return Gate::NeverOpen(); }
  Gate& PeerDoneGate() override { return Gate::NeverOpen(); }
};

// Gives the request's fields back.
class Mirror final : public HttpFilter {
 public:
  Task<Response> Handle(Exchange& exchange, HttpNext) const override {
    Response response;
    response.head.status = 200;
    for (const Field& field : exchange.request.head.fields()) response.head.Add(field.name, field.value);
    co_return response;
  }
};

std::string Text(const Head& head) {
  std::string out;
  for (const Field& field : head.fields()) Append(out, field.name, ": ", field.value, '\n');
  return out;
}

Task<std::string> Fields(Exchange& exchange, const HttpFilters& filters) {
  const Response response = co_await HttpNext(filters)(exchange);
  co_return Text(response.head);
}

class HeaderRewriteTest : public ChainTestBase {
 protected:
  std::string Rewrite(std::vector<HeaderOperation> request_operations,
                      std::vector<HeaderOperation> response_operations) {
    HttpFilters filters;
    filters.push_back(
        std::make_unique<HeaderRewriteFilter>(std::move(request_operations), std::move(response_operations)));
    filters.push_back(std::make_unique<Mirror>());
    std::unique_ptr<PipeStream> far;
    const std::unique_ptr<Connection> connection = MakeConnection(far);
    Request request;
    request.head.Add("X-One", "1");
    request.head.Add("Accept", "a");
    request.head.Add("x-one", "2");
    NoSink sink;
    Exchange exchange(*connection, sink, std::move(request), RecordHolder(*worker_));
    return RunTask(loop_, Fields(exchange, filters));
  }
};

using Kind = HeaderOperation::Kind;

TEST_F(HeaderRewriteTest, SetReplacesEveryFieldOfTheNameInWhateverCase) {
  EXPECT_EQ(Rewrite({{Kind::kSet, "X-ONE", "new"}}, {}), "Accept: a\nX-ONE: new\n");
  EXPECT_EQ(Rewrite({{Kind::kSet, "X-Two", "new"}}, {}), "X-One: 1\nAccept: a\nx-one: 2\nX-Two: new\n");
}

TEST_F(HeaderRewriteTest, AppendKeepsWhatIsThereAndRemoveLeavesNone) {
  EXPECT_EQ(Rewrite({{Kind::kAppend, "X-One", "3"}, {Kind::kRemove, "accept", ""}}, {}),
            "X-One: 1\nx-one: 2\nX-One: 3\n");
}

TEST_F(HeaderRewriteTest, OperationsApplyInTheirOrder) {
  EXPECT_EQ(
      Rewrite({{Kind::kRemove, "X-One", ""}, {Kind::kRemove, "Accept", ""}, {Kind::kAppend, "X-One", "last"}}, {}),
      "X-One: last\n");
}

TEST_F(HeaderRewriteTest, ResponsesAreRewrittenAfterTheChain) {
  EXPECT_EQ(Rewrite({}, {{Kind::kRemove, "X-One", ""}, {Kind::kSet, "Server", "egret"}}), "Accept: a\nServer: egret\n");
}

}  // namespace
}  // namespace egret
