// Any bytes at both codecs, cut in two at a place that the first byte chooses: no crash, the same verdict however they
// are cut, and what is accepted reads the same again once it was written in our own framing.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "source/base/check.h"
#include "source/base/failure.h"
#include "source/event/loop.h"
#include "source/http/serialize.h"
#include "test/http/http1_verdict.h"

namespace egret {
namespace {

using Judge = Verdict (*)(Loop&, std::span<const std::string_view>);

// The message in chunks, if its head was written as chunked, else plainly.
std::string WriteAgain(const Verdict& verdict) {
  std::string again = verdict.head;
  if (verdict.head.find("\r\nTransfer-Encoding: chunked\r\n") == std::string::npos) return again + verdict.content;
  if (!verdict.content.empty()) {
    AppendChunkSize(again, verdict.content.size());
    again.append(verdict.content).append(kChunkEnd);
  }
  return again + "0\r\n" + verdict.trailers + "\r\n";
}

void Check(Loop& loop, Judge judge, std::string_view bytes, size_t cut) {
  const std::array<std::string_view, 1> one = {bytes};
  const Verdict whole = judge(loop, one);
  const std::array<std::string_view, 2> two = {bytes.substr(0, cut), bytes.substr(cut)};
  Verdict parts = judge(loop, two);
  parts.left = whole.left;
  CHECK(parts == whole);
  if (whole.fault != Fault::kNone) return;
  const std::string again = WriteAgain(whole);
  const std::array<std::string_view, 1> second = {again};
  Verdict reread = judge(loop, second);
  CHECK(reread.left.empty());
  reread.left = whole.left;
  CHECK(reread == whole);
}

}  // namespace
}  // namespace egret

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static egret::Loop loop;
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t cut = data[0] * bytes.size() / 256;
  egret::Check(loop, egret::JudgeRequest, bytes, cut);
  egret::Check(loop, egret::JudgeResponse, bytes, cut);
  return 0;
}
