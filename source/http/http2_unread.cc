// Where the inboxes of a thread hold more than they may: whoever holds most of it and does not read makes way. Its peer
// may be as slow on purpose, and the others are not to wait for it.
#include "source/http/http2_session.h"

namespace egret {
namespace {

constexpr uint64_t kUnreadMs = 1000;  // a reader that is merely slow takes something within this time

}  // namespace

// Whoever has something unread while all together have too much looks after all of them: it was awake when it got it.
bool Http2Session::MustRelieveThread() const {
  return inbox_bytes_ > 0 && thread_inbox_bytes_ >= max_inbox_bytes_per_thread;
}

void Http2Session::RelieveThread(uint64_t now) {
  thread_relieved_ms_ = now;
  while (thread_inbox_bytes_ >= max_inbox_bytes_per_thread) {
    Http2Stream* const fullest = FullestUnread(now);
    if (fullest == nullptr) return;
    fullest->session->ResetUnread(*fullest);
  }
}

Http2Stream* Http2Session::FullestUnread(uint64_t now) {
  Http2Stream* fullest = nullptr;
  for (const ListNode* at = thread_sessions_.first(); at != &thread_sessions_; at = at->after()) {
    const auto& session = static_cast<const Http2Session&>(*at);
    if (session.inbox_bytes_ == 0) continue;
    for (ListNode* node = session.streams_.first(); node != &session.streams_; node = node->after()) {
      auto& stream = static_cast<Http2Stream&>(*node);
      if (stream.discarded || stream.inbox.empty() || now < stream.unread_since_ms + kUnreadMs) continue;
      if (fullest == nullptr || stream.inbox.size() > fullest->inbox.size()) fullest = &stream;
    }
  }
  return fullest;
}

void Http2Session::ResetUnread(Http2Stream& stream) {
  ++hits_[static_cast<size_t>(Http2Limit::kUnreadStream)];
  const Failure why{Side::kEgret, Fault::kOverload};
  if (stream.open) {
    Reset(stream, Http2Code::kCancel, why);
  } else {
    BreakOff(stream, why);  // all of it had come
    Wake();
  }
}

}  // namespace egret
