#include "source/http/websocket.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/http/field_value.h"

namespace egret {
namespace {

constexpr std::string_view kKey = "Sec-WebSocket-Key";
constexpr std::string_view kAccept = "Sec-WebSocket-Accept";
constexpr std::string_view kAcceptSalt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
constexpr size_t kKeyBytes = 16;
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string Base64(std::span<const uint8_t> bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // with the NUL that OpenSSL writes
  const int size =
      EVP_EncodeBlock(reinterpret_cast<uint8_t*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

// The one value of a field; empty: none, or several.
std::string_view Only(const Head& head, std::string_view name) {
  std::string_view value;
  size_t count = 0;
  for (const Field& field : head.fields()) {
    if (!EqualsIgnoreCase(field.name, name)) continue;
    value = field.value;
    ++count;
  }
  return count == 1 ? value : std::string_view();
}

bool ConnectionNamesUpgrade(const Head& head) {
  return std::any_of(head.fields().begin(), head.fields().end(), [](const Field& field) {
    return field.known == static_cast<uint8_t>(FieldName::kConnection) && HasElement(field.value, "upgrade");
  });
}

}  // namespace

std::string MakeWebSocketKey() {
  std::array<uint8_t, kKeyBytes> bytes{};
  CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  return Base64(bytes);
}

std::string WebSocketAccept(std::string_view key) {
  const std::string salted = Cat(key, kAcceptSalt);
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CHECK(EVP_Digest(salted.data(), salted.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1);
  return Base64(std::span(digest).first(size));
}

void AddWebSocketOffer(Head& request) {
  request.Add(FieldName::kUpgrade, kWebSocket);
  if (request.protocol.empty()) return;
  request.Remove(kAccept);
  request.Set(kKey, MakeWebSocketKey());
}

std::string_view WebSocketKey(const Head& request) {
  constexpr std::string_view kPadding = "==";
  constexpr size_t kSize = 24;
  const std::string_view key = Only(request, kKey);
  if (key.size() != kSize || !key.ends_with(kPadding)) return {};
  const std::string_view digits = key.substr(0, kSize - kPadding.size());
  return digits.find_first_not_of(kBase64) == std::string_view::npos ? key : std::string_view();
}

bool MayExtendConnect(const Head& request) {
  return request.method == "GET" && request.Find(FieldName::kUpgrade) != nullptr && !WebSocketKey(request).empty();
}

Head MakeExtendedConnect(const Head& request) {
  Head connect;
  connect.method = "CONNECT";
  connect.protocol = kWebSocket;
  connect.form = TargetForm::kAbsolute;
  connect.scheme = connect.Keep(request.scheme);
  connect.authority = connect.Keep(request.authority);
  connect.path = connect.Keep(request.path);
  for (const Field& field : request.fields())
    if (field.known != static_cast<uint8_t>(FieldName::kUpgrade) && !EqualsIgnoreCase(field.name, kKey))
      connect.Add(field.name, field.value);
  return connect;
}

void MakeSwitch(Head& response, std::string_view key) {
  response.status = 101;
  response.Remove(FieldName::kContentLength);  // of no meaning in a 2xx to CONNECT (RFC 9110 9.3.6)
  response.Set(FieldName::kUpgrade, kWebSocket);
  response.Set(FieldName::kConnection, TextOf(FieldName::kUpgrade));
  response.Set(kAccept, WebSocketAccept(key));
}

bool AcceptsWebSocket(const Head& request, const Head& response) {
  if (!EqualsIgnoreCase(Only(response, TextOf(FieldName::kUpgrade)), kWebSocket)) return false;
  if (!ConnectionNamesUpgrade(response)) return false;
  const Field* const key = request.Find(kKey);
  return key == nullptr || Only(response, kAccept) == WebSocketAccept(key->value);
}

void TellOfWebSocket(const Head& request, Head& response) {
  if (request.protocol.empty()) return response.Add(FieldName::kUpgrade, kWebSocket);
  response.Remove(kAccept);
  response.status = 200;
  response.reason = {};
}

}  // namespace egret
