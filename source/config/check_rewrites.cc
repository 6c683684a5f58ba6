#include "source/config/check_rewrites.h"

#include <re2/re2.h>

#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/config/body_pattern.h"
#include "source/config/walk.h"

namespace egret {
namespace {

using filters::http::v1::BodyRewrite;

class RewriteChecker : public Visitor {
 public:
  std::vector<ConfigError> Take() { return std::move(errors_); }

  bool Seeks(const google::protobuf::Descriptor& type) override { return within_(type); }
  void Enter(const google::protobuf::Message& message, const std::string& path) override {
    if (const auto* rewrite = dynamic_cast<const BodyRewrite*>(&message)) {
      if (rewrite->request_size() + rewrite->response_size() == 0)
        Add(path, "", "it changes nothing", "give request or response, e.g. [{replace: {text: old, with: new}}]");
    } else if (const auto* replace = dynamic_cast<const BodyRewrite::Replace*>(&message)) {
      if (!replace->pattern().empty()) CheckPattern(*replace, path);
    }
  }

  bool Visit(const google::protobuf::Message& /*holder*/, const google::protobuf::FieldDescriptor& /*field*/,
             const std::string& /*path*/) override {
    return true;
  }

 private:
  void Add(const std::string& path, std::string value, std::string why, std::string remedy) {
    errors_.push_back({.field = path, .value = std::move(value), .why = std::move(why), .remedy = std::move(remedy)});
  }

  void CheckPattern(const BodyRewrite::Replace& replace, const std::string& path) {
    const auto pattern = CompileBodyPattern(replace.pattern());
    const std::string at = Below(path, "pattern");
    std::string why;
    if (!pattern->ok())
      return Add(at, ShownValue(replace.pattern()), pattern->error(), "write it as RE2 takes it, e.g. colou?r");
    if (re2::RE2::FullMatch("", *pattern))
      return Add(at, ShownValue(replace.pattern()), "it matches where nothing stands, so everywhere",
                 "make it match one byte at least, e.g. a+ for a*");
    if (!pattern->CheckRewriteString(replace.with(), &why))
      Add(Below(path, "with"), ShownValue(replace.with()), "not a replacement for this pattern",
          "\\0 to \\9 are groups of the pattern, \\\\ is a backslash");
  }

  Within within_{[](const auto& type) {
    return &type == BodyRewrite::descriptor() || &type == BodyRewrite::Replace::descriptor();
  }};
  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> CheckRewrites(const config::v1::Bootstrap& bootstrap) {
  RewriteChecker checker;
  Walk(bootstrap, "", checker);
  return checker.Take();
}

}  // namespace egret
