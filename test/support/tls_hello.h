// A ClientHello as small as one may be, for tests that only need its name.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace egret {

namespace tls_hello_internal {

inline std::string Number(size_t n, int bytes) {
  std::string out;
  while (bytes-- > 0) out += static_cast<char>(n >> (8 * bytes) & 0xff);
  return out;
}
// A vector behind its length (RFC 8446 3.4).
inline std::string Vector(int length_bytes, const std::string& content) {
  return Number(content.size(), length_bytes) + content;
}
inline std::string Extension(size_t type, const std::string& content) { return Number(type, 2) + Vector(2, content); }

}  // namespace tls_hello_internal

// One record. An empty name: no server_name. `alpn`: one protocol, or none.
inline std::string TlsHello(std::string_view name, std::string_view alpn = {}) {
  using namespace tls_hello_internal;
  std::string extensions = Extension(43, Vector(1, Number(0x0304, 2)));  // supported_versions
  if (!name.empty()) extensions += Extension(0, Vector(2, Number(0, 1) + Vector(2, std::string(name))));
  if (!alpn.empty()) extensions += Extension(16, Vector(2, Vector(1, std::string(alpn))));
  const std::string body = Number(0x0303, 2) + std::string(32, 'r') + Vector(1, std::string(32, 's')) +
                           Vector(2, Number(0x1301, 2)) + Vector(1, std::string(1, '\0')) + Vector(2, extensions);
  return Number(0x160301, 3) + Vector(2, Number(1, 1) + Vector(3, body));
}

}  // namespace egret
