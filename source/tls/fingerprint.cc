#include "source/tls/fingerprint.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr uint16_t kServerName = 0;
constexpr uint16_t kAlpn = 16;
constexpr uint16_t kSupportedVersions = 43;
constexpr size_t kHashDigits = 12;    // of SHA-256, that JA4 keeps
constexpr size_t kMostOffered = 256;  // bytes of a list that a client made, in a log line
constexpr std::string_view kHex = "0123456789abcdef";

void AppendHex(std::string& out, uint8_t byte) {
  out += kHex[byte >> 4];
  out += kHex[byte & 15u];
}

// In hex; empty where the library does not have it.
std::string Digest(const EVP_MD* kind, std::string_view text) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  std::string out;
  if (EVP_Digest(text.data(), text.size(), bytes, &size, kind, nullptr) != 1) return out;
  for (unsigned i = 0; i < size; ++i) AppendHex(out, bytes[i]);
  return out;
}

template <class Number>
void AppendDecimals(std::string& out, const std::vector<Number>& numbers) {
  for (size_t i = 0; i < numbers.size(); ++i) Append(out, i == 0 ? "" : "-", numbers[i]);
}

std::string HexList(const std::vector<uint16_t>& numbers) {
  std::string out;
  for (const uint16_t number : numbers) {
    if (!out.empty()) out += ',';
    AppendHex(out, static_cast<uint8_t>(number >> 8));
    AppendHex(out, static_cast<uint8_t>(number));
  }
  return out;
}

bool Offers(const ClientHello& hello, uint16_t extension) {
  return std::find(hello.extensions.begin(), hello.extensions.end(), extension) != hello.extensions.end();
}

std::string_view VersionOf(const ClientHello& hello) {
  uint16_t version = hello.legacy_version;
  if (Offers(hello, kSupportedVersions))
    version = hello.versions.empty() ? 0 : *std::max_element(hello.versions.begin(), hello.versions.end());
  switch (version) {
    case 0x0304:
      return "13";
    case 0x0303:
      return "12";
    case 0x0302:
      return "11";
    case 0x0301:
      return "10";
    case 0x0300:
      return "s3";
    default:
      return "00";
  }
}

void AppendCount(std::string& out, size_t count) {
  const size_t told = std::min<size_t>(count, 99);
  Append(out, told / 10, told % 10);
}

bool IsAlphanumeric(char c) { return IsAsciiDigit(c) || IsAsciiLetter(c); }

// The ends of the first protocol, or those of its hex digits where one of them is no letter or digit.
void AppendAlpn(std::string& out, const std::vector<std::string>& alpn) {
  if (alpn.empty()) {
    out += "00";
    return;
  }
  const char first = alpn.front().front(), last = alpn.front().back();
  const bool plain = IsAlphanumeric(first) && IsAlphanumeric(last);
  out += plain ? first : kHex[static_cast<uint8_t>(first) >> 4];
  out += plain ? last : kHex[static_cast<uint8_t>(last) & 15u];
}

// What there is nothing of is not hashed.
void AppendHash(std::string& out, std::string_view text) {
  const std::string hash = text.empty() ? std::string(kHashDigits, '0') : Digest(EVP_sha256(), text);
  Append(out, '_', std::string_view(hash).substr(0, kHashDigits));
}

std::string ExtensionsAndAlgorithms(const ClientHello& hello) {
  std::vector<uint16_t> extensions = hello.extensions;
  std::erase_if(extensions, [](uint16_t type) { return type == kServerName || type == kAlpn; });
  std::sort(extensions.begin(), extensions.end());
  std::string out = HexList(extensions);
  if (!hello.signature_algorithms.empty()) Append(out, '_', HexList(hello.signature_algorithms));
  return out;
}

std::string VersionsOffered(const ClientHello& hello) {
  std::vector<uint16_t> versions = hello.versions;
  if (versions.empty()) versions.push_back(hello.legacy_version);
  std::string out;
  for (const uint16_t version : versions) {
    if (!out.empty()) out += ',';
    if (version == 0x0304 || version == 0x0303 || version == 0x0302) {
      Append(out, "TLSv1.", (version & 15) - 1);
    } else {
      out += version == 0x0301 ? "TLSv1" : HexList({version});
    }
  }
  return out.substr(0, kMostOffered);
}

std::string AlpnOffered(const ClientHello& hello) {
  std::string out;
  for (const std::string& protocol : hello.alpn) Append(out, out.empty() ? "" : ",", protocol);
  return out.substr(0, kMostOffered);
}

}  // namespace

std::string Ja3Text(const ClientHello& hello) {
  std::string out = Cat(hello.legacy_version, ',');
  AppendDecimals(out, hello.cipher_suites);
  out += ',';
  AppendDecimals(out, hello.extensions);
  out += ',';
  AppendDecimals(out, hello.groups);
  out += ',';
  AppendDecimals(out, hello.ec_point_formats);
  return out;
}

std::string Ja3(const ClientHello& hello) { return Digest(EVP_md5(), Ja3Text(hello)); }

std::string Ja4(const ClientHello& hello) {
  std::string out = Cat('t', VersionOf(hello), Offers(hello, kServerName) ? 'd' : 'i');
  AppendCount(out, hello.cipher_suites.size());
  AppendCount(out, hello.extensions.size());
  AppendAlpn(out, hello.alpn);
  std::vector<uint16_t> ciphers = hello.cipher_suites;
  std::sort(ciphers.begin(), ciphers.end());
  AppendHash(out, HexList(ciphers));
  AppendHash(out, ExtensionsAndAlgorithms(hello));
  return out;
}

HelloFacts HelloFactsOf(const ClientHello& hello) {
  return {Ja3(hello), Ja4(hello), VersionsOffered(hello), AlpnOffered(hello)};
}

}  // namespace egret
