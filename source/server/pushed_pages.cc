#include "source/server/pushed_pages.h"

#include "source/base/check.h"
#include "source/base/json.h"
#include "source/base/strings.h"

namespace egret {
namespace {

void WriteErrors(const std::vector<ConfigError>& errors, JsonWriter& out) {
  out.BeginArray();
  for (const ConfigError& error : errors) out.String(error.ToString());
  out.EndArray();
}

}  // namespace

void WriteResource(const ResourceStatus& resource, std::string_view type, JsonWriter& out) {
  out.BeginObject();
  out.Member("type", type);
  out.Member("name", resource.name);
  out.Member("state", NameOf(resource.state));
  out.MemberIf("version_received", resource.version_received);
  out.MemberIf("version_in_force", resource.version_in_force);
  if (!resource.errors.empty()) {
    out.Key("errors");
    WriteErrors(resource.errors, out);
  }
  out.EndObject();
}

void WritePushState(const PushStatus& pushed, JsonWriter& out) {
  out.Member("source", NameOf(pushed.source));
  out.Member("settled", pushed.settled);
  out.Member("connected", pushed.connected);
  out.MemberIf("server", pushed.server);
  out.MemberIf("control_plane", pushed.control_plane);
  out.MemberIf("last_error", pushed.last_error);
  out.Key("errors");
  WriteErrors(pushed.errors, out);
  out.Key("directory_errors");
  WriteErrors(pushed.directory_errors, out);
}

namespace {

void Write(const PushStatus& pushed, JsonWriter& out) {
  out.BeginObject();
  WritePushState(pushed, out);
  out.Key("resources");
  out.BeginArray();
  for (const ResourceStatus& resource : pushed.resources) WriteResource(resource, resource.type_url, out);
  out.EndArray();
  out.EndObject();
}

}  // namespace

std::string WaitsFor(const PushStatus& pushed) {
  std::string text;
  if (!pushed.settled) text += "waits for the first set of resources\n";
  for (const ResourceStatus& resource : pushed.resources)
    if (resource.state == ResourceState::kMissing || resource.state == ResourceState::kWarming)
      Append(text, NameOf(resource.state), ": ", resource.type_url.substr(resource.type_url.rfind('.') + 1), " ",
             resource.name, '\n');
  if (!pushed.last_error.empty()) Append(text, pushed.last_error, '\n');
  return text;
}

void AddPushed(const PushStatus& pushed, std::string& json) {
  const size_t end = json.rfind('}');
  CHECK(end != std::string::npos);
  std::string member;
  JsonWriter out(member);
  Write(pushed, out);
  const bool first = json.find_first_not_of(" \n\t", json.find('{') + 1) == end;
  json.resize(json.find_last_not_of(" \n\t", end - 1) + 1);
  Append(json, first ? "" : ",", "\n \"pushed\": ", member, "\n}");
}

}  // namespace egret
