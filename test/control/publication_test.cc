#include "source/control/publication.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "egret/config/v1/policy.pb.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "source/base/strings.h"
#include "source/xds/read_resource.h"
#include "test/xds/push.h"

namespace egret {
namespace {

using config::v1::DomainSet;
using config::v1::EgressPolicy;
using enum ResourceType;

Bodies Of(const std::vector<BodyPtr>& bodies) {
  Bodies all;
  for (const BodyPtr& body : bodies) all[body->key] = body;
  return all;
}
BodyPtr Policy(std::string_view sets) {
  return BodyOf(kEgressPolicy, Cat("{name: p, rules: [{name: r, action: ALLOW, to: {domain_sets: [", sets, "]}}]}"));
}
BodyPtr Set(std::string_view name, std::string_view rest) {
  return BodyOf(kDomainSet, Cat("{name: ", name, rest, "}"));
}

std::vector<std::string> Names(const Publication& publication, ResourceType type) {
  std::vector<std::string> names;
  if (const PublishedType* all = publication.TypeOf(TypeUrl(type)))
    for (const auto& [name, resource] : *all) names.push_back(name);
  return names;
}
template <class Message>
Message Published(const Publication& publication, ResourceType type, std::string_view name) {
  Message message;
  const PublishedResource* resource = publication.Find(TypeUrl(type), name);
  EXPECT_NE(resource, nullptr) << name;
  if (resource != nullptr) EXPECT_TRUE(resource->any.UnpackTo(&message));
  return message;
}

TEST(Publish, AListHasANameThatSaysItsContent) {
  const Publication one = Publish({}, Of({Policy("d"), Set("d", ", domains: [a.example]")}));
  const std::vector<std::string> names = Names(one, kDomainSet);
  ASSERT_EQ(names.size(), 1u);
  EXPECT_EQ(names.front().substr(0, 2), "d@");
  EXPECT_EQ(Published<DomainSet>(one, kDomainSet, names.front()).name(), names.front());
  EXPECT_EQ(Published<EgressPolicy>(one, kEgressPolicy, "p").rules(0).to().domain_sets(0), names.front());

  const Publication other = Publish({}, Of({Policy("d"), Set("d", ", domains: [b.example]")}));
  EXPECT_NE(Names(other, kDomainSet), names);
  EXPECT_NE(other.Find(TypeUrl(kEgressPolicy), "p")->version, one.Find(TypeUrl(kEgressPolicy), "p")->version);
  EXPECT_NE(other.version, one.version);
}

TEST(Publish, WhatAListIncludesIsPartOfItsContent) {
  const auto name_of_outer = [](std::string_view inner) {
    return Names(Publish({}, Of({Set("in", Cat(", domains: [", inner, "]")), Set("out", ", includes: [in]")})),
                 kDomainSet)
        .back();
  };
  EXPECT_NE(name_of_outer("a.example"), name_of_outer("b.example"));
  EXPECT_EQ(name_of_outer("a.example"), name_of_outer("a.example"));
}

TEST(Publish, ALongListTravelsInParts) {
  const auto publish = [](int count) {
    auto set = std::make_shared<DomainSet>();
    set->set_name("long");
    for (int i = 0; i < count; ++i) set->add_domains(Cat("n", i, ".example"));
    auto body = std::make_shared<ResourceBody>();
    body->key = {kDomainSet, "long"};
    body->message = set;
    return Publish({}, Of({body}));
  };
  const Publication before = publish(100'000), after = publish(100'001);
  std::vector<std::string> names = Names(before, kDomainSet), changed;
  EXPECT_EQ(names.size(), 5u);
  int total = 0, whole = 0;
  for (const std::string& name : names) {
    const auto set = Published<DomainSet>(before, kDomainSet, name);
    EXPECT_LE(set.domains_size(), 50'000);
    total += set.domains_size();
    whole += set.includes_size() == 4 ? 1 : 0;
    if (after.Find(TypeUrl(kDomainSet), name) == nullptr) changed.push_back(name);
  }
  EXPECT_EQ(total, 100'000);
  EXPECT_EQ(whole, 1);
  EXPECT_EQ(changed.size(), 2u);  // the part with the new name, and the whole
}

TEST(Publish, SecretsOnlyWhereSomethingNeedsThem) {
  const BodyPtr used = BodyOf(kSecret, "{name: used, credential: {inline_string: 'a:b'}}");
  const BodyPtr unused = BodyOf(kSecret, "{name: unused, credential: {inline_string: 'c:d'}}");
  const BodyPtr parent = BodyOf(kUpstream, "{name: up, http_proxy: {address: 'a.example:1', credential: used}}");
  const BodyPtr listener = BodyOf(kListener,
                                  "{name: l, address: '127.0.0.1:1', filters: [http_connection: {filters: "
                                  "[{egress_policy: {policy: p}}, {forward_router: {upstream: up}}]}]}");
  const BodyPtr policy = BodyOf(kEgressPolicy, "{name: p}");
  const Publication all = Publish({}, Of({used, unused, parent, listener, policy}));
  EXPECT_EQ(Names(all, kSecret), std::vector<std::string>{"used"});
  EXPECT_EQ(Names(Publish({}, Of({used, parent, policy})), kSecret), std::vector<std::string>());
  EXPECT_EQ(Names(Publish(Of({listener}), Of({used, parent, policy})), kSecret), std::vector<std::string>{"used"});
  for (const auto& [name, carried] : *all.TypeOf(ExtensionConfigType().url)) EXPECT_FALSE(name.starts_with("Secret/"));
}

TEST(Publish, ABootstrapsListsKeepTheirNamesAsWell) {
  const Publication publication = Publish(Of({Policy("d")}), Of({Set("d", ", domains: [a.example]")}));
  EXPECT_EQ(Names(publication, kDomainSet).size(), 2u);
  EXPECT_EQ(Published<DomainSet>(publication, kDomainSet, "d").domains(0), "a.example");
}

TEST(Publish, AProxyReadsWhatIsCarried) {
  const Publication publication = Publish({}, Of({Policy("d"), Set("d", ", domains: [a.example]")}));
  const PublishedType* carried = publication.TypeOf(ExtensionConfigType().url);
  ASSERT_NE(carried, nullptr);
  EXPECT_EQ(carried->size(), 2u);
  for (const auto& [name, resource] : *carried) {
    const ReadResult read = ReadResource(ExtensionConfigType(), name, resource.version, resource.any, {});
    EXPECT_TRUE(read.errors.empty()) << ToString(read.errors);
    ASSERT_NE(read.body, nullptr);
    EXPECT_NE(publication.Find(TypeUrl(read.body->key.type), read.body->key.name), nullptr);
  }
}

}  // namespace
}  // namespace egret
