// What a request to switch to WebSocket becomes on a stream of HTTP/2, and what its answers become.
#include "source/upstream/extended_connect.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "source/event/loop.h"
#include "source/http/websocket.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

constexpr std::string_view kSampleKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 1.3

// Notes what it is told to send, and answers with what it was given.
class FakeRequest final : public UpstreamRequest {
 public:
  struct Seen {
    std::string method, protocol, scheme, path;
    bool upgrade = false, key = false, version = false, body = false;
  };

  FakeRequest(Seen& seen, Failure refusal, std::deque<int> statuses)
      : seen_(seen), refusal_(refusal), statuses_(std::move(statuses)) {}

  const Endpoint& peer() const override { return peer_; }
  std::string_view tls_version() const override { return "TLSv1.3"; }
  std::string tls_key() const override { return "ab12"; }
  TlsOutcome tls_end() const override { return {.fault = Fault::kTlsAlert}; }
  std::string_view protocol() const override { return "HTTP/2"; }
  bool reused() const override { return false; }
  uint64_t number() const override { return 7; }
  Task<Failure> SendHead(const Head& head, Body* body, bool /*withhold_body*/) override {
    if (refusal_) co_return refusal_;
    seen_ = {std::string(head.method),
             std::string(head.protocol),
             std::string(head.scheme),
             std::string(head.path),
             head.Find(FieldName::kUpgrade) != nullptr,
             head.Find("Sec-WebSocket-Key") != nullptr,
             head.Find("Sec-WebSocket-Version") != nullptr,
             body != nullptr};
    co_return Failure{};
  }
  Task<UploadEnd> Upload(Body& /*body*/) override { co_return UploadEnd{UploadEnd::kComplete, {}}; }
  Task<Result<Head, Failure>> ReadHead() override {
    Head head;
    head.status = statuses_.front();
    statuses_.pop_front();
    head.Add("x-from", "origin");
    co_return std::move(head);
  }
  std::unique_ptr<Body> ResponseBody() override { return nullptr; }
  bool upload_complete() const override { return false; }
  bool MayRepeat(bool /*idempotent*/) const override { return static_cast<bool>(refusal_); }
  std::unique_ptr<Stream> TakeStream() override { return nullptr; }

 private:
  Seen& seen_;
  Failure refusal_;
  std::deque<int> statuses_;
  Endpoint peer_;
};

class ExtendedConnectTest : public testing::Test {
 protected:
  ExtendedConnectTest() {
    asked_.method = "GET";
    asked_.scheme = "https";
    asked_.path = "/chat";
    asked_.Add(FieldName::kHost, "a.example");
    asked_.Add(FieldName::kUpgrade, kWebSocket);
    asked_.Add("Sec-WebSocket-Key", kSampleKey);
    asked_.Add("Sec-WebSocket-Version", "13");
  }
  void Ask(std::deque<int> statuses, Failure refusal = {}) {
    request_ = AsExtendedConnect(std::make_unique<FakeRequest>(seen_, refusal, std::move(statuses)));
  }
  Failure Send() { return RunTask(loop_, request_->SendHead(asked_, nullptr, false)); }
  Head Read() { return std::move(*RunTask(loop_, Reading())); }

  Loop loop_;
  Head asked_;
  FakeRequest::Seen seen_;
  std::unique_ptr<UpstreamRequest> request_;

 private:
  Task<std::unique_ptr<Head>> Reading() {
    Result<Head, Failure> head = co_await request_->ReadHead();
    co_return std::make_unique<Head>(std::move(*head));
  }
};

TEST_F(ExtendedConnectTest, TheHandshakeGoesOutWithoutUpgradeAndKey) {
  Ask({});
  EXPECT_FALSE(Send());
  EXPECT_EQ(seen_.method, "CONNECT");
  EXPECT_EQ(seen_.protocol, "websocket");
  EXPECT_EQ(seen_.scheme, "https");
  EXPECT_EQ(seen_.path, "/chat");
  EXPECT_TRUE(seen_.version);
  EXPECT_FALSE(seen_.upgrade || seen_.key || seen_.body);
  EXPECT_EQ(asked_.method, "GET");  // the request itself stays what it is
}

TEST_F(ExtendedConnectTest, EverySuccessIsASwitchToTheKeyThatWasAsked) {
  for (const int status : {200, 201, 204, 299}) {
    Ask({103, status});
    EXPECT_FALSE(Send());
    EXPECT_EQ(Read().status, 103);
    const Head head = Read();
    EXPECT_EQ(head.status, 101) << status;
    EXPECT_TRUE(AcceptsWebSocket(asked_, head)) << status;
    EXPECT_NE(head.Find("x-from"), nullptr);
    EXPECT_TRUE(request_->upload_complete());  // there is none
  }
}

TEST_F(ExtendedConnectTest, ARefusalIsItself) {
  for (const int status : {302, 403, 426, 501}) {
    Ask({status});
    EXPECT_FALSE(Send());
    const Head head = Read();
    EXPECT_EQ(head.status, status);
    EXPECT_FALSE(AcceptsWebSocket(asked_, head));
  }
}

TEST_F(ExtendedConnectTest, WhatTheConnectionIsAndHowItFailedIsPassedOn) {
  Ask({}, {Side::kUpstream, Fault::kUpstreamBadUpgrade});
  EXPECT_EQ(Send().fault, Fault::kUpstreamBadUpgrade);
  EXPECT_TRUE(request_->MayRepeat(true));
  EXPECT_EQ(request_->protocol(), "HTTP/2");
  EXPECT_EQ(request_->tls_version(), "TLSv1.3");
  EXPECT_EQ(request_->tls_end().fault, Fault::kTlsAlert);
  EXPECT_EQ(request_->number(), 7u);
}

}  // namespace
}  // namespace egret
