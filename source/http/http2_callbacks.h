// How nghttp2 is set up for a session, and calls back into it. Nothing but glue.
#pragma once

#include <nghttp2/nghttp2.h>

#include "source/http/http2_limits.h"

namespace egret {

class Http2Session;

struct Http2Callbacks {
  static nghttp2_session* NewSession(Http2Session& session, bool server, const Http2Limits& limits);
  // Where nghttp2 asks for a stream's content; the session finds the stream by its id.
  static nghttp2_data_provider Provider();
};

}  // namespace egret
