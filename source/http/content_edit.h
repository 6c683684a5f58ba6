// Content that is changed on its way. An edit takes it in the pieces in which it comes and never holds more of it than
// it has to; how the pieces are cut makes no difference to what comes out.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "source/base/failure.h"
#include "source/event/task.h"
#include "source/http/body.h"

namespace egret {

class ContentEdit {
 public:
  static constexpr size_t kRoom = size_t{16} << 10;

  ContentEdit() = default;
  virtual ~ContentEdit() = default;
  ContentEdit(const ContentEdit&) = delete;
  ContentEdit& operator=(const ContentEdit&) = delete;

  // Takes from the front of `in` and appends to `out`, until `in` is empty and nothing can be given without more of it,
  // or until `out` holds kRoom bytes (or somewhat more: what is put in at one place is put in whole). Called again with
  // an empty `in` it goes on where it stopped. False: the content is malformed, and there is no more to get.
  virtual bool Take(std::string_view& in, std::string& out) = 0;
  // Nothing follows: appends what was held back. False: the content ended too early.
  virtual bool End(std::string& out) = 0;
};

// The body with an edit applied while it is read: bounded by the edit, paced by whoever reads. `malformed` is what a
// failing edit is told as. Trailers stay, but for digests of what is not the content any more (RFC 9530).
std::unique_ptr<Body> MakeEditedBody(std::unique_ptr<Body> body, std::unique_ptr<ContentEdit> edit, Failure malformed);

// `front`, and behind it what `rest` still has to give, with its trailers. `length`: how many bytes that is in all,
// where it is known.
std::unique_ptr<Body> MakeBodyWithFront(std::string front, std::unique_ptr<Body> rest, std::optional<uint64_t> length);

// Whether the field tells a digest of the content that follows, of any of the kinds in use (RFC 1864, 3230, 9530).
bool IsDigestField(std::string_view name);

}  // namespace egret
