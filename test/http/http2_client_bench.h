// A client codec on a pipe, and a server that says frames.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "source/base/failure.h"
#include "source/event/loop.h"
#include "source/http/http2_client.h"
#include "test/http/codec_peer.h"
#include "test/support/http2_frames.h"
#include "test/support/pipe.h"

namespace egret {

inline Head RequestHead(std::string_view method = "GET") {
  Head head;
  head.method = method;
  head.scheme = "http";
  head.path = "/x";
  head.Add(FieldName::kHost, "a.example");
  return head;
}

class Http2ClientBench : public testing::Test {
 protected:
  ~Http2ClientBench() override { Drop(); }
  void Start(const std::vector<std::pair<uint16_t, uint32_t>>& settings = {}) {
    Open();
    Say(h2::Settings(settings) + h2::SettingsAck());
    Hear();
  }
  void Open() {
    Drop();
    std::tie(near_, server_) = PipeStream::Pair(size_t{16} << 20);
    reader_ = std::make_unique<h2::Reader>();
    reader_->ExpectPreface();
    client_ = std::make_unique<Http2Client>(*near_, limits_, hits_);
    running_.emplace(loop_, client_->Run());
  }
  void Drop() {
    running_.reset();
    client_.reset();
  }
  void Say(std::string_view bytes) {
    server_->Write(bytes);
    running_->Settle();
  }
  void Wait(uint64_t ms) {
    const uint64_t until_ms = loop_.now_ms() + ms;
    while (loop_.now_ms() < until_ms && loop_.SkipToTimer(until_ms - loop_.now_ms())) loop_.Turn(0);
    running_->Settle();
  }
  std::vector<h2::Got> Hear(bool all = false) {
    running_->Settle();
    std::vector<h2::Got> frames = reader_->Read(egret::Hear(*server_));
    if (!all)
      std::erase_if(frames,
                    [](const h2::Got& got) { return got.type == h2::kSettings || got.type == h2::kWindowUpdate; });
    return frames;
  }
  std::string Heard() { return h2::Describe(Hear()); }

  std::unique_ptr<Http2ClientStream> Ask(const Head& head = RequestHead(), Body* body = nullptr) {
    EXPECT_TRUE(client_->CanOpen());
    std::unique_ptr<Http2ClientStream> stream = client_->Open();
    EXPECT_FALSE(Driven(loop_, stream->SendHead(head, body)).Finish());
    running_->Settle();
    return stream;
  }
  Result<Head, Failure> ReadHead(Http2ClientStream& stream) {
    Result<Head, Failure> head = Driven(loop_, stream.ReadHead()).Finish();
    if (!head) ADD_FAILURE() << TextOf(head.error().fault).detail;
    return head;
  }
  Fault HeadFault(Http2ClientStream& stream) {
    const Result<Head, Failure> head = Driven(loop_, stream.ReadHead()).Finish();
    return head ? Fault::kNone : head.error().fault;
  }

  Loop loop_;
  Http2Limits limits_;
  Http2LimitHits hits_;
  std::unique_ptr<PipeStream> near_, server_;
  std::unique_ptr<h2::Reader> reader_;
  std::unique_ptr<Http2Client> client_;
  std::optional<Driven<Failure>> running_;
};

}  // namespace egret
