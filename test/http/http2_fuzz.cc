// Any frames at both roles of the HTTP/2 codec, cut in two where the first byte says, with tasks that read, answer and
// let go: no crash, no stream left behind, no byte held once all is over. The second byte chooses what the tasks do.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/event/wait.h"
#include "source/http/http2_client.h"
#include "source/http/http2_server.h"
#include "test/support/http2_frames.h"
#include "test/support/pipe.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

Http2Limits FuzzLimits() {
  Http2Limits limits;
  limits.head_bytes = 4096;
  limits.fields = 20;
  limits.streams = 8;
  limits.stream_window = 20000;
  limits.connection_window = 65535;
  limits.inbox_bytes = 10000;
  limits.outbox_bytes = 5000;
  limits.extended_connect = true;
  limits.resets = {20, 10};
  limits.control_frames = {50, 10};
  return limits;
}

Task<void> ReadSome(Body* body, int chunks) {
  if (body == nullptr) co_return;
  for (int i = 0; i < chunks; ++i) {
    const Chunk chunk = co_await body->Read();
    if (chunk.kind != Chunk::kBytes) break;
  }
}

class Served final : public Http2ServerOwner {
 public:
  explicit Served(uint8_t choice) : choice_(choice) {}
  void OnRequest(std::unique_ptr<Http2ServerStream> stream) override {
    tasks_.Start(Serve(std::move(stream), choice_));
    choice_ = static_cast<uint8_t>(choice_ * 5 + 1);
  }
  void OnLimit(Http2Limit) override {}
  void OnMalformed() override {}
  Nursery& tasks() { return tasks_; }

 private:
  static Task<void> Serve(std::unique_ptr<Http2ServerStream> stream, uint8_t choice) {
    Request request = stream->TakeRequest();
    CHECK(stream->refused() || !request.head.authority.empty());
    for (const Field& field : request.head.fields()) CHECK(field.value.find_first_of("\r\n") == std::string_view::npos);
    co_await ReadSome(request.body.get(), choice % 4);
    if (choice % 7 == 0) co_return;
    if (choice % 5 == 0) co_await Yield();
    Head head;
    head.status = choice % 3 == 0 ? 404 : 200;
    if (choice % 11 == 0) {
      Head hints;
      hints.status = 103;
      co_await stream->Inform(hints);
    }
    const std::unique_ptr<Body> body = MakeBody(std::string(choice * size_t{100}, 'x'));
    const bool tunnel = request.head.method == "CONNECT" && head.status == 200;
    const Failure failure = co_await stream->Respond(head, tunnel            ? nullptr
                                                           : choice % 2 == 0 ? request.body.get()
                                                                             : body.get());
    if (failure || !tunnel) co_return;
    const std::unique_ptr<Stream> ends = stream->TakeTunnel();
    char block[1000];
    for (int i = 0; i < choice % 8; ++i) {
      const Io io = ends->Read(block);
      if (io.again()) co_await Yield();
      if (io.kind == Io::kBytes) ends->Write(std::string_view(block, io.bytes));
      if (io.end()) ends->Finish();
      if (io.failed()) co_return;
    }
    if (choice % 2 == 0) ends->Abort();
  }
  uint8_t choice_;
  Nursery tasks_;
};

Task<void> Ask(Http2Client& client, uint8_t choice) {
  if (!client.CanOpen()) co_return;
  const std::unique_ptr<Http2ClientStream> stream = client.Open();
  Head head;
  head.method = choice % 3 == 0 ? "HEAD" : "POST";
  head.scheme = "http";
  head.path = "/";
  head.Add(FieldName::kHost, "a.example");
  const std::unique_ptr<Body> body = MakeBody(std::string(choice * size_t{50}, 'x'));
  if (co_await stream->SendHead(head, choice % 2 == 0 ? body.get() : nullptr)) co_return;
  if (choice % 2 == 0 && !stream->upload_complete()) co_await stream->Upload(*body);
  for (;;) {
    const Result<Head, Failure> answer = co_await stream->ReadHead();
    if (!answer) co_return;
    CHECK(answer->status >= 100 && answer->status != 101);
    if (answer->status >= 200) break;
  }
  const std::unique_ptr<Body> content = stream->ResponseBody();
  co_await ReadSome(content.get(), choice % 5 == 0 ? 1 : 1000);
}

// Says both pieces, lets everything settle, ends the connection, and waits for all to be over.
void Play(Loop& loop, Stream& peer, std::array<std::string_view, 2> pieces, Task<Failure> run, bool reset) {
  TestJoiner joiner;
  run.Start(joiner);
  const auto settle = [&] {
    for (int i = 0; i < 10000 && loop.Turn(0); ++i) {
      char block[16384];
      while (peer.Read(block).kind == Io::kBytes) {
      }
    }
  };
  for (const std::string_view piece : pieces) {
    peer.Write(piece);
    settle();
  }
  if (reset) static_cast<PipeStream&>(peer).Reset();
  peer.Finish();
  settle();
  for (int i = 0; i < 100 && !run.done(); ++i) {
    loop.SkipToTimer();
    settle();
  }
  CHECK(run.done());
}

void PlayServer(Loop& loop, std::string_view bytes, size_t cut, uint8_t choice) {
  const Http2Limits limits = FuzzLimits();
  auto [near, far] = PipeStream::Pair(1 << 20);
  Served served(choice);
  Http2Server server(*near, limits, served);
  const std::string all = Cat(h2::kPreface, h2::Settings(), bytes);
  cut = choice % 16 == 0 ? cut * all.size() / 256 : h2::kPreface.size() + 9 + cut * bytes.size() / 256;
  Play(loop, *far, {std::string_view(all).substr(0, cut), std::string_view(all).substr(cut)}, server.Run(),
       choice % 2 == 0);
  served.tasks().Clear();
  CHECK(server.streams() == 0);
  CHECK(Http2Session::inbox_bytes_of_thread() == 0);
}

void PlayClient(Loop& loop, std::string_view bytes, size_t cut, uint8_t choice) {
  const Http2Limits limits = FuzzLimits();
  auto [near, far] = PipeStream::Pair(1 << 20);
  Http2LimitHits hits;
  Http2Client client(*near, limits, hits);
  Nursery asking;
  for (int i = 0; i < 3; ++i) asking.Start(Ask(client, static_cast<uint8_t>(choice + i * 7)));
  const std::string all = Cat(h2::Settings(), bytes);
  cut = 9 + cut * bytes.size() / 256;
  Play(loop, *far, {std::string_view(all).substr(0, cut), std::string_view(all).substr(cut)}, client.Run(),
       choice % 2 == 0);
  asking.Clear();
  CHECK(client.streams() == 0);
  CHECK(Http2Session::inbox_bytes_of_thread() == 0);
}

}  // namespace
}  // namespace egret

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static egret::Loop loop;
  if (size < 3 || size > 100000) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  egret::PlayServer(loop, bytes, data[0], data[1]);
  egret::PlayClient(loop, bytes, data[0], data[1]);
  return 0;
}
