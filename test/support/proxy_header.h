// PROXY headers of version 2, byte by byte.
#pragma once

#include <string>
#include <string_view>

namespace egret {

// `command`: 0x20 LOCAL, 0x21 PROXY. `kind`: 0x11 TCP over IPv4, 0x21 over IPv6.
inline std::string ProxyV2(unsigned char command, unsigned char kind, std::string_view follows) {
  std::string out("\r\n\r\n\0\r\nQUIT\n", 12);
  for (const size_t byte : {size_t{command}, size_t{kind}, follows.size() >> 8, follows.size() & 255})
    out += static_cast<char>(byte);
  return out.append(follows);
}

// 192.0.2.1:4660 to 198.51.100.2:443
inline std::string TcpOver4() { return {"\xc0\x00\x02\x01\xc6\x33\x64\x02\x12\x34\x01\xbb", 12}; }

// [2001:db8::1]:4660 to [2001:db8::2]:443
inline std::string TcpOver6() {
  const std::string net("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0", 15);
  return net + '\1' + net + '\2' + std::string("\x12\x34\x01\xbb", 4);
}

}  // namespace egret
