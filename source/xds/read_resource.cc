#include "source/xds/read_resource.h"

#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <utility>

#include "egret/config/v1/common.pb.h"
#include "egret/config/v1/policy.pb.h"
#include "egret/filters/http/v1/filters.pb.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "source/base/strings.h"
#include "source/config/walk.h"

namespace egret {
namespace {

using envoy::config::core::v3::TypedExtensionConfig;
using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view kCarrierUrl = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";

// No segment of the path leads upwards again.
bool IsPlainPath(std::string_view path) {
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view segment = SplitFirst(rest, '/');
    if (segment == "." || segment == "..") return false;
  }
  return true;
}

bool IsBelow(std::string_view path, std::string_view root) {
  while (root.ends_with('/')) root.remove_suffix(1);
  return path.size() > root.size() && path.starts_with(root) && path[root.size()] == '/';
}

// Files and environment variables are matters of this host.
class LocalChecker final : public Visitor {
 public:
  LocalChecker(const ReadRules& rules, std::vector<ConfigError>& errors) : rules_(rules), errors_(errors) {}

  bool Visit(const Message& holder, const FieldDescriptor& field, const std::string& path) override {
    const std::string_view name = field.full_name();
    if (name == "egret.config.v1.DataSource.environment")
      errors_.push_back({.field = path,
                         .why = "a pushed resource never reads the proxy's environment",
                         .remedy = "push the bytes, or put the secret into the bootstrap"});
    if (name == "egret.config.v1.DataSource.file" || name == "egret.config.v1.DomainSet.DomainFile.path" ||
        name == "egret.filters.http.v1.Tap.file")
      CheckFile(holder.GetReflection()->GetString(holder, &field), path);
    return true;
  }

 private:
  void CheckFile(const std::string& file, const std::string& path) {
    const auto below = [&](const std::string& root) { return IsBelow(file, root); };
    if (IsPlainPath(file) && std::any_of(rules_.file_roots.begin(), rules_.file_roots.end(), below)) return;
    errors_.push_back({.field = path,
                       .value = ShownValue(file),
                       .why = "not below a folder whose files a pushed resource may name",
                       .remedy = "add the folder to xds.file_roots of the bootstrap"});
  }

  const ReadRules& rules_;
  std::vector<ConfigError>& errors_;
};

// What this release does not know: told as warnings and taken out, so that nothing after this sees it.
class UnknownTaker {
 public:
  explicit UnknownTaker(std::vector<ConfigError>& errors) : errors_(errors) {}

  void Take(Message& message, const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    if (!reflection.GetUnknownFields(message).empty()) {
      Tell(path, "a field that this release does not know");
      reflection.MutableUnknownFields(&message)->Clear();
    }
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) TakeField(message, *field, Below(path, field->name()));
  }

 private:
  void TakeField(Message& message, const FieldDescriptor& field, const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    if (field.is_map()) return;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM && !field.is_repeated()) {
      if (field.enum_type()->FindValueByNumber(reflection.GetEnumValue(message, &field)) != nullptr) return;
      // Zero is never the permissive value.
      Tell(path, "a value that this release does not know");
      return reflection.ClearField(&message, &field);
    }
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    if (!field.is_repeated()) return Take(*reflection.MutableMessage(&message, &field), path);
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i)
      Take(*reflection.MutableRepeatedMessage(&message, &field, i), Below(path, static_cast<size_t>(i)));
  }

  void Tell(const std::string& path, std::string why) {
    errors_.push_back({.field = path,
                       .why = std::move(why),
                       .remedy = "update the proxy",
                       .severity = ConfigError::Severity::kWarning});
  }

  std::vector<ConfigError>& errors_;
};

// A field that narrows what is allowed must not vanish.
bool MayHaveUnknown(ResourceType type) { return type == ResourceType::kListener || type == ResourceType::kUpstream; }

std::vector<ConfigError> Wrong(std::string field, std::string_view value, std::string why, std::string remedy) {
  return {{.field = std::move(field),
           .value = value.empty() ? "" : ShownValue(value),
           .why = std::move(why),
           .remedy = std::move(remedy)}};
}

struct Unwrapped {
  Any any;
  std::vector<ConfigError> errors;
};
Unwrapped Unwrap(std::string_view name, const Any& any) {
  Unwrapped out;
  TypedExtensionConfig carrier;
  if (any.type_url() != kCarrierUrl) {
    out.errors = Wrong("", any.type_url(), "not of the type that was asked for", Cat("push ", kCarrierUrl));
  } else if (!carrier.ParseFromString(any.value())) {
    out.errors = Wrong("", "", "cannot be read as its type", "encode it as protobuf says");
  } else if (carrier.name() != name) {
    out.errors = Wrong("name", carrier.name(), "not the name that it was sent under", "use one name");
  } else {
    out.any = std::move(*carrier.mutable_typed_config());
  }
  return out;
}

ReadResult ReadNative(ResourceType type, std::string_view version, const Any& any, const ReadRules& rules) {
  ReadResult result;
  std::unique_ptr<Message> message = NewResource(type);
  if (!message->ParseFromString(any.value())) {
    result.errors = Wrong("", "", "cannot be read as its type", "encode it as protobuf says");
    return result;
  }
  if (rules.accept_unknown && MayHaveUnknown(type)) UnknownTaker(result.errors).Take(*message, "");
  LocalChecker local(rules, result.errors);
  Walk(*message, "", local);
  result.body = std::make_shared<ResourceBody>();
  result.body->key = {type, OwnName(*message)};
  result.body->version = version;
  result.body->references = ReferencesIn(*message);
  result.body->message = std::move(message);
  return result;
}

}  // namespace

WireType NativeType(ResourceType type) { return {std::string(TypeUrl(type)), type}; }
std::string_view CarrierUrl() { return kCarrierUrl; }
WireType ExtensionConfigType() { return {std::string(kCarrierUrl), std::nullopt}; }

ReadResult ReadResource(const WireType& type, std::string_view name, std::string_view version, const Any& any,
                        const ReadRules& rules) {
  if (!type.type) {
    Unwrapped inner = Unwrap(name, any);
    if (!inner.errors.empty()) return {nullptr, std::move(inner.errors)};
    const auto own = ParseTypeUrl(inner.any.type_url());
    if (!own)
      return {nullptr, Wrong("typed_config", inner.any.type_url(), "not a type of this API",
                             "carry what is in egret.config.v1: a listener, a policy ...")};
    if (*own == ResourceType::kSecret)
      return {nullptr, Wrong("typed_config", inner.any.type_url(), "secrets do not travel in this carrier",
                             "push them as their own type, or put them into the bootstrap")};
    return ReadNative(*own, version, inner.any, rules);
  }
  if (any.type_url() != type.url)
    return {nullptr, Wrong("", any.type_url(), "not of the type of its response", Cat("push ", type.url))};
  ReadResult result = ReadNative(*type.type, version, any, rules);
  if (result.body && result.body->key.name != name)
    return {nullptr, Wrong("name", result.body->key.name, "not the name that it was sent under", "use one name")};
  return result;
}

ReadResult ReadUnnamed(ResourceType type, const Any& any, const ReadRules& rules) {
  return ReadNative(type, "", any, rules);
}

}  // namespace egret
