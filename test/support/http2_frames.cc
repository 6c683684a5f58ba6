#include "test/support/http2_frames.h"

#include <nghttp2/nghttp2.h>

#include <array>

#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret::h2 {
namespace {

constexpr size_t kFrameHead = 9;

// RFC 7541 5.1 with a prefix of 7 bits.
std::string Text(std::string_view text) {
  std::string out;
  if (text.size() < 127) {
    out.push_back(static_cast<char>(text.size()));
  } else {
    out.push_back(127);
    size_t rest = text.size() - 127;
    for (; rest >= 128; rest /= 128) out.push_back(static_cast<char>(rest % 128 + 128));
    out.push_back(static_cast<char>(rest));
  }
  return out.append(text);
}

}  // namespace

std::string Number(uint64_t value, size_t bytes) {
  std::string out;
  for (size_t i = bytes; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

uint64_t NumberAt(std::string_view bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  return Number(payload.size(), 3) + Number(type, 1) + Number(flags, 1) + Number(stream, 4) + std::string(payload);
}

std::string Block(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += '\x10' + Text(name) + Text(value);
  return out;
}

std::string Settings(const std::vector<std::pair<uint16_t, uint32_t>>& settings) {
  std::string payload;
  for (const auto& [id, value] : settings) payload += Number(id, 2) + Number(value, 4);
  return Frame(kSettings, 0, 0, payload);
}
std::string SettingsAck() { return Frame(kSettings, kAck, 0, ""); }
std::string Headers(uint32_t stream, const Fields& fields, uint8_t flags) {
  return Frame(kHeaders, flags, stream, Block(fields));
}
std::string Data(uint32_t stream, std::string_view bytes, uint8_t flags) { return Frame(kData, flags, stream, bytes); }
std::string PaddedData(uint32_t stream, std::string_view bytes, uint8_t padding, uint8_t flags) {
  return Frame(kData, flags | kPadded, stream, Number(padding, 1) + std::string(bytes) + std::string(padding, '\0'));
}
std::string Reset(uint32_t stream, uint32_t code) { return Frame(kRstStream, 0, stream, Number(code, 4)); }
std::string WindowUpdate(uint32_t stream, uint32_t bytes) { return Frame(kWindowUpdate, 0, stream, Number(bytes, 4)); }
std::string Ping(std::string_view eight, uint8_t flags) { return Frame(kPing, flags, 0, eight); }
std::string Goaway(uint32_t last_stream, uint32_t code) {
  return Frame(kGoaway, 0, 0, Number(last_stream, 4) + Number(code, 4));
}

Fields Get(std::string_view path, const Fields& more) {
  Fields fields = {{":method", "GET"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", std::string(path)}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
Fields Post(std::string_view path, const Fields& more) {
  Fields fields = Get(path, more);
  fields[0].second = "POST";
  return fields;
}
Fields Connect(std::string_view authority) { return {{":method", "CONNECT"}, {":authority", std::string(authority)}}; }

uint32_t Got::code() const {
  if (type == kRstStream) return static_cast<uint32_t>(NumberAt(payload, 0, 4));
  CHECK(type == kGoaway);
  return static_cast<uint32_t>(NumberAt(payload, 4, 4));
}

std::string_view Got::Field(std::string_view name) const {
  for (const auto& [known, value] : fields)
    if (known == name) return value;
  return {};
}

struct Reader::Inflater {
  Inflater() { CHECK(nghttp2_hd_inflate_new(&state) == 0); }
  ~Inflater() { nghttp2_hd_inflate_del(state); }
  Fields Inflate(std::string_view block) {
    Fields fields;
    const auto* at = reinterpret_cast<const uint8_t*>(block.data());
    const uint8_t* const end = at + block.size();
    for (;;) {
      nghttp2_nv nv;
      int flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(state, &nv, &flags, at, static_cast<size_t>(end - at), 1);
      CHECK(used >= 0);
      at += used;
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        fields.emplace_back(std::string(reinterpret_cast<char*>(nv.name), nv.namelen),
                            std::string(reinterpret_cast<char*>(nv.value), nv.valuelen));
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(state);
    return fields;
  }
  nghttp2_hd_inflater* state = nullptr;
};

Reader::Reader() : inflater_(std::make_unique<Inflater>()) {}
Reader::~Reader() = default;

std::vector<Got> Reader::Read(std::string_view bytes) {
  rest_.append(bytes);
  std::vector<Got> frames;
  size_t at = 0;
  if (preface_ && rest_.size() >= kPreface.size()) {
    CHECK(rest_.starts_with(kPreface));
    at = kPreface.size();
    preface_ = false;
  }
  std::string block;
  size_t begun = at;  // of a field section that is not whole yet
  while (!preface_ && rest_.size() - at >= kFrameHead) {
    const size_t size = NumberAt(rest_, at, 3);
    if (rest_.size() - at - kFrameHead < size) break;
    Got got{static_cast<uint8_t>(rest_[at + 3]),
            static_cast<uint8_t>(rest_[at + 4]),
            static_cast<uint32_t>(NumberAt(rest_, at + 5, 4)),
            rest_.substr(at + kFrameHead, size),
            {}};
    at += kFrameHead + size;
    if (got.type == kContinuation) {
      block += got.payload;
      frames.back().flags |= got.flags & kEndHeaders;
    } else {
      if (got.type == kHeaders) block = got.payload;
      frames.push_back(std::move(got));
    }
    Got& last = frames.back();
    if (last.type == kHeaders && last.fields.empty()) {
      if ((last.flags & kEndHeaders) == 0) continue;
      last.fields = inflater_->Inflate(block);
    }
    begun = at;
  }
  if (!frames.empty() && frames.back().type == kHeaders && (frames.back().flags & kEndHeaders) == 0) frames.pop_back();
  rest_.erase(0, begun);
  return frames;
}

std::string Describe(const std::vector<Got>& frames) {
  static constexpr std::array<std::string_view, 10> kNames = {"DATA",          "HEADERS",      "PRIORITY", "RST_STREAM",
                                                              "SETTINGS",      "PUSH_PROMISE", "PING",     "GOAWAY",
                                                              "WINDOW_UPDATE", "CONTINUATION"};
  std::string out;
  for (const Got& got : frames) {
    if (got.type < kNames.size()) {
      Append(out, kNames[got.type]);
    } else {
      Append(out, got.type);
    }
    Append(out, ' ', got.stream);
    if (got.type == kData) Append(out, " (", got.payload.size(), ')');
    if (got.type == kRstStream || got.type == kGoaway) Append(out, " code ", got.code());
    if (got.type <= kHeaders && got.end_stream()) Append(out, " END_STREAM");
    for (const auto& [name, value] : got.fields) Append(out, ' ', name, '=', value);
    out.push_back('\n');
  }
  return out;
}

}  // namespace egret::h2
