#include "source/config/stand_ins.h"

#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "source/base/strings.h"
#include "source/config/references.h"
#include "source/config/walk.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Secret;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// What a stand-in itself refers to.
constexpr std::string_view kAuthority = "stand-in.authority";

using Named = std::set<std::pair<std::string_view, std::string>>;  // list and name

class Wanted final : public Visitor {
 public:
  bool Visit(const Message& holder, const FieldDescriptor& field, const std::string& path) override {
    if (path == "xds") return false;
    if (const Reference* reference = ReferenceOf(field))
      for (TextAt& text : TextsOf(holder, field, path))
        if (!text.text.empty()) names.emplace(reference->list, std::move(text.text), reference->member);
    return true;
  }

  std::set<std::tuple<std::string_view, std::string, std::string_view>> names;  // list, name and member
};

Named NamesOf(const Bootstrap& bootstrap) {
  Named names;
  const Reflection& reflection = *bootstrap.GetReflection();
  for (const ResourceList& list : ResourceLists()) {
    const FieldDescriptor& field = *bootstrap.GetDescriptor()->FindFieldByName(std::string(list.field));
    for (int i = 0; i < reflection.FieldSize(bootstrap, &field); ++i) {
      const Message& one = reflection.GetRepeatedMessage(bootstrap, &field, i);
      names.emplace(list.field, one.GetReflection()->GetString(one, one.GetDescriptor()->FindFieldByName("name")));
    }
  }
  return names;
}

void AddSecret(Bootstrap& bootstrap, std::string_view name, std::string_view member) {
  Secret& secret = *bootstrap.add_secrets();
  secret.set_name(std::string(name));
  if (member == "trust") {
    secret.mutable_trust()->set_system_roots(true);
  } else if (member == "certificate") {
    secret.mutable_certificate()->mutable_certificate()->set_inline_string("-");
    secret.mutable_certificate()->mutable_key()->set_inline_string("-");
  } else if (member == "certificate_authority") {
    secret.mutable_certificate_authority()->mutable_certificate()->set_inline_string("-");
    secret.mutable_certificate_authority()->mutable_key()->set_inline_string("-");
  } else if (member == "htpasswd") {
    secret.mutable_htpasswd()->set_inline_string("-");
  } else if (member == "jwks") {
    secret.mutable_jwks()->set_inline_string("-");
  } else {
    secret.mutable_credential()->set_inline_string("-");
  }
}

// Fit to be entered by a tunnel and to lend its chains to a transparent listener, whatever the policies say.
void AddListener(Bootstrap& bootstrap, const std::string& name) {
  auto& listener = *bootstrap.add_listeners();
  listener.set_name(name);
  listener.mutable_internal();
  listener.add_listener_filters()->mutable_tls_inspector();
  listener.add_listener_filters()->mutable_egress_policy();
  auto& inspected = *listener.add_filter_chains();
  inspected.set_name("inspected");
  inspected.mutable_match()->set_verdict(config::v1::ChainMatch::INSPECT);
  inspected.add_filters()->mutable_mitm_terminator()->set_authority(std::string(kAuthority));
  auto& http = *inspected.add_filters()->mutable_http_connection();
  http.add_filters()->mutable_egress_policy();
  http.add_filters()->mutable_forward_router();
  auto& relayed = *listener.add_filter_chains();
  relayed.set_name("relayed");
  relayed.add_filters()->mutable_tcp_relay();
}

}  // namespace

void AddStandIns(Bootstrap& bootstrap) {
  Wanted wanted;
  Walk(bootstrap, "", wanted);
  Named names = NamesOf(bootstrap);
  bool listener = false;
  for (const auto& [list, name, member] : wanted.names) {
    if (!names.emplace(list, name).second) continue;
    if (list == "listeners") AddListener(bootstrap, name);
    if (list == "policies") bootstrap.add_policies()->set_name(name);
    if (list == "domain_sets") {
      bootstrap.add_domain_sets()->set_name(name);
      bootstrap.mutable_domain_sets()->rbegin()->add_domains("stand-in.invalid");
    }
    if (list == "upstreams") {
      bootstrap.add_upstreams()->set_name(name);
      bootstrap.mutable_upstreams()->rbegin()->mutable_http_proxy()->set_address("stand-in.invalid:1");
    }
    if (list == "secrets") AddSecret(bootstrap, name, member);
    if (list == "workload_sets") bootstrap.add_workload_sets()->set_name(name);
    listener = listener || list == "listeners";
  }
  if (listener) AddSecret(bootstrap, kAuthority, "certificate_authority");
}

}  // namespace egret
