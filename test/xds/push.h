// Resources written as YAML, responses made of them, and a sink that remembers.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "source/base/strings.h"
#include "source/config/load.h"
#include "source/config/validate.h"
#include "source/xds/config_sink.h"
#include "source/xds/delta_state.h"
#include "source/xds/resource.h"

namespace egret {

inline void FromYaml(std::string_view yaml, google::protobuf::Message& into) {
  const LoadResult loaded = Load(yaml, "test", Format::kYaml, into);
  ASSERT_TRUE(loaded.ok()) << ToString(loaded.errors) << yaml;
}

inline std::shared_ptr<const config::v1::Bootstrap> BootstrapOf(std::string_view yaml) {
  auto bootstrap = std::make_shared<config::v1::Bootstrap>();
  FromYaml(yaml, *bootstrap);
  return bootstrap;
}

inline google::protobuf::Any AnyOf(ResourceType type, std::string_view yaml) {
  const auto message = NewResource(type);
  FromYaml(yaml, *message);
  google::protobuf::Any any;
  any.PackFrom(*message);
  return any;
}

inline BodyPtr BodyOf(ResourceType type, std::string_view yaml, std::string_view version = "1") {
  std::shared_ptr<google::protobuf::Message> message = NewResource(type);
  FromYaml(yaml, *message);
  auto body = std::make_shared<ResourceBody>();
  body->key = {type, OwnName(*message)};
  body->version = version;
  body->references = ReferencesIn(*message);
  body->message = std::move(message);
  return body;
}

// A response of one type, put together step by step.
class ResponseOf {
 public:
  ResponseOf(ResourceType type, std::string_view nonce) {
    response_.set_type_url(std::string(TypeUrl(type)));
    response_.set_nonce(std::string(nonce));
    type_ = type;
  }
  ResponseOf& Add(std::string_view yaml, std::string_view version = "1") {
    auto& resource = *response_.add_resources();
    *resource.mutable_resource() = AnyOf(type_, yaml);
    const auto message = NewResource(type_);
    FromYaml(yaml, *message);
    resource.set_name(OwnName(*message));
    resource.set_version(std::string(version));
    return *this;
  }
  ResponseOf& Remove(std::string_view name) {
    response_.add_removed_resources(std::string(name));
    return *this;
  }
  ResponseOf& Ttl(int seconds) {
    response_.mutable_resources()->rbegin()->mutable_ttl()->set_seconds(seconds);
    return *this;
  }
  ResponseOf& Heartbeat(std::string_view name, std::string_view version, int seconds) {
    auto& resource = *response_.add_resources();
    resource.set_name(std::string(name));
    resource.set_version(std::string(version));
    if (seconds > 0) resource.mutable_ttl()->set_seconds(seconds);
    return *this;
  }
  DiscoveryResponse& operator*() { return response_; }
  operator DiscoveryResponse() const { return response_; }  // NOLINT(google-explicit-constructor)

 private:
  ResourceType type_;
  DiscoveryResponse response_;
};

// What a listener takes that serves by these policies.
inline std::string ListenerYaml(std::string_view name, int port, std::string_view policies) {
  return Cat("{name: ", name, ", address: '127.0.0.1:", port,
             "', filters: [http_connection: {filters: [{egress_policy: {policies: [", policies,
             "]}}, connect_tunnel, forward_router]}]}");
}
inline std::string PolicyYaml(std::string_view name, std::string_view domains = "a.example") {
  return Cat("{name: ", name, ", rules: [{name: r, action: ALLOW, to: {domains: [", domains, "]}}]}");
}

// Judges as the server does, and remembers.
class RememberingSink final : public ConfigSink {
 public:
  std::vector<ConfigError> Apply(std::shared_ptr<const config::v1::Bootstrap> effective) override {
    ++calls;
    config::v1::Bootstrap judged = *effective;
    judged.clear_xds();
    judged.clear_directory();
    if (judged.listeners().empty()) judged.mutable_xds();
    std::vector<ConfigError> errors;
    for (ConfigError& error : Validate(judged))
      if (!error.warning() && error.field != "xds" && !error.field.starts_with("xds."))
        errors.push_back(std::move(error));
    if (errors.empty() && refuse) errors = refuse(*effective);
    if (errors.empty()) in_force = std::move(effective);
    return errors;
  }

  // "listeners l m policies p": what is in force.
  std::string Names() const {
    std::string out;
    if (!in_force) return "nothing";
    const auto& reflection = *in_force->GetReflection();
    for (const ResourceType type : kResourceTypes) {
      const auto& list = *in_force->GetDescriptor()->FindFieldByName(std::string(ListOf(type)));
      const int count = reflection.FieldSize(*in_force, &list);
      if (count > 0) Append(out, out.empty() ? "" : " ", ListOf(type));
      for (int i = 0; i < count; ++i) Append(out, " ", OwnName(reflection.GetRepeatedMessage(*in_force, &list, i)));
    }
    return out;
  }

  int calls = 0;
  std::shared_ptr<const config::v1::Bootstrap> in_force;
  std::function<std::vector<ConfigError>(const config::v1::Bootstrap&)> refuse;
};

}  // namespace egret
