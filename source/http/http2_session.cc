#include "source/http/http2_session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "source/base/buffer.h"
#include "source/base/check.h"
#include "source/event/combine.h"
#include "source/event/wait.h"
#include "source/http/http2_callbacks.h"
#include "source/io/stream_io.h"

namespace egret {
namespace {

constexpr size_t kOutBytes = size_t{64} << 10;  // of frames made before they are written
constexpr int kReadsInOneTurn = 16;
constexpr uint32_t kStreamsOnTop = 100;  // how many more than are allowed nghttp2 is told of: see StateStreamLimit
constexpr uint64_t kStallCheckMs = 1000;
constexpr uint64_t kReliefMs = 250;  // between two looks at what nobody takes
constexpr size_t kLingerBytes = size_t{1} << 20;
constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// Where a thread's sessions make their frames. One keeps it only as long as its peer does not take what is in it.
std::string& FrameRoom() {
  static thread_local std::string room;
  return room;
}

// Whatever comes first: something to read, to do, or (where `write` is not null) room to write; or the time.
class Work {
 public:
  Work(Gate& read, Gate& wake, Gate* write, uint64_t ms) : gates_{&read, &wake, write}, ms_(ms) {}
  bool await_ready() const {
    return std::any_of(gates_.begin(), gates_.end(), [](const Gate* gate) { return gate != nullptr && gate->open(); });
  }
  void await_suspend(std::coroutine_handle<> handle) {
    for (size_t i = 0; i < gates_.size(); ++i) {
      waiters_[i].handle = handle;
      if (gates_[i] != nullptr) gates_[i]->Hook(waiters_[i]);
    }
    timer_.handle = handle;
    Loop::current()->Arm(timer_, ms_);
  }
  void await_resume() {
    for (Waiter& waiter : waiters_) waiter.Unlink();
    timer_.Unlink();
  }

 private:
  std::array<Gate*, 3> gates_;
  uint64_t ms_;
  std::array<Waiter, 3> waiters_;
  Timer timer_;
};

}  // namespace

Http2Session::Http2Session(Stream& stream, const Http2Limits& limits, Role role, Owner& owner)
    : stream_(stream),
      limits_(limits),
      role_(role),
      owner_(owner),
      session_(Http2Callbacks::NewSession(*this, role == Role::kServer, limits)),
      budget_(limits, Loop::current()->now_ms()) {
  thread_sessions_.PushBack(*this);
  SubmitSettings();
}

Http2Session::~Http2Session() {
  EndAll(By(Fault::kClientGone, Fault::kUpstreamReset));
  while (!streams_.empty()) Forget(static_cast<Http2Stream&>(*streams_.first()));
  nghttp2_session_del(session_);
}

Failure Http2Session::By(Fault client, Fault upstream) const {
  return role_ == Role::kServer ? Failure{Side::kClient, client} : Failure{Side::kUpstream, upstream};
}

void Http2Session::SubmitSettings() {
  std::vector<nghttp2_settings_entry> settings = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(limits_.head_bytes)}};
  if (role_ == Role::kClient) {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  } else {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2 * limits_.streams + kStreamsOnTop});
    // Spares the tree of RFC 7540 5.3; the Priority field of RFC 9218 is heard.
    settings.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
    if (limits_.extended_connect) settings.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
  }
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                              static_cast<int32_t>(limits_.connection_window)) == 0);
}

Task<Failure> Http2Session::Run() {
  begun_ms_ = idle_since_ms_ = now_ms();
  for (;;) {
    OnTime();
    const bool more = Receive();
    HandOver();
    wake_.Close();  // what was put so far is seen by Send
    Send();
    Tell();
    if (Finished()) break;
    if (more || wake_.open()) {
      co_await Yield();
    } else {
      const uint64_t now = now_ms(), due = NextDueMs();
      Gate& read = deaf_ ? Gate::NeverOpen() : stream_.ReadGate();
      co_await Work(read, wake_, out_.empty() ? nullptr : &stream_.WriteGate(), due > now ? due - now : 0);
    }
  }
  over_ = true;
  EndAll(why_ ? why_ : By(Fault::kClientGone, Fault::kUpstreamReset));
  room_.Open();
  if (!broken_) co_await LingeringClose(stream_, limits_.linger_ms, kLingerBytes);
  co_return why_;
}

// True: there may be more to read at once.
bool Http2Session::Receive() {
  if (deaf_ || !stream_.ReadGate().open()) return false;
  Buffer buffer(bulk_ ? Buffer::kLarge : Buffer::kSmall);
  for (int reads = 0; reads < kReadsInOneTurn; ++reads) {
    if (deaf_ || !stream_.ReadGate().open()) return false;
    const Io io = stream_.Read(buffer.span());
    if (io.again()) return false;
    if (io.kind != Io::kBytes) {
      // An end in order between two exchanges is none of anybody's faults.
      const bool idle = io.end() && stream_count_ == 0;
      deaf_ = broken_ = true;
      EndAll(By(Fault::kClientGone, io.end() ? Fault::kUpstreamClosed : Fault::kUpstreamReset));
      Fail(idle ? Failure{} : By(Fault::kClientGone, io.end() ? Fault::kUpstreamClosed : Fault::kUpstreamReset));
      return false;
    }
    bulk_ = io.bytes >= Buffer::kSmall;
    Feed(buffer.span().first(io.bytes));
  }
  return !deaf_;
}

void Http2Session::Feed(std::span<const char> bytes) {
  const ssize_t taken =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if ((taken < 0 || punished_) && !closing_) CloseAfter(taken);
}

// nghttp2 gave up, or was told to. Only GOAWAY is still to be said.
void Http2Session::CloseAfter(ssize_t error) {
  deaf_ = true;
  if (error == NGHTTP2_ERR_FLOODED) Punish(Http2Limit::kQueuedFrames);
  if (punished_) {
    Close(Http2Code::kEnhanceYourCalm, By(Fault::kHttp2Flood, Fault::kUpstreamHttp2));
  } else {
    Close(violated_, By(Fault::kHttp2Protocol, Fault::kUpstreamHttp2));
  }
}

void Http2Session::Close(Http2Code code, Failure why) {
  closing_ = true;
  Fail(why);
  EndAll(why ? why : By(Fault::kClientGone, Fault::kUpstreamReset));
  nghttp2_session_terminate_session(session_, static_cast<uint32_t>(code));
  Wake();
}

void Http2Session::Fail(Failure why) {
  if (!why_) why_ = why;
}

// For a callback to return. The first one counts.
int Http2Session::Punish(Http2Limit kind) {
  if (!punished_) {
    punished_ = kind;
    ++hits_[static_cast<size_t>(kind)];
  }
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

bool Http2Session::Pay(Http2Limit kind) { return budget_.Take(kind, now_ms()); }

void Http2Session::Tell() {
  for (size_t kind = 0; kind < hits_.size(); ++kind)
    for (; hits_[kind] > 0; --hits_[kind]) owner_.OnLimit(static_cast<Http2Limit>(kind));
  for (; malformed_ > 0; --malformed_) owner_.OnMalformed();
}

void Http2Session::HandOver() {
  for (Http2Stream* const stream : std::exchange(arrived_, {})) {
    ++accepted_;
    stream->handed = true;
    owner_.OnRequest(Http2StreamPtr(stream));
  }
}

void Http2Session::Send() {
  if (out_.empty()) out_.swap(FrameRoom());
  while (!broken_ && WriteOut()) {
    MakeFrames();
    if (out_.empty()) break;
  }
  if (!out_.empty()) return;
  // An idle connection holds no buffer.
  if (FrameRoom().capacity() < out_.capacity()) FrameRoom().swap(out_);
  std::string().swap(out_);
}

// True: all that was made is written.
bool Http2Session::WriteOut() {
  while (written_ < out_.size()) {
    const Io io = stream_.Write(std::string_view(out_).substr(written_));
    if (io.again()) {
      if (blocked_since_ms_ == 0) blocked_since_ms_ = now_ms();
      return false;
    }
    if (io.kind != Io::kBytes) {
      deaf_ = broken_ = true;
      Fail(By(Fault::kClientGone, Fault::kUpstreamReset));
      EndAll(why_);
      return false;
    }
    blocked_since_ms_ = 0;
    written_ += io.bytes;
  }
  written_ = 0;
  out_.clear();
  return true;
}

void Http2Session::MakeFrames() {
  while (out_.size() < kOutBytes && nghttp2_session_want_write(session_) != 0) {
    const uint8_t* frames = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &frames);
    if (size < 0) {
      deaf_ = broken_ = true;
      Fail({Side::kEgret, Fault::kInternal});
      EndAll(why_);
      return;
    }
    if (size == 0) break;  // what content there was is in out_ by now
    out_.append(reinterpret_cast<const char*>(frames), static_cast<size_t>(size));
    if (!std::exchange(limits_said_, true)) StateStreamLimit();
  }
  if (punished_ && !closing_) CloseAfter(0);
}

// nghttp2 makes one stream too many an error of the connection. It, and no other, should be refused (RFC 9113 5.1.2
// lets us choose), which OpenForRequest does; so nghttp2 knows of a larger number than the peer is told here.
void Http2Session::StateStreamLimit() {
  if (role_ != Role::kServer) return;
  constexpr size_t kEntry = 6, kValue = 2;
  for (size_t at = kFrameHead; at + kEntry <= out_.size(); at += kEntry) {
    if (out_[at] != 0 || out_[at + 1] != NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) continue;
    for (size_t i = 0; i < 4; ++i) out_[at + kValue + i] = static_cast<char>(limits_.streams >> (8 * (3 - i)));
    return;
  }
}

bool Http2Session::Finished() const {
  if (broken_) return true;
  const bool deaf = deaf_ || nghttp2_session_want_read(session_) == 0;
  return deaf && out_.empty() && nghttp2_session_want_write(session_) == 0;
}

uint64_t Http2Session::NextDueMs() const {
  uint64_t due = kNever;
  const auto by = [&due](uint64_t since, uint64_t ms) {
    if (ms != 0) due = std::min(due, since + ms);
  };
  if (closing_) {
    if (blocked_since_ms_ != 0) by(blocked_since_ms_, limits_.linger_ms);
    return due;
  }
  if (!got_settings_) by(begun_ms_, limits_.preface_ms);
  if (!settings_acked_) by(begun_ms_, limits_.settings_ack_ms);
  if (head_since_ms_ != 0) by(head_since_ms_, limits_.head_ms);
  if (blocked_since_ms_ != 0) by(blocked_since_ms_, limits_.write_ms);
  // The last stream's task wakes nobody when it lets go: by then at the latest it is looked at again.
  by(stream_count_ == 0 ? idle_since_ms_ : now_ms(), limits_.idle_ms);
  if (shutdown_ == Shutdown::kNone) by(begun_ms_, limits_.max_age_ms);
  if (shutdown_ == Shutdown::kNoticed) by(noticed_ms_, limits_.notice_ms);
  if (waiting_ > 0) by(stalls_checked_ms_, kStallCheckMs);
  if (MustRelieveThread()) by(now_ms(), kReliefMs);
  return due;
}

void Http2Session::OnTime() {
  const uint64_t now = now_ms();
  const auto passed = [now](uint64_t since, uint64_t ms) { return ms != 0 && now >= since + ms; };
  if (closing_ || broken_) {
    if (blocked_since_ms_ != 0 && passed(blocked_since_ms_, limits_.linger_ms)) deaf_ = broken_ = true;
    return;
  }
  if (!got_settings_ && passed(begun_ms_, limits_.preface_ms))
    return Close(Http2Code::kSettingsTimeout, By(Fault::kClientTimeoutHeader, Fault::kUpstreamTimeoutHeader));
  if (!settings_acked_ && passed(begun_ms_, limits_.settings_ack_ms))
    return Close(Http2Code::kSettingsTimeout, By(Fault::kClientTimeoutHeader, Fault::kUpstreamTimeoutHeader));
  if (head_since_ms_ != 0 && passed(head_since_ms_, limits_.head_ms))
    return Close(Http2Code::kEnhanceYourCalm, By(Fault::kClientTimeoutHeader, Fault::kUpstreamTimeoutHeader));
  if (blocked_since_ms_ != 0 && passed(blocked_since_ms_, limits_.write_ms)) {
    deaf_ = broken_ = true;
    Fail(By(Fault::kClientTimeoutWrite, Fault::kUpstreamTimeoutWrite));
    return EndAll(why_);
  }
  if (stream_count_ == 0 && passed(idle_since_ms_, limits_.idle_ms))
    return Close(Http2Code::kNoError, By(Fault::kIdleTimeout, Fault::kIdleTimeout));
  if (shutdown_ == Shutdown::kNone && passed(begun_ms_, limits_.max_age_ms)) ShutDown();
  if (waiting_ > 0 && passed(stalls_checked_ms_, kStallCheckMs)) ResetStalled(now);
  if (MustRelieveThread() && now - thread_relieved_ms_ >= kReliefMs) RelieveThread(now);
  OnTimeOfShutdown(now);
}

void Http2Session::OnTimeOfShutdown(uint64_t now) {
  if (shutdown_ == Shutdown::kNoticed && now >= noticed_ms_ + limits_.notice_ms) {
    shutdown_ = Shutdown::kFinal;
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                          NGHTTP2_NO_ERROR, nullptr, 0);
  }
  if (role_ == Role::kClient && shutdown_ == Shutdown::kFinal && stream_count_ == 0)
    nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
}

void Http2Session::ShutDown() {
  if (shutdown_ != Shutdown::kNone || over_) return;
  Wake();
  room_.Open();
  if (role_ == Role::kClient) {
    shutdown_ = Shutdown::kFinal;
    return;
  }
  shutdown_ = Shutdown::kNoticed;
  noticed_ms_ = now_ms();
  nghttp2_submit_shutdown_notice(session_);
}

// Content for which the peer gives no window (CVE-2019-9517 and its kin), or that others on the connection hold up.
void Http2Session::ResetStalled(uint64_t now) {
  stalls_checked_ms_ = now;
  for (ListNode* node = streams_.first(); node != &streams_;) {
    auto& stream = static_cast<Http2Stream&>(*node);
    node = node->after();
    const bool waits = stream.open && !stream.why && !stream.outbox.empty();
    if (!waits || now < stream.progress_ms + limits_.write_ms) continue;
    ++hits_[static_cast<size_t>(Http2Limit::kStalledStream)];
    Reset(stream, Http2Code::kCancel, By(Fault::kClientTimeoutWrite, Fault::kUpstreamTimeoutWrite));
  }
}

bool Http2Session::CanOpen() const {
  if (over_ || broken_ || why_ || shutdown_ != Shutdown::kNone || goaway_received_) return false;
  if (nghttp2_session_get_next_stream_id(session_) >= static_cast<uint32_t>(kLastStreamId)) return false;
  const uint32_t theirs = nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return stream_count_ < std::min(theirs, limits_.streams);
}

bool Http2Session::peer_takes_extended_connect() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

// ---- The table of streams.

Http2Stream* Http2Session::Find(int32_t id) const {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

Http2Stream& Http2Session::Add() {
  auto* const stream = new Http2Stream;
  stream->session = this;
  stream->held = true;
  streams_.PushBack(*stream);
  ++stream_count_;
  return *stream;
}

void Http2Session::FreeIfUnused(Http2Stream& stream) {
  if (stream.held || stream.open) return;
  Forget(stream);
}

// The session needs it no more; where no task holds it either, it is freed.
void Http2Session::Forget(Http2Stream& stream) {
  Discard(stream);
  if (std::exchange(stream.counted, false)) --waiting_;
  stream.session = nullptr;
  stream.Unlink();
  --stream_count_;
  if (stream_count_ == 0) idle_since_ms_ = now_ms();
  if (!stream.held) delete &stream;
  room_.Open();
  if (shutdown_ != Shutdown::kNone) Wake();
}

// What was broken off is void, whether it was read or not.
void Http2Session::BreakOff(Http2Stream& stream, Failure why) {
  if (!stream.why) stream.why = why;
  Discard(stream);
  for (Gate* gate : {&stream.gone, &stream.peer_done, &stream.readable, &stream.writable, &stream.delivered})
    gate->Open();
}

void Http2Session::EndAll(Failure why) {
  arrived_.clear();
  for (ListNode* node = streams_.first(); node != &streams_;) {
    auto& stream = static_cast<Http2Stream&>(*node);
    node = node->after();
    if (!stream.handed) stream.held = false;
    if (stream.open) {
      stream.open = false;
      // Who begins with anything but SETTINGS has not looked at it (RFC 9113 3.4).
      if (!got_settings_ && why.fault == Fault::kUpstreamHttp2) stream.refused = true;
      nghttp2_session_set_stream_user_data(session_, stream.id, nullptr);
      BreakOff(stream, why);
    }
    FreeIfUnused(stream);
  }
}

void Http2Session::Discard(Http2Stream& stream) {
  const size_t bytes = std::exchange(stream.discarded, true) ? 0 : stream.inbox.size();
  if (!stream.held) stream.inbox.Clear();  // else its reader may still look at what it was given
  if (bytes > 0) Credit(bytes);
}

// So many bytes have left an inbox. The connection's window is for all streams: it is withheld only where all of them
// together are far behind.
void Http2Session::Credit(size_t bytes) {
  inbox_bytes_ -= bytes;
  thread_inbox_bytes_ -= bytes;
  if (credit_owed_ == 0 || inbox_bytes_ >= limits_.inbox_bytes) return;
  nghttp2_session_consume_connection(session_, std::exchange(credit_owed_, 0));
  Wake();
}

// ---- For the tasks.

Http2StreamPtr Http2Session::NewStream() {
  Http2Stream& stream = Add();
  stream.handed = true;
  return Http2StreamPtr(&stream);
}

bool Http2Session::SubmitRequest(Http2Stream& stream, const Http2Fields& fields, bool content) {
  stream.progress_ms = now_ms();
  const nghttp2_data_provider provider = Http2Callbacks::Provider();
  const int32_t id =
      nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), content ? &provider : nullptr, &stream);
  if (id < 0) {
    stream.open = false;
    BreakOff(stream, {Side::kUpstream, Fault::kUpstreamRefused});
    stream.refused = true;
    return false;
  }
  stream.id = id;
  stream.head_put = true;
  stream.end_put = !content;
  Wake();
  return true;
}

bool Http2Session::SubmitInterim(Http2Stream& stream, const Http2Fields& fields) {
  Wake();
  return nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id, nullptr, fields.data(), fields.size(),
                                nullptr) == 0;
}

bool Http2Session::SubmitFinal(Http2Stream& stream, const Http2Fields& fields, bool content) {
  const nghttp2_data_provider provider = Http2Callbacks::Provider();
  stream.progress_ms = now_ms();
  stream.head_put = true;
  stream.end_put = !content;
  Wake();
  return nghttp2_submit_response(session_, stream.id, fields.data(), fields.size(), content ? &provider : nullptr) == 0;
}

size_t Http2Session::Put(Http2Stream& stream, std::string_view bytes) {
  const size_t room = limits_.outbox_bytes - std::min(limits_.outbox_bytes, stream.outbox.size());
  const std::string_view taken = bytes.substr(0, room);
  if (!taken.empty()) {
    if (stream.outbox.empty()) stream.progress_ms = now_ms();
    if (!std::exchange(stream.counted, true) && waiting_++ == 0) stalls_checked_ms_ = now_ms();
    stream.outbox.Append(taken);
    nghttp2_session_resume_data(session_, stream.id);
    Wake();
  }
  if (taken.size() < bytes.size()) stream.writable.Close();
  return taken.size();
}

void Http2Session::PutEnd(Http2Stream& stream) {
  if (std::exchange(stream.end_put, true)) return;
  nghttp2_session_resume_data(session_, stream.id);
  Wake();
}

void Http2Session::Took(Http2Stream& stream, size_t bytes) {
  stream.unread_since_ms = now_ms();
  Credit(bytes);
  if (stream.open) nghttp2_session_consume_stream(session_, stream.id, bytes);
  if (nghttp2_session_want_write(session_) != 0) Wake();
}

void Http2Session::Reset(Http2Stream& stream, Http2Code code, Failure why) {
  if (!stream.open || stream.why) return;
  BreakOff(stream, why);
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, static_cast<uint32_t>(code));
  Wake();
}

void Http2Session::LetGo(Http2Stream& stream) {
  stream.held = false;
  if (stream.id < 0) stream.open = false;  // never submitted
  const Failure ours{Side::kEgret, Fault::kNone};
  if (stream.open && !stream.why) {
    if (role_ == Role::kClient) {
      if (!stream.ended || !stream.end_put) Reset(stream, Http2Code::kCancel, ours);
    } else if (!stream.end_put) {
      Reset(stream, Http2Code::kInternalError, ours);
    } else if (!stream.ended && stream.end_sent) {
      // The answer is complete and nobody reads the rest of the request (RFC 9113 8.1). Sent any earlier, it would take
      // the answer's frames with it; OnSent does it then.
      Reset(stream, Http2Code::kNoError, ours);
    }
  }
  Discard(stream);
  FreeIfUnused(stream);
}

}  // namespace egret
