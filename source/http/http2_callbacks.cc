#include "source/http/http2_callbacks.h"

#include <sys/types.h>

#include <cstdint>
#include <limits>
#include <string_view>

#include "source/base/check.h"
#include "source/http/http2_session.h"

namespace egret {
namespace {

constexpr size_t kMostAnswers = 2048;                 // to SETTINGS and PING, not sent yet: more than a budget's burst
constexpr size_t kLongestSentHead = size_t{1} << 20;  // of those that we send; longer than any that is received

std::string_view Text(nghttp2_rcbuf* buffer) {
  const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
  return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

Http2Session& Of(void* user_data) { return *static_cast<Http2Session*>(user_data); }

}  // namespace

// Where each call goes. A struct so that the session can make it a friend.
struct Http2Hooks {
  static int BeginFrame(nghttp2_session*, const nghttp2_frame_hd* head, void* self) {
    return Of(self).OnBeginFrame(*head);
  }
  static int BeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Of(self).OnBeginHeaders(*frame);
    return 0;
  }
  static int Header(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name, nghttp2_rcbuf* value, uint8_t,
                    void* self) {
    return Of(self).OnHeader(frame->hd.stream_id, Text(name), Text(value));
  }
  // A field of characters that no field may hold: nghttp2 would leave it out, we reset the stream.
  static int InvalidHeader(nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf*, nghttp2_rcbuf*, uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  static int Frame(nghttp2_session*, const nghttp2_frame* frame, void* self) { return Of(self).OnFrame(*frame); }
  static int InvalidFrame(nghttp2_session*, const nghttp2_frame* frame, int, void* self) {
    Of(self).OnInvalidFrame(*frame);
    return 0;
  }
  static int DataChunk(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size, void* self) {
    Of(self).OnContent(id, {reinterpret_cast<const char*>(bytes), size});
    return 0;
  }
  static int StreamClose(nghttp2_session*, int32_t id, uint32_t code, void* self) {
    if (Http2Stream* stream = Of(self).Find(id)) Of(self).OnClosed(*stream, code);
    return 0;
  }
  static int FrameSend(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Of(self).OnSent(*frame);
    return 0;
  }
  static ssize_t Read(nghttp2_session*, int32_t id, uint8_t*, size_t most, uint32_t* flags, nghttp2_data_source*,
                      void* self) {
    Http2Stream* const stream = Of(self).Find(id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return Of(self).GiveData(*stream, most, *flags);
  }
  static int SendData(nghttp2_session*, nghttp2_frame* frame, const uint8_t* head, size_t length, nghttp2_data_source*,
                      void* self) {
    Http2Stream* const stream = Of(self).Find(frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    Of(self).WriteData(*stream, head, length);
    return 0;
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* made = nullptr;
    CHECK(nghttp2_session_callbacks_new(&made) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, BeginFrame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, BeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback2(made, Header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(made, InvalidHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, Frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, InvalidFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, DataChunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, StreamClose);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, FrameSend);
    nghttp2_session_callbacks_set_send_data_callback(made, SendData);
    return made;
  }
};

nghttp2_session* Http2Callbacks::NewSession(Http2Session& session, bool server, const Http2Limits& limits) {
  static nghttp2_session_callbacks* const callbacks = Http2Hooks::Make();
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_continuations(option, std::numeric_limits<size_t>::max());  // the session counts them
  nghttp2_option_set_max_outbound_ack(option, kMostAnswers);
  nghttp2_option_set_max_send_header_block_length(option, kLongestSentHead);
  // The session's own budget comes first: it counts the resets that we send, too.
  nghttp2_option_set_stream_reset_rate_limit(option, 2 * uint64_t{limits.resets.burst} + 1,
                                             2 * uint64_t{limits.resets.per_second} + 1);
  // Values with white space around them are common among origins (RFC 9113 8.2.1); they are trimmed.
  if (!server) nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);
  nghttp2_session* made = nullptr;
  CHECK((server ? nghttp2_session_server_new2(&made, callbacks, &session, option)
                : nghttp2_session_client_new2(&made, callbacks, &session, option)) == 0);
  nghttp2_option_del(option);
  return made;
}

nghttp2_data_provider Http2Callbacks::Provider() {
  nghttp2_data_provider provider{};
  provider.read_callback = Http2Hooks::Read;
  return provider;
}

}  // namespace egret
