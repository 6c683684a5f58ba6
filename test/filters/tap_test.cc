// tap around a chain that answers as it was told: every byte passes, and what is seen is handed over however it ends.
#include "source/filters/tap.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "source/chain/exchange.h"
#include "test/chain/chain_test_base.h"
#include "test/support/pieces_body.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

// Gives a body of three bytes, or nothing ever.
class ThreeBytes final : public HttpFilter {
 public:
  Task<Response> Handle(Exchange& exchange, HttpNext) const override {
    if (silent) co_await GateAwaiter(Gate::NeverOpen());
    if (exchange.request.body != nullptr) sent = co_await ReadAll(*exchange.request.body);
    Response response;
    response.head.status = 200;
    auto body = std::make_unique<PiecesBody>(Cut("abc", 1));
    body->length = 3;
    body->fields.Add("X-Sum", "1");
    response.body = std::move(body);
    co_return response;
  }

  bool silent = false;
  mutable std::string sent;
};

Task<std::string> AskAndRead(Exchange& exchange, const HttpFilters& filters) {
  const Response response = co_await HttpNext(filters)(exchange);
  EXPECT_EQ(response.body->Length(), 3u);
  std::string all = co_await ReadAll(*response.body);
  EXPECT_EQ(response.body->trailers()->fields().size(), 1u);
  co_return all;
}

Task<std::string> AskAndLeave(Exchange& exchange, const HttpFilters& filters) {
  const Response response = co_await HttpNext(filters)(exchange);
  co_return std::string((co_await response.body->Read()).bytes);
}

class TapTest : public ChainTestBase {
 protected:
  using Script = Task<std::string> (*)(Exchange& exchange, const HttpFilters& filters);

  TapTest() {
    options_.path = Cat(testing::TempDir(), "/tap-filter-", getpid(), ".har");
    unlink(options_.path.c_str());
    options_.ends_unix_ms = INT64_C(4'000'000'000'000);
    options_.rules.content_bytes = 2;
    auto origin = std::make_unique<ThreeBytes>();
    origin_ = origin.get();
    auto file = std::make_shared<TapFile>(options_);
    file->Begin();
    filters_.push_back(std::make_unique<TapFilter>(std::move(file)));
    filters_.push_back(std::move(origin));
    request_.head.method = "POST";
    request_.head.path = "/p";
  }

  // Runs it; null: it is destroyed where it waits.
  void Ask(Script script) {
    std::unique_ptr<PipeStream> far;
    const std::unique_ptr<Connection> connection = MakeConnection(far);
    Exchange exchange(*connection, sink_, std::move(request_), RecordHolder(*worker_));
    exchange.secure = secure_;
    exchange.target = Target::Of(*IpAddress::Parse("127.0.0.1"), 8080);
    if (script != nullptr) {
      got_ = RunTask(loop_, script(exchange, filters_));
      return;
    }
    TestJoiner joiner;
    Task<std::string> task = AskAndRead(exchange, filters_);
    task.Start(joiner);
    Settle();
    EXPECT_FALSE(task.done());
  }
  // The file, once the tap is gone.
  std::string File() {
    filters_.clear();
    std::ifstream file(options_.path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  TapOptions options_;
  HttpFilters filters_;
  ThreeBytes* origin_;
  Request request_;
  FakeSink sink_;
  std::string got_;
  bool secure_ = false;
};

void ExpectHas(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), text.npos) << part << "\nin " << text;
}

TEST_F(TapTest, EveryBytePassesAndTheBeginningIsKept) {
  request_.body = std::make_unique<PiecesBody>(Cut("upload", 4));
  Ask(AskAndRead);
  EXPECT_EQ(got_, "abc");
  EXPECT_EQ(origin_->sent, "upload");
  const std::string file = File();
  ExpectHas(file, R"("url":"http://127.0.0.1:8080/p")");
  ExpectHas(file, R"("postData":{"mimeType":"","text":"up","comment":"the beginning"})");
  ExpectHas(file, R"("content":{"size":3,"mimeType":"","text":"ab","comment":"the beginning"})");
  EXPECT_EQ(file.find("did not come"), file.npos);
}

TEST_F(TapTest, AResponseThatIsLeftSaysSo) {
  Ask(AskAndLeave);
  const std::string file = File();
  ExpectHas(file, R"("content":{"size":1,"mimeType":"","text":"a"})");
  ExpectHas(file, R"("comment":"it did not come to its end")");
}

TEST_F(TapTest, AnExchangeThatIsEndedBeforeItsResponseIsThereToo) {
  origin_->silent = true;
  Ask(nullptr);
  ExpectHas(File(), R"("comment":"no response")");
}

TEST_F(TapTest, WhatGoesToTheOriginInsideTlsIsHttps) {
  secure_ = true;
  Ask(AskAndRead);
  ExpectHas(File(), R"("url":"https://127.0.0.1:8080/p")");
}

TEST_F(TapTest, ConnectIsNotCaptured) {
  request_.head.method = "CONNECT";
  Ask(AskAndRead);
  EXPECT_EQ(File().find("startedDateTime"), std::string::npos);
}

}  // namespace
}  // namespace egret
