// Whatever a server sends, in whatever order: nothing crashes, each response is answered once, and what is in force has
// all that it refers to. Row X30 of the catalogue.
//
// An input is a conversation: of each step a byte that says what happens (a response of one of the types, an end and a
// new stream, time that passes), two bytes of length, and a response as protobuf encodes it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/check.h"
#include "source/xds/pushed_config.h"

namespace egret {
namespace {

constexpr size_t kMostSteps = 20;

class CheckingSink final : public ConfigSink {
 public:
  std::vector<ConfigError> Apply(std::shared_ptr<const config::v1::Bootstrap> effective) override {
    std::set<ResourceKey> there;
    std::vector<ResourceKey> needed;
    const auto& reflection = *effective->GetReflection();
    for (const ResourceType type : kResourceTypes) {
      const auto& list = *effective->GetDescriptor()->FindFieldByName(std::string(ListOf(type)));
      for (int i = 0; i < reflection.FieldSize(*effective, &list); ++i) {
        const auto& one = reflection.GetRepeatedMessage(*effective, &list, i);
        CHECK(there.insert({type, OwnName(one)}).second);
        for (ResourceKey& key : ReferencesIn(one)) needed.push_back(std::move(key));
      }
    }
    for (const ResourceKey& key : needed) CHECK(there.contains(key));
    // Every third is refused, as a server may that cannot open a socket.
    if (++calls_ % 3 != 0 || effective->listeners().empty()) return {};
    return {{.field = "listeners[0].address", .why = "cannot be opened"}};
  }

 private:
  int calls_ = 0;
};

std::shared_ptr<const config::v1::Bootstrap> BootstrapWith(config::v1::Xds::Carrier carrier) {
  auto bootstrap = std::make_shared<config::v1::Bootstrap>();
  bootstrap->mutable_xds()->add_servers()->set_address("server:1");
  bootstrap->mutable_xds()->set_carrier(carrier);
  bootstrap->add_policies()->set_name("own");
  return bootstrap;
}

void Step(PushedConfig& pushed, uint8_t what, std::string_view bytes, int64_t& now) {
  if (what == 'e') {
    pushed.End();
    pushed.Begin();
  } else if (what == 't') {
    now += 20'000;
    pushed.Tick(now);
  } else {
    DiscoveryResponse response;
    if (!response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    const size_t type = what % (std::size(kResourceTypes) + 1);
    const bool native = type < std::size(kResourceTypes);
    response.set_type_url(native ? std::string(TypeUrl(kResourceTypes[type])) : ExtensionConfigType().url);
    response.set_nonce("n");
    int answers = 0;
    for (const DiscoveryRequest& request : pushed.Take({response}, now)) answers += !request.response_nonce().empty();
    CHECK(answers <= 1);
    pushed.Status();
  }
}

}  // namespace
}  // namespace egret

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret;
  if (size == 0) return 0;
  CheckingSink sink;
  PushedConfig pushed(BootstrapWith(data[0] % 2 == 0 ? config::v1::Xds::NATIVE : config::v1::Xds::EXTENSION_CONFIG),
                      sink, "fuzz");
  int64_t now = 0;
  pushed.Start(now);
  pushed.Begin();
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (size_t i = 0; i < kMostSteps && rest.size() >= 3; ++i) {
    const auto what = static_cast<uint8_t>(rest[0]);
    const size_t length = static_cast<uint8_t>(rest[1]) * size_t{256} + static_cast<uint8_t>(rest[2]);
    rest.remove_prefix(3);
    Step(pushed, what, rest.substr(0, length), now);
    rest.remove_prefix(std::min(length, rest.size()));
  }
  return 0;
}
