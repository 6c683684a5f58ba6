// Any text through every format: no crash, and what was loaded comes back equal through canonical JSON and textproto,
// and is judged by the validator (X30).
#include <google/protobuf/util/message_differencer.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/check.h"
#include "source/config/canonical.h"
#include "source/config/load.h"
#include "source/config/validate.h"
#include "test/config/load_text.h"

namespace egret {
namespace {

void CheckRoundTrip(const Loaded& loaded) {
  const Loaded json = LoadText(ToCanonicalJson(loaded.bootstrap), "f.json");
  CHECK(json.result.ok());
  CHECK(google::protobuf::util::MessageDifferencer::Equals(loaded.bootstrap, json.bootstrap));
  const Loaded text = LoadText(ToTextproto(loaded.bootstrap), "f.textproto");
  CHECK(text.result.ok());
  CHECK(google::protobuf::util::MessageDifferencer::Equals(loaded.bootstrap, text.bootstrap));
}

// Files of the machine are no part of the input.
void CheckValidator(config::v1::Bootstrap bootstrap) {
  for (auto& set : *bootstrap.mutable_domain_sets()) set.clear_file();
  (void)Validate(bootstrap);
}

}  // namespace
}  // namespace egret

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string_view file : {"f.yaml", "f.json", "f.textproto"}) {
    const Loaded loaded = LoadText(text, file);
    if (!loaded.result.ok()) continue;
    CheckRoundTrip(loaded);
    CheckValidator(loaded.bootstrap);
  }
  return 0;
}
