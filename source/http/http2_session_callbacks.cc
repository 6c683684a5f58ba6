// What nghttp2 calls back: frames that came, content to be sent, frames that went. Only inboxes, outboxes and gates are
// touched here; no task runs.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "source/http/http2_session.h"

namespace egret {
namespace {

constexpr size_t kHopelessHead = 4;             // times the limit of a head: not worth decoding on
constexpr uint32_t kEarnedPerData = 4;          // frames that may rightly follow one of DATA
constexpr size_t kMaxFrame = size_t{16} << 10;  // RFC 9113 6.5.2: we ask for no larger ones

// Resets that we send since the peer broke a rule, or opened what it may not (CVE-2025-8671, "MadeYouReset").
bool IsPeersFault(uint32_t code) {
  switch (static_cast<Http2Code>(code)) {
    case Http2Code::kProtocolError:
    case Http2Code::kFlowControlError:
    case Http2Code::kStreamClosed:
    case Http2Code::kFrameSizeError:
    case Http2Code::kRefusedStream:
    case Http2Code::kEnhanceYourCalm:
      return true;
    default:
      return false;
  }
}

}  // namespace

// ---- While it receives.

int Http2Session::OnBeginFrame(const nghttp2_frame_hd& frame) {
  const bool ack = (frame.flags & NGHTTP2_FLAG_ACK) != 0;
  std::optional<Http2Limit> kind;
  switch (frame.type) {
    case NGHTTP2_HEADERS:
      continuations_ = 0;
      break;
    case NGHTTP2_CONTINUATION:
      return OnContinuation(frame);
    case NGHTTP2_RST_STREAM:
      kind = Http2Limit::kResets;
      break;
    case NGHTTP2_SETTINGS:
      if (!ack) kind = Http2Limit::kSettings;
      break;
    case NGHTTP2_PING:
      kind = Http2Limit::kPings;
      break;
    case NGHTTP2_PRIORITY:
      if (frame.stream_id == 0) return NGHTTP2_ERR_CALLBACK_FAILURE;  // RFC 9113 6.3; nghttp2 does not look any more
      kind = Http2Limit::kPriorities;
      break;
    case NGHTTP2_WINDOW_UPDATE:
      kind = Http2Limit::kWindowUpdates;
      break;
    default:
      break;
  }
  return !kind || Pay(*kind) ? 0 : Punish(*kind);
}

// nghttp2 does not look at its size (RFC 9113 4.2), and would count one that comes in pieces several times.
int Http2Session::OnContinuation(const nghttp2_frame_hd& frame) {
  if (frame.length > kMaxFrame) {
    violated_ = Http2Code::kFrameSizeError;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  return ++continuations_ <= limits_.continuations ? 0 : Punish(Http2Limit::kContinuations);
}

void Http2Session::OnBeginHeaders(const nghttp2_frame& frame) {
  head_since_ms_ = now_ms();
  section_bytes_ = 0;
  if (frame.hd.type != NGHTTP2_HEADERS) return;
  if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) return OpenForRequest(frame.hd.stream_id);
  Http2Stream* const stream = Find(frame.hd.stream_id);
  if (stream == nullptr || stream->why) return;
  if (stream->final_head && stream->connect) return ResetMalformed(*stream);  // RFC 9113 8.5
  using Kind = Http2HeadReader::Kind;
  stream->reading = std::make_unique<Http2HeadReader>(stream->final_head ? Kind::kTrailers : Kind::kResponse, limits_);
}

// Ended streams count, too, until their tasks have ended: else a client that opens and resets would have any number of
// them run (CVE-2023-44487).
// A stream that has ended is none for its client, which may open the next one before a task is done with it.
bool Http2Session::IsFull() const {
  if (stream_count_ < limits_.streams) return false;
  if (stream_count_ >= 2 * size_t{limits_.streams}) return true;
  size_t open = 0;
  for (const ListNode* node = streams_.first(); node != &streams_; node = node->after())
    if (static_cast<const Http2Stream*>(node)->open) ++open;
  return open >= limits_.streams;
}

void Http2Session::OpenForRequest(int32_t id) {
  if (IsFull() || thread_inbox_bytes_ >= max_inbox_bytes_per_thread) {
    ++hits_[static_cast<size_t>(Http2Limit::kStreams)];
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    return;
  }
  Http2Stream& stream = Add();
  stream.id = id;
  stream.reading = std::make_unique<Http2HeadReader>(Http2HeadReader::Kind::kRequest, limits_);
  nghttp2_session_set_stream_user_data(session_, id, &stream);
  // Where the client does not say otherwise, streams take turns frame by frame: a tunnel that carries bulk must not
  // keep the others waiting.
  nghttp2_extpri priority{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
  nghttp2_session_change_extpri_stream_priority(session_, id, &priority, 0);
  budget_.Earn(Http2Limit::kWindowUpdates, kEarnedPerData);
  budget_.Earn(Http2Limit::kPriorities, 1);
  if (id >= kLastStreamId) ShutDown();
}

int Http2Session::OnHeader(int32_t id, std::string_view name, std::string_view value) {
  section_bytes_ += name.size() + value.size() + 32;
  if (section_bytes_ > kHopelessHead * limits_.head_bytes) return Punish(Http2Limit::kHeadBytes);
  Http2Stream* const stream = Find(id);
  if (stream != nullptr && stream->reading) stream->reading->Take(name, value);
  return 0;
}

int Http2Session::OnFrame(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS: {
      head_since_ms_ = 0;
      Http2Stream* const stream = Find(frame.hd.stream_id);
      if (stream == nullptr || !stream->reading) return 0;
      stream->received_bytes += kFrameHead + frame.hd.length;
      TakeSection(*stream, (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0);
      return 0;
    }
    case NGHTTP2_DATA:
      return OnDataFrame(frame);
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        settings_acked_ = true;
      } else {
        got_settings_ = true;
        room_.Open();
        TellOfSettings();
      }
      return 0;
    case NGHTTP2_GOAWAY:
      goaway_received_ = true;
      room_.Open();
      return 0;
    default:
      return 0;
  }
}

// A stream that asks for more than requests waits for them.
void Http2Session::TellOfSettings() {
  for (ListNode* node = streams_.first(); node != &streams_; node = node->after()) {
    auto& stream = static_cast<Http2Stream&>(*node);
    if (!stream.head_put) stream.readable.Open();
  }
}

int Http2Session::OnDataFrame(const nghttp2_frame& frame) {
  const bool end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (!end && frame.hd.length == frame.data.padlen && !Pay(Http2Limit::kEmptyFrames))
    return Punish(Http2Limit::kEmptyFrames);
  budget_.Earn(Http2Limit::kPings, 1);
  Http2Stream* const stream = Find(frame.hd.stream_id);
  if (stream == nullptr) return 0;
  stream->received_bytes += kFrameHead + frame.data.padlen;
  if (end) EndReceiving(*stream);
  return 0;
}

void Http2Session::OnContent(int32_t id, std::string_view bytes) {
  Http2Stream* const stream = Find(id);
  if (stream == nullptr || !stream->held || stream->why) {
    nghttp2_session_consume(session_, id, bytes.size());
    return;
  }
  stream->received_bytes += bytes.size();
  if (stream->inbox.empty()) stream->unread_since_ms = now_ms();
  stream->inbox.Append(bytes);
  inbox_bytes_ += bytes.size();
  thread_inbox_bytes_ += bytes.size();
  if (inbox_bytes_ < limits_.inbox_bytes) {
    nghttp2_session_consume_connection(session_, bytes.size());
  } else {
    credit_owed_ += bytes.size();
  }
  stream->readable.Open();
}

void Http2Session::TakeSection(Http2Stream& stream, bool end) {
  if (stream.final_head) {
    if (!stream.reading->FinishTrailers()) return ResetMalformed(stream);
    stream.trailers = stream.reading->TakeTrailers();
  } else if (role_ == Role::kServer) {
    TakeRequest(stream, end);
  } else {
    TakeResponse(stream, end);
  }
  stream.reading.reset();
  if (end && !stream.why) EndReceiving(stream);
}

void Http2Session::TakeRequest(Http2Stream& stream, bool end) {
  const Http2HeadReader::Verdict verdict = stream.reading->FinishRequest();
  if (verdict.malformed) return ResetMalformed(stream);
  stream.final_head = true;
  stream.connect = stream.reading->head().method == "CONNECT";
  stream.heads.push_back({stream.reading->TakeHead(), verdict.length, end, verdict.fault});
  arrived_.push_back(&stream);
}

void Http2Session::TakeResponse(Http2Stream& stream, bool end) {
  const Http2HeadReader::Verdict verdict = stream.reading->FinishResponse();
  if (verdict.malformed) return ResetMalformed(stream);
  Http2Stream::Received received{stream.reading->TakeHead(), verdict.length, end, verdict.fault};
  const bool interim = received.head.status < 200;
  if (interim && ++stream.interim > limits_.interim) received.fault = Fault::kUpstreamTooManyInterim;
  stream.final_head = !interim;
  if (stream.connect && received.head.status >= 300) stream.connect = false;
  stream.heads.push_back(std::move(received));
  stream.readable.Open();
}

void Http2Session::ResetMalformed(Http2Stream& stream) {
  stream.malformed = true;
  stream.reading.reset();
  if (!stream.final_head && role_ == Role::kServer) {
    ++malformed_;
    stream.held = false;  // nobody heard of it
  }
  Reset(stream, Http2Code::kProtocolError, By(Fault::kHttp2Malformed, Fault::kUpstreamMalformed));
}

void Http2Session::EndReceiving(Http2Stream& stream) {
  stream.ended = true;
  stream.peer_done.Open();
  stream.readable.Open();
}

// nghttp2 refused a frame, and resets the stream or ends the connection next.
void Http2Session::OnInvalidFrame(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_HEADERS) head_since_ms_ = 0;
  Http2Stream* const stream = Find(frame.hd.stream_id);
  if (stream == nullptr || stream->why) return;
  stream->malformed = true;
  stream->reading.reset();
  const auto at = std::find(arrived_.begin(), arrived_.end(), stream);
  if (role_ != Role::kServer || (stream->final_head && at == arrived_.end())) return;
  if (at != arrived_.end()) arrived_.erase(at);
  stream->held = false;
  ++malformed_;
}

void Http2Session::OnClosed(Http2Stream& stream, uint32_t code) {
  stream.open = false;
  const bool clean = stream.ended && stream.end_sent;
  // An answer that is complete stands, although the peer would not have the rest of the request (RFC 9113 8.1).
  const bool answered = role_ == Role::kClient && stream.ended && code == NGHTTP2_NO_ERROR;
  if (!clean && !answered && !stream.why) {
    stream.refused = role_ == Role::kClient && code == NGHTTP2_REFUSED_STREAM;
    BreakOff(stream, stream.malformed ? By(Fault::kHttp2Malformed, Fault::kUpstreamMalformed)
                     : stream.refused ? By(Fault::kClientGone, Fault::kUpstreamRefused)
                                      : By(Fault::kClientGone, Fault::kUpstreamReset));
  }
  if (!clean) {
    stream.gone.Open();
    stream.peer_done.Open();
  }
  stream.outbox.Clear();
  stream.writable.Open();
  stream.delivered.Open();
  stream.readable.Open();
  if (const auto at = std::find(arrived_.begin(), arrived_.end(), &stream); at != arrived_.end() && stream.why) {
    arrived_.erase(at);  // opened and reset in one go: it costs no task
    stream.held = false;
  }
  if (!stream.final_head && role_ == Role::kServer) stream.held = false;
  FreeIfUnused(stream);
}

// ---- While it makes frames.

ssize_t Http2Session::GiveData(Http2Stream& stream, size_t most, uint32_t& flags) {
  const size_t bytes = std::min(most, stream.outbox.size());
  if (bytes == 0 && !stream.end_put) return NGHTTP2_ERR_DEFERRED;
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (!stream.end_put || bytes < stream.outbox.size()) return static_cast<ssize_t>(bytes);
  flags |= NGHTTP2_DATA_FLAG_EOF;
  if (stream.send_trailers.empty()) return static_cast<ssize_t>(bytes);
  Http2Fields trailers;
  trailers.SetTrailers(stream.send_trailers);
  if (!trailers.empty()) {
    // Submitted only now: any earlier, they would take the content's place.
    flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    if (nghttp2_submit_trailer(session_, stream.id, trailers.data(), trailers.size()) != 0)
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  return static_cast<ssize_t>(bytes);
}

void Http2Session::WriteData(Http2Stream& stream, const uint8_t* frame_head, size_t length) {
  out_.append(reinterpret_cast<const char*>(frame_head), kFrameHead);
  stream.sent_bytes += kFrameHead + length;
  stream.progress_ms = now_ms();
  while (length > 0) {
    const std::string_view piece = stream.outbox.front().substr(0, length);
    out_.append(piece);
    length -= piece.size();
    stream.outbox.Drop(piece.size());
  }
  budget_.Earn(Http2Limit::kWindowUpdates, kEarnedPerData);
  budget_.Earn(Http2Limit::kPings, 1);
  if (stream.outbox.empty() && std::exchange(stream.counted, false)) --waiting_;
  if (stream.outbox.size() <= limits_.outbox_bytes / 2) stream.writable.Open();
}

void Http2Session::OnSent(const nghttp2_frame& frame) {
  Http2Stream* const stream = Find(frame.hd.stream_id);
  if (frame.hd.type == NGHTTP2_RST_STREAM && IsPeersFault(frame.rst_stream.error_code)) {
    if (stream != nullptr) stream->malformed = true;
    if (!Pay(Http2Limit::kResets)) Punish(Http2Limit::kResets);
  }
  if (frame.hd.type == NGHTTP2_GOAWAY && frame.goaway.error_code != NGHTTP2_NO_ERROR && !why_) {
    Fail(By(Fault::kHttp2Protocol, Fault::kUpstreamHttp2));
    deaf_ = closing_ = true;
  }
  if (stream == nullptr || (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA)) return;
  if (frame.hd.type == NGHTTP2_HEADERS) stream->sent_bytes += kFrameHead + frame.hd.length;
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  stream->end_sent = true;
  stream->delivered.Open();
  if (!stream->held && !stream->ended && role_ == Role::kServer)
    Reset(*stream, Http2Code::kNoError, {Side::kEgret, Fault::kNone});
}

}  // namespace egret
