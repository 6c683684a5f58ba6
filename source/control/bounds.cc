#include "source/control/bounds.h"

#include <string>

namespace egret {
namespace {

constexpr size_t kMostText = 1'000;

}  // namespace

void Shorten(control::v1::Rejection& rejection) {
  for (std::string* text :
       {rejection.mutable_type_url(), rejection.mutable_name(), rejection.mutable_version(), rejection.mutable_field(),
        rejection.mutable_value(), rejection.mutable_reason(), rejection.mutable_remedy()})
    if (text->size() > kMostText) text->resize(kMostText);
}

}  // namespace egret
