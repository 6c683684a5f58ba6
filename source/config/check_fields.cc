#include "source/config/check_fields.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "source/base/ip.h"
#include "source/base/strings.h"
#include "source/config/address.h"
#include "source/config/field_rules.h"
#include "source/config/scalar.h"
#include "source/config/walk.h"
#include "source/http/field_name.h"
#include "source/tls/ssl_context.h"

namespace egret {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Kind = FieldRule::Kind;

constexpr size_t kLongestPath = 4096;
constexpr size_t kLongestName = 128;

bool IsAlphanumeric(char c) { return IsAsciiDigit(c) || (AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z'); }

bool IsToken(std::string_view text) {
  const auto tchar = [](char c) {
    return IsAlphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), tchar);
}

std::optional<Unfit> CheckName(std::string_view text) {
  const auto allowed = [](char c) {
    return IsAlphanumeric(c) || std::string_view("-_.@").find(c) != std::string_view::npos;
  };
  if (!text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), allowed))
    return std::nullopt;
  return Unfit{text.empty() ? "no name" : "not a name", "write 1 to 128 letters, digits, -, _, ., @"};
}

std::optional<Unfit> CheckLoopback(std::string_view text) {
  const auto address = ParseListenAddress(text);
  if (!address) return address.error();
  if (address->unix() || IsLoopback(address->endpoint.address)) return std::nullopt;
  return Unfit{"others can reach it", "write a loopback address or a unix socket, e.g. 127.0.0.1:9901"};
}

std::optional<Unfit> CheckHeader(std::string_view name) {
  if (!IsToken(name)) return Unfit{"not the name of a header field", "write e.g. x-request-id"};
  if (IsForProxy(name)) return Unfit{"frames the message or belongs to the connection", "the proxy alone sets it"};
  return std::nullopt;
}

std::optional<Unfit> CheckMediaType(std::string_view text) {
  std::string_view subtype = text;
  const std::string_view type = SplitFirst(subtype, '/');
  if (IsToken(type) && type != "*" && IsToken(subtype)) return std::nullopt;
  return Unfit{"not a media type", "write e.g. text/html, or text/* for all of them"};
}

std::optional<Unfit> CheckDns(std::string_view text) {
  const auto endpoint = Endpoint::Parse(text);
  if (endpoint && endpoint->port != 0) return std::nullopt;
  if (IpAddress::Parse(text))
    return Unfit{"no port", text.find(':') == text.npos ? Cat("write ", text, ":53") : Cat("write [", text, "]:53")};
  return Unfit{"not an address and port", "write e.g. 127.0.0.1:53"};
}

template <class Value>
std::optional<Unfit> ErrorOf(const Result<Value, Unfit>& result) {
  if (result.ok()) return std::nullopt;
  return result.error();
}

// Of one text: nothing, or why it does not fit.
std::optional<Unfit> CheckText(const FieldRule& rule, std::string_view text) {
  switch (rule.kind) {
    case Kind::kLength:
      if (text.size() <= static_cast<size_t>(rule.high)) return std::nullopt;
      return Unfit{"too long", Cat("at most ", rule.high, " bytes")};
    case Kind::kAddress:
      if (IpAddress::Parse(text)) return std::nullopt;
      return Unfit{"not an address", "write e.g. 10.0.0.7 or 2001:db8::7"};
    case Kind::kCidr:
      if (Cidr::Parse(text)) return std::nullopt;
      return Unfit{"not a range of addresses",
                   "write e.g. 10.0.0.0/8 or 2001:db8::/32, with no bit set beyond the prefix"};
    case Kind::kPath:
      if (text.empty() || (text.starts_with('/') && text.size() <= kLongestPath)) return std::nullopt;
      return Unfit{"not an absolute path", "begin it with /"};
    case Kind::kToken:
      if (text.empty() || IsToken(text)) return std::nullopt;
      return Unfit{"not a token", "write letters, digits, - or ."};
    case Kind::kFieldText:
      if (text.find_first_of("\r\n") == text.npos) return std::nullopt;
      return Unfit{"a line end inside", "write it on one line"};
    case Kind::kName:
      return CheckName(text);
    case Kind::kHeader:
      return CheckHeader(text);
    case Kind::kMediaType:
      return CheckMediaType(text);
    case Kind::kListen:
      return ErrorOf(ParseListenAddress(text));
    case Kind::kLoopback:
      return CheckLoopback(text);
    case Kind::kServer:
      return ErrorOf(ParseHostPort(text));
    case Kind::kHost:
      if (text.empty() || IpAddress::Parse(text) || ParseHostPort(Cat(text, ":1")).ok()) return std::nullopt;
      return Unfit{"neither a host name nor an address", "write e.g. proxy.example"};
    case Kind::kDns:
      return CheckDns(text);
    case Kind::kCipherSuite:
      if (IsCipherSuite(std::string(text))) return std::nullopt;
      return Unfit{"not a cipher suite that may be used", "write e.g. TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
    default:
      return std::nullopt;
  }
}

std::string Shown(int64_t ms) {
  if (ms % 3'600'000 == 0 && ms > 0) return Cat(ms / 3'600'000, "h");
  if (ms % 60'000 == 0 && ms > 0) return Cat(ms / 60'000, "m");
  return ms % 1000 == 0 ? Cat(ms / 1000, "s") : Cat(ms, "ms");
}

// By full name of the field.
const std::unordered_multimap<std::string_view, const FieldRule*>& RulesByField() {
  static const auto* const rules = [] {
    auto* by_field = new std::unordered_multimap<std::string_view, const FieldRule*>;
    for (const FieldRule& rule : FieldRules()) by_field->emplace(rule.field, &rule);
    return by_field;
  }();
  return *rules;
}

class FieldChecker : public Visitor {
 public:
  explicit FieldChecker(const Judged& judged) : judged_(judged) {}

  std::vector<ConfigError> Take() { return std::move(errors_); }

  bool Enters(const Message& message) override { return !judged_.Has(message); }
  void Enter(const Message& message, const std::string& path) override {
    const auto& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      const auto [begin, end] = RulesByField().equal_range(field.full_name());
      for (auto rule = begin; rule != end; ++rule)
        CheckPresence(*rule->second, message, field, Below(path, field.name()));
    }
  }

  bool Visit(const Message& holder, const FieldDescriptor& field, const std::string& path) override {
    const auto [begin, end] = RulesByField().equal_range(field.full_name());
    bool descend = true;
    for (auto rule = begin; rule != end; ++rule) {
      if (rule->second->kind == Kind::kNotBuilt) {
        Add(path, "", {"not built yet", "leave it out"});
        descend = false;
      } else {
        CheckValue(*rule->second, holder, field, path);
      }
    }
    return descend;
  }

 private:
  void Add(const std::string& path, std::string value, Unfit unfit) {
    errors_.push_back(
        {.field = path, .value = std::move(value), .why = std::move(unfit.why), .remedy = std::move(unfit.remedy)});
  }

  static bool IsThere(const Message& holder, const FieldDescriptor& field) {
    const Reflection& reflection = *holder.GetReflection();
    if (field.is_repeated()) return reflection.FieldSize(holder, &field) > 0;
    if (!reflection.HasField(holder, &field)) return false;
    return field.cpp_type() != FieldDescriptor::CPPTYPE_STRING || !reflection.GetString(holder, &field).empty();
  }

  void CheckPresence(const FieldRule& rule, const Message& holder, const FieldDescriptor& field,
                     const std::string& path) {
    if (rule.kind == Kind::kName && !IsThere(holder, field)) return Add(path, "", *CheckName(""));
    if (rule.kind != Kind::kRequired || IsThere(holder, field)) return;
    // Of a oneof only the member that is set.
    if (field.real_containing_oneof() != nullptr && !holder.GetReflection()->HasField(holder, &field)) return;
    Add(path, "", {"required", field.is_repeated() ? "give at least one" : "give it a value"});
  }

  void CheckValue(const FieldRule& rule, const Message& holder, const FieldDescriptor& field, const std::string& path) {
    switch (rule.kind) {
      case Kind::kDuration:
        return CheckDuration(rule, holder, field, path);
      case Kind::kNumber:
        return CheckNumbers(rule, holder, field, path);
      case Kind::kCount:
        return CheckCount(rule, holder.GetReflection()->FieldSize(holder, &field), path);
      case Kind::kNotValue:
        if (holder.GetReflection()->GetEnum(holder, &field)->name() == rule.value)
          Add(path, std::string(rule.value), {"not built yet", "leave it out"});
        return;
      case Kind::kRequired:
      case Kind::kNotBuilt:
        return;
      default:
        break;
    }
    for (const TextAt& text : TextsOf(holder, field, path)) {
      // An empty one is told of as missing, where it must not be.
      if (rule.kind == Kind::kName && text.text.empty()) continue;
      if (text.text.empty() && !field.is_repeated() && IsRequired(field)) continue;
      if (auto unfit = CheckText(rule, text.text)) Add(text.path, ShownValue(text.text), *std::move(unfit));
    }
  }

  static bool IsRequired(const FieldDescriptor& field) {
    const auto [begin, end] = RulesByField().equal_range(field.full_name());
    return std::any_of(begin, end, [](const auto& rule) { return rule.second->kind == Kind::kRequired; });
  }

  void CheckDuration(const FieldRule& rule, const Message& holder, const FieldDescriptor& field,
                     const std::string& path) {
    const auto* duration = google::protobuf::DynamicCastToGenerated<google::protobuf::Duration>(
        &holder.GetReflection()->GetMessage(holder, &field));
    if (duration == nullptr) return;
    // Whole seconds first, so that nothing overflows.
    const int64_t seconds = duration->seconds();
    const bool sane = seconds >= 0 && seconds <= rule.high / 1000 && duration->nanos() >= 0;
    const int64_t ms = sane ? seconds * 1000 + duration->nanos() / 1'000'000 : -1;
    if (ms >= rule.low && ms <= rule.high && (ms < rule.high || duration->nanos() % 1'000'000 == 0)) return;
    Add(path, sane ? Shown(ms) : Cat(seconds, "s"),
        {"out of bounds", Cat("from ", Shown(rule.low), " to ", Shown(rule.high))});
  }

  void CheckNumbers(const FieldRule& rule, const Message& holder, const FieldDescriptor& field,
                    const std::string& path) {
    const Reflection& reflection = *holder.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64)
      return CheckNumber(rule, reflection.GetUInt64(holder, &field), path);
    if (!field.is_repeated()) return CheckNumber(rule, reflection.GetUInt32(holder, &field), path);
    for (int i = 0; i < reflection.FieldSize(holder, &field); ++i)
      CheckNumber(rule, reflection.GetRepeatedUInt32(holder, &field, i), Below(path, static_cast<size_t>(i)));
  }

  void CheckNumber(const FieldRule& rule, uint64_t number, const std::string& path) {
    if (number < static_cast<uint64_t>(rule.low) || number > static_cast<uint64_t>(rule.high))
      Add(path, std::to_string(number), {"out of bounds", Cat("from ", rule.low, " to ", rule.high)});
  }

  void CheckCount(const FieldRule& rule, int count, const std::string& path) {
    if (count > rule.high) Add(path, Cat(count, " entries"), {"too many", Cat("at most ", rule.high)});
  }

  const Judged& judged_;
  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> CheckFields(const Message& message, const Judged& judged) {
  FieldChecker checker(judged);
  Walk(message, "", checker);
  return checker.Take();
}

}  // namespace egret
