#include "source/config/check_taps.h"

#include <time.h>

#include <set>
#include <string>
#include <utility>

#include "source/config/walk.h"

namespace egret {
namespace {

class TapChecker : public Visitor {
 public:
  std::vector<ConfigError> Take() { return std::move(errors_); }

  bool Seeks(const google::protobuf::Descriptor& type) override { return within_(type); }
  void Enter(const google::protobuf::Message& message, const std::string& path) override {
    const auto* tap = dynamic_cast<const filters::http::v1::Tap*>(&message);
    if (tap == nullptr) return;
    if (!tap->file().empty() && !files_.insert(tap->file()).second)
      errors_.push_back({.field = Below(path, "file"),
                         .value = ShownValue(tap->file()),
                         .why = "another tap writes there",
                         .remedy = "give each a file of its own"});
    // A configuration that was good does not become bad with time: the process has to start with it.
    if (tap->has_until() && tap->until().seconds() <= time(nullptr))
      errors_.push_back({.field = Below(path, "until"),
                         .why = "this time is over",
                         .remedy = "take the tap out",
                         .severity = ConfigError::Severity::kWarning});
  }
  bool Visit(const google::protobuf::Message& /*holder*/, const google::protobuf::FieldDescriptor& /*field*/,
             const std::string& /*path*/) override {
    return true;
  }

 private:
  Within within_{[](const auto& type) { return &type == filters::http::v1::Tap::descriptor(); }};
  std::vector<ConfigError> errors_;
  std::set<std::string> files_;
};

}  // namespace

std::vector<ConfigError> CheckTaps(const config::v1::Bootstrap& bootstrap) {
  TapChecker checker;
  Walk(bootstrap, "", checker);
  return checker.Take();
}

}  // namespace egret
