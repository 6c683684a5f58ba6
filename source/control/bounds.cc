#include "source/control/bounds.h"

#include <string>

namespace egret {
namespace {

constexpr size_t kMostText = 1'000;

// Not within a character: what is no UTF-8 cannot be sent on.
void Cut(std::string& text) {
  size_t end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
}

}  // namespace

void Shorten(control::v1::Rejection& rejection) {
  for (std::string* text :
       {rejection.mutable_type_url(), rejection.mutable_name(), rejection.mutable_version(), rejection.mutable_field(),
        rejection.mutable_value(), rejection.mutable_reason(), rejection.mutable_remedy()})
    if (text->size() > kMostText) Cut(*text);
}

}  // namespace egret
