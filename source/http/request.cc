#include "source/http/request.h"

#include "source/base/strings.h"
#include "source/http/field_value.h"

namespace egret {

// A 1.0 client cannot mean it, and without content there is nothing to wait for.
Fault TakeExpectation(Request& request) {
  if (request.head.Find(FieldName::kExpect) == nullptr) return Fault::kNone;
  bool known = true;
  for (const Field& field : request.head.fields()) {
    if (field.known != static_cast<uint8_t>(FieldName::kExpect)) continue;
    known = known && !field.value.empty();
    ForEachElement(field.value,
                   [&](std::string_view what) { known = known && EqualsIgnoreCase(what, "100-continue"); });
  }
  request.head.Remove(FieldName::kExpect);
  if (request.head.version == Version::kHttp10) return Fault::kNone;
  if (!known) return Fault::kHttpExpectation;
  request.expects_continue = request.body != nullptr;
  if (request.expects_continue) request.head.Add(FieldName::kExpect, "100-continue");
  return Fault::kNone;
}

}  // namespace egret
