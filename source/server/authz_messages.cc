#include "source/server/authz_messages.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "source/base/strings.h"

namespace egret {
namespace {

using envoy::config::core::v3::HeaderValueOption;
using envoy::service::auth::v3::AttributeContext;
using envoy::service::auth::v3::CheckRequest;
using envoy::service::auth::v3::CheckResponse;
using How = AuthzField::How;
using Options = google::protobuf::RepeatedPtrField<HeaderValueOption>;

std::string Ascii(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return out;
}

void Put(std::string_view address, uint16_t port, AttributeContext::Peer& peer) {
  auto& socket = *peer.mutable_address()->mutable_socket_address();
  socket.set_address(Ascii(address));
  socket.set_port_value(port);
}

void PutHttp(const AuthzQuestion& question, AttributeContext::HttpRequest& http) {
  http.set_id(Ascii(question.id));
  http.set_method(Ascii(question.method));
  http.set_path(Ascii(question.path));
  http.set_host(Ascii(question.host));
  http.set_scheme(Ascii(question.scheme));
  http.set_protocol(Ascii(question.protocol));
  http.set_size(question.size);
  for (const Field& field : question.fields) {
    const auto [at, is_new] = http.mutable_headers()->try_emplace(Ascii(ToLower(field.name)), Ascii(field.value));
    if (!is_new) Append(at->second, ", ", Ascii(field.value));
  }
}

// `plain`: what is meant where neither `append` nor an action is given; an action's default cannot be told from none.
How HowOf(const HeaderValueOption& option, How plain) {
  if (option.has_append()) return option.append().value() ? How::kAppend : How::kSet;
  switch (option.append_action()) {
    case HeaderValueOption::ADD_IF_ABSENT:
      return How::kAddIfAbsent;
    case HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD:
      return How::kSet;
    case HeaderValueOption::OVERWRITE_IF_EXISTS:
      return How::kSetIfPresent;
    default:
      return plain;
  }
}

void Read(const Options& options, How plain, std::vector<AuthzField>& out) {
  for (const HeaderValueOption& option : options) {
    const auto& header = option.header();
    out.push_back({HowOf(option, plain), header.key(), header.value().empty() ? header.raw_value() : header.value()});
  }
}

}  // namespace

void Put(const AuthzQuestion& question, CheckRequest& request) {
  constexpr uint64_t kUsPerSecond = 1'000'000;
  AttributeContext& attributes = *request.mutable_attributes();
  Put(question.source.address.ToString(), question.source.port, *attributes.mutable_source());
  attributes.mutable_source()->set_principal(Ascii(question.principal));
  Put(question.destination, question.destination_port, *attributes.mutable_destination());
  auto& time = *attributes.mutable_request()->mutable_time();
  time.set_seconds(static_cast<int64_t>(question.started_unix_us / kUsPerSecond));
  time.set_nanos(static_cast<int32_t>(question.started_unix_us % kUsPerSecond * 1000));
  PutHttp(question, *attributes.mutable_request()->mutable_http());
  for (const AuthzExtension& extension : question.extensions)
    (*attributes.mutable_context_extensions())[extension.key] = extension.value;
}

AuthzAnswer AnswerOf(const CheckResponse& response) {
  AuthzAnswer answer;
  if (response.status().code() != 0) {
    answer.verdict = AuthzAnswer::Verdict::kDenied;
    const auto& denied = response.denied_response();
    if (denied.status().code() != 0) answer.status = denied.status().code();
    Read(denied.headers(), How::kSet, answer.response);
    answer.body = denied.body();
    return answer;
  }
  answer.verdict = AuthzAnswer::Verdict::kAllowed;
  const auto& ok = response.ok_response();
  Read(ok.headers(), How::kSet, answer.request);
  for (const std::string& name : ok.headers_to_remove()) answer.request.push_back({How::kRemove, name, {}});
  Read(ok.response_headers_to_add(), How::kAppend, answer.response);
  return answer;
}

}  // namespace egret
