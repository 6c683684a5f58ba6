// An HTTP/2 connection over a Stream that it borrows, in either role: frames, the table of streams, flow control,
// limits and graceful ends, on nghttp2. Http2Server and Http2Client are its faces.
//
//   Run() ── reads, feeds nghttp2 ──► inboxes ──► tasks of the streams
//     ▲                                                 │
//     └── writes what nghttp2 gives ◄── outboxes ◄──────┘  (Wake)
//
// Only Run() reads, writes, and lets nghttp2 do either. The tasks of the streams put and take, ask nghttp2 to submit,
// and wake it. What a task puts is chosen from late: the next frames are made when all before them are written.
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "source/base/failure.h"
#include "source/event/loop.h"
#include "source/event/task.h"
#include "source/http/frame_budget.h"
#include "source/http/http2_limits.h"
#include "source/http/http2_stream.h"
#include "source/io/stream.h"

namespace egret {

class Http2Session : private ListNode {  // of all sessions of its thread
 public:
  enum class Role : uint8_t { kServer, kClient };

  // Who is told. From inside Run(), never from inside nghttp2.
  class Owner {
   public:
    // A request's head is whole, or was too large: then it has a fault.
    virtual void OnRequest(Http2StreamPtr stream) = 0;
    virtual void OnLimit(Http2Limit limit) = 0;
    // A request that broke a rule was reset, and nobody heard of it.
    virtual void OnMalformed() = 0;

   protected:
    ~Owner() = default;
  };

  // All must outlive it.
  Http2Session(Stream& stream, const Http2Limits& limits, Role role, Owner& owner);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // Once. Ends with the connection: in order (no fault), or else with why. By then every stream has been broken off.
  Task<Failure> Run();

  // Graceful: says that no new stream should come, a moment later that none is taken, and ends when the last one has.
  void ShutDown();
  // At once: what is open is broken off.
  void Close(Http2Code code, Failure why);
  bool shutting_down() const { return shutdown_ != Shutdown::kNone; }

  size_t streams() const { return stream_count_; }  // open, or still held by a task
  uint64_t accepted() const { return accepted_; }   // requests handed over so far
  const Http2Limits& limits() const { return limits_; }
  Role role() const { return role_; }

  // Client role: a stream may be opened now, and more than that is not promised.
  bool CanOpen() const;
  bool over() const { return over_; }
  bool got_settings() const { return got_settings_; }
  bool peer_takes_extended_connect() const;
  // Opens where CanOpen() may have changed, and when the session is over.
  Gate& room() { return room_; }

  // For the tasks of the streams.
  [[nodiscard]] bool SubmitRequest(Http2Stream& stream, const Http2Fields& fields, bool content);
  Http2StreamPtr NewStream();  // of the client role, before SubmitRequest
  [[nodiscard]] bool SubmitInterim(Http2Stream& stream, const Http2Fields& fields);
  [[nodiscard]] bool SubmitFinal(Http2Stream& stream, const Http2Fields& fields, bool content);
  // As much as there is room for; closes the gate where it was not all.
  size_t Put(Http2Stream& stream, std::string_view bytes);
  void PutEnd(Http2Stream& stream);
  void Took(Http2Stream& stream, size_t bytes);  // the reader is done with so many
  void Reset(Http2Stream& stream, Http2Code code, Failure why);
  void LetGo(Http2Stream& stream);
  void Wake() { wake_.Open(); }

  // Bytes that the inboxes of all sessions of a thread may hold. Above, new streams are refused, and the fullest one
  // that nobody has taken from for a second is reset, again and again. Set once, before the threads start.
  static inline size_t max_inbox_bytes_per_thread = size_t{64} << 20;
  static size_t inbox_bytes_of_thread() { return thread_inbox_bytes_; }

 private:
  enum class Shutdown : uint8_t { kNone, kNoticed, kFinal };
  friend struct Http2Hooks;

  void SubmitSettings();
  bool Receive();
  void Feed(std::span<const char> bytes);
  void CloseAfter(ssize_t error);
  void HandOver();
  void Tell();
  void Send();
  bool WriteOut();
  void MakeFrames();
  void StateStreamLimit();
  bool Finished() const;
  uint64_t NextDueMs() const;
  void OnTime();
  void OnTimeOfShutdown(uint64_t now_ms);
  void ResetStalled(uint64_t now_ms);
  bool MustRelieveThread() const;
  static void RelieveThread(uint64_t now_ms);
  static Http2Stream* FullestUnread(uint64_t now_ms);
  void ResetUnread(Http2Stream& stream);
  void EndAll(Failure why);
  void Fail(Failure why);
  int Punish(Http2Limit kind);
  [[nodiscard]] bool Pay(Http2Limit kind);
  Failure By(Fault client, Fault upstream) const;
  uint64_t now_ms() const { return Loop::current()->now_ms(); }

  // Called back by nghttp2.
  int OnBeginFrame(const nghttp2_frame_hd& frame);
  int OnContinuation(const nghttp2_frame_hd& frame);
  void OnBeginHeaders(const nghttp2_frame& frame);
  int OnHeader(int32_t id, std::string_view name, std::string_view value);
  int OnFrame(const nghttp2_frame& frame);
  int OnDataFrame(const nghttp2_frame& frame);
  void TellOfSettings();
  void OnContent(int32_t id, std::string_view bytes);
  void OnInvalidFrame(const nghttp2_frame& frame);
  void OnClosed(Http2Stream& stream, uint32_t code);
  void OnSent(const nghttp2_frame& frame);
  ssize_t GiveData(Http2Stream& stream, size_t most, uint32_t& flags);
  void WriteData(Http2Stream& stream, const uint8_t* frame_head, size_t length);

  Http2Stream* Find(int32_t id) const;
  Http2Stream& Add();
  bool IsFull() const;
  void OpenForRequest(int32_t id);
  void TakeSection(Http2Stream& stream, bool end);
  void TakeRequest(Http2Stream& stream, bool end);
  void TakeResponse(Http2Stream& stream, bool end);
  void ResetMalformed(Http2Stream& stream);
  void EndReceiving(Http2Stream& stream);
  void BreakOff(Http2Stream& stream, Failure why);
  void Discard(Http2Stream& stream);
  void Credit(size_t bytes);
  void Forget(Http2Stream& stream);
  void FreeIfUnused(Http2Stream& stream);

  static constexpr size_t kFrameHead = 9;            // octets
  static constexpr int32_t kLastStreamId = 1 << 30;  // then new ones go elsewhere, long before there are none
  static inline thread_local size_t thread_inbox_bytes_ = 0;
  static inline thread_local uint64_t thread_relieved_ms_ = 0;
  static inline thread_local ListNode thread_sessions_;  // of Http2Session

  Stream& stream_;
  const Http2Limits& limits_;
  const Role role_;
  Owner& owner_;
  nghttp2_session* session_ = nullptr;
  FrameBudget budget_;
  ListNode streams_;  // of Http2Stream
  size_t stream_count_ = 0;
  std::vector<Http2Stream*> arrived_;  // whole requests, not handed over yet
  uint64_t accepted_ = 0;
  // Not told of yet.
  std::array<uint32_t, static_cast<size_t>(Http2Limit::kCount)> hits_ = {};
  uint32_t malformed_ = 0;

  Gate wake_{true};
  Gate room_{false};
  std::string out_;     // frames made and not written
  size_t written_ = 0;  // of them
  Failure why_;
  bool broken_ = false;   // the stream below: nothing can be said any more
  bool deaf_ = false;     // nothing more is read
  bool closing_ = false;  // GOAWAY with a reason was submitted; only what is queued still goes out
  bool over_ = false;
  bool limits_said_ = false;
  bool bulk_ = false;  // the last read filled a small buffer
  bool got_settings_ = false;
  bool settings_acked_ = false;
  bool goaway_received_ = false;
  std::optional<Http2Limit> punished_;
  Http2Code violated_ = Http2Code::kProtocolError;  // what GOAWAY says where a callback gave up
  uint32_t continuations_ = 0;                      // of the field section that is being received
  Shutdown shutdown_ = Shutdown::kNone;

  size_t inbox_bytes_ = 0;    // of all streams
  size_t credit_owed_ = 0;    // of the connection's window
  size_t section_bytes_ = 0;  // of the field section that is being received, decoded

  uint64_t begun_ms_ = 0;
  uint64_t idle_since_ms_ = 0;
  uint64_t head_since_ms_ = 0;     // 0: no field section is being received
  uint64_t blocked_since_ms_ = 0;  // 0: not blocked
  uint64_t noticed_ms_ = 0;
  size_t waiting_ = 0;  // streams with something in their outbox
  uint64_t stalls_checked_ms_ = 0;
};

}  // namespace egret
