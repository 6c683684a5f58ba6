// A server codec on a pipe, its requests in the test's hands, and a client that says frames.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/event/loop.h"
#include "source/http/http2_server.h"
#include "test/http/codec_peer.h"
#include "test/support/http2_frames.h"
#include "test/support/pipe.h"

namespace egret {

class Http2Bench : public testing::Test, public Http2ServerOwner {
 protected:
  ~Http2Bench() override { Drop(); }

  // With the client's preface and SETTINGS said, unless told otherwise.
  void Connect(const std::vector<std::pair<uint16_t, uint32_t>>& settings = {}, size_t room = size_t{16} << 20) {
    Open(room);
    Say(std::string(h2::kPreface) + h2::Settings(settings) + h2::SettingsAck());
    Hear();
  }
  void Open(size_t room = size_t{16} << 20) {
    Drop();
    std::tie(near_, client_) = PipeStream::Pair(room);
    counted_ = std::make_unique<CountingStream>(*near_);
    reader_ = std::make_unique<h2::Reader>();
    server_ = std::make_unique<Http2Server>(*counted_, limits_, *this);
    running_.emplace(loop_, server_->Run());
  }
  void Drop() {
    running_.reset();
    streams_.clear();
    server_.reset();
    hits_ = {};
    malformed_ = 0;
  }
  void Settle() { running_->Settle(); }
  bool ended() { return running_->Settle(); }
  Failure End() { return running_->Finish(); }

  void Say(std::string_view bytes) {
    client_->Write(bytes);
    Settle();
  }
  // What the server has sent since, without SETTINGS and WINDOW_UPDATE unless `all`.
  std::vector<h2::Got> Hear(bool all = false) {
    Settle();
    std::vector<h2::Got> frames = reader_->Read(egret::Hear(*client_));
    Settle();
    if (!all)
      std::erase_if(frames,
                    [](const h2::Got& got) { return got.type == h2::kSettings || got.type == h2::kWindowUpdate; });
    return frames;
  }
  std::string Heard() { return h2::Describe(Hear()); }

  void OnRequest(std::unique_ptr<Http2ServerStream> stream) override {
    if (serve_) return serve_(std::move(stream));
    streams_.push_back(std::move(stream));
  }
  void OnLimit(Http2Limit limit) override { ++hits_[static_cast<size_t>(limit)]; }
  void OnMalformed() override { ++malformed_; }
  int hits(Http2Limit limit) const { return hits_[static_cast<size_t>(limit)]; }

  static Head Status(int status) {
    Head head;
    head.status = status;
    return head;
  }

  Loop loop_;
  Http2Limits limits_;
  std::unique_ptr<PipeStream> near_, client_;
  std::unique_ptr<CountingStream> counted_;
  std::unique_ptr<h2::Reader> reader_;
  std::vector<std::unique_ptr<Http2ServerStream>> streams_;
  std::function<void(std::unique_ptr<Http2ServerStream>)> serve_;
  std::array<int, static_cast<size_t>(Http2Limit::kCount)> hits_ = {};
  int malformed_ = 0;
  std::unique_ptr<Http2Server> server_;
  std::optional<Driven<Failure>> running_;
};

}  // namespace egret
