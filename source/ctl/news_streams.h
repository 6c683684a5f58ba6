// Streams of news from several control planes at once, read by a thread each, in the order in which they come.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "egret/control/v1/control.grpc.pb.h"
#include "source/base/result.h"
#include "source/base/strings.h"
#include "source/ctl/control_client.h"

namespace egret {

template <class News>
class NewsStreams {
 public:
  using Stub = control::v1::Control::Stub;
  using Open = std::function<std::unique_ptr<grpc::ClientReader<News>>(Stub& stub, grpc::ClientContext& context)>;
  static constexpr size_t kMostWaiting = 1000;  // messages; more wait where they come from

  // To each of --control; `open` is called on several threads.
  NewsStreams(const Given& given, Open open) : open_(std::move(open)) {
    for (const std::string& control : ControlsOf(given)) {
      Stream& stream = *streams_.emplace_back(std::make_unique<Stream>());
      stream.number = streams_.size() - 1;
      stream.control = control;
      stream.thread = std::thread([this, &stream, channel = ChannelTo(control, given)] { Read(stream, channel); });
    }
  }
  // Ends them.
  ~NewsStreams() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      changed_.notify_all();
    }
    for (const auto& stream : streams_) {
      stream->context.TryCancel();
      stream->thread.join();
    }
  }
  NewsStreams(const NewsStreams&) = delete;
  NewsStreams& operator=(const NewsStreams&) = delete;

  struct Item {
    size_t from = 0;           // which of --control
    std::optional<News> news;  // nothing: that one has ended
    grpc::Status end;
    std::string text;  // why, where it is no OK
  };
  // Nothing: none has come within that time.
  std::optional<Item> Next(std::chrono::milliseconds within) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, within, [this] { return !items_.empty(); })) return std::nullopt;
    Item item = std::move(items_.front());
    items_.pop_front();
    changed_.notify_all();
    return item;
  }
  size_t size() const { return streams_.size(); }

 private:
  struct Stream {
    size_t number = 0;
    std::string control;
    grpc::ClientContext context;
    std::thread thread;
  };

  void Read(Stream& stream, const Result<std::shared_ptr<grpc::Channel>, Problem>& channel) {
    grpc::Status end;
    if (channel) {
      const auto stub = control::v1::Control::NewStub(*channel);
      const auto reader = open_(*stub, stream.context);
      News news;
      while (reader->Read(&news)) Put(stream, std::move(news), {});
      end = reader->Finish();
    } else {
      end = {grpc::StatusCode::UNAVAILABLE, channel.error().text};
    }
    Put(stream, std::nullopt, end);
  }

  void Put(const Stream& stream, std::optional<News> news, const grpc::Status& end) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return items_.size() < kMostWaiting || stopped_; });
    items_.push_back(
        {stream.number, std::move(news), end, end.ok() ? "" : Cat(stream.control, ": ", end.error_message())});
    changed_.notify_all();
  }

  const Open open_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  bool stopped_ = false;
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace egret
