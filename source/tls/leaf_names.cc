#include "source/tls/leaf_names.h"

#include <libpsl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/tls/certificates.h"

namespace egret {
namespace {

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;

bool IsLabel(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsAsciiDigit(c) || c == '-' || c == '_';
         });
}

bool IsHostName(std::string_view name) {
  if (name.empty() || name.size() > 253 || name.back() == '.') return false;
  std::string_view last;
  for (std::string_view rest = name; !rest.empty();) {
    last = SplitFirst(rest, '.');
    if (!IsLabel(last)) return false;
  }
  // The last label of an address in any spelling is a number, and that of a name never is (RFC 1123 2.1).
  return !std::all_of(last.begin(), last.end(), IsAsciiDigit) && !ToLower(last).starts_with("0x");
}

// A top-level name that the list does not know counts too.
bool IsPublicSuffix(const std::string& lower) { return psl_is_public_suffix(psl_builtin(), lower.c_str()) != 0; }

std::string_view BytesOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

std::optional<IpAddress> AddressOf(std::string_view bytes) {
  std::array<uint8_t, 16> all = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), all.end() - static_cast<ptrdiff_t>(bytes.size()));
  return IpAddress::V6(all);  // which makes an IPv4 address of a mapped one
}

std::optional<LeafName> NameOf(const GENERAL_NAME* name) {
  if (name->type == GEN_IPADD) {
    const std::optional<IpAddress> address = AddressOf(BytesOf(name->d.iPAddress));
    if (address) return *address;
  }
  if (name->type == GEN_DNS && IsLeafDnsName(BytesOf(name->d.dNSName))) return ToLower(BytesOf(name->d.dNSName));
  return std::nullopt;
}

GENERAL_NAME* Encode(const LeafName& name) {
  GENERAL_NAME* const out = GENERAL_NAME_new();
  CHECK(out != nullptr);
  const auto set = [out](int kind, ASN1_STRING* value, const void* bytes, size_t size) {
    CHECK(value != nullptr && ASN1_STRING_set(value, bytes, static_cast<int>(size)) == 1);
    GENERAL_NAME_set0_value(out, kind, value);
  };
  if (const std::string* const dns = std::get_if<std::string>(&name)) {
    set(GEN_DNS, ASN1_IA5STRING_new(), dns->data(), dns->size());
  } else {
    const IpAddress& address = std::get<IpAddress>(name);
    const size_t skip = address.v4() ? 12 : 0;
    set(GEN_IPADD, ASN1_OCTET_STRING_new(), address.bytes().data() + skip, 16 - skip);
  }
  return out;
}

size_t SizeOf(const LeafName& name) {
  const std::string* const dns = std::get_if<std::string>(&name);
  return dns != nullptr ? dns->size() : 16;
}

}  // namespace

std::string TextOf(const LeafName& name) {
  const std::string* const dns = std::get_if<std::string>(&name);
  return dns != nullptr ? *dns : std::get<IpAddress>(name).ToString();
}

bool IsLeafDnsName(std::string_view name) {
  if (!name.starts_with("*.")) return IsHostName(name);
  const std::string parent = ToLower(name.substr(2));
  return name.size() <= 253 && IsHostName(parent) && !IsPublicSuffix(parent);
}

std::vector<LeafName> NamesForLeaf(std::string_view target, const X509* origin) {
  std::vector<LeafName> names;
  const std::optional<IpAddress> literal = IpAddress::Parse(target);
  names.push_back(literal ? LeafName(*literal) : LeafName(ToLower(target)));
  if (origin == nullptr) return names;
  const GeneralNamesPtr theirs(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(origin, NID_subject_alt_name, nullptr, nullptr)));
  size_t bytes = SizeOf(names.front());
  const int count = theirs != nullptr ? sk_GENERAL_NAME_num(theirs.get()) : 0;
  for (int i = 0; i < count && names.size() < kMostLeafNames; ++i) {
    std::optional<LeafName> name = NameOf(sk_GENERAL_NAME_value(theirs.get(), i));
    if (!name || bytes + SizeOf(*name) > kMostLeafNameBytes || std::ranges::find(names, *name) != names.end()) continue;
    bytes += SizeOf(*name);
    names.push_back(std::move(*name));
  }
  return names;
}

void PutAltNames(X509* certificate, std::span<const LeafName> names, bool critical) {
  const GeneralNamesPtr all(GENERAL_NAMES_new());
  for (const LeafName& name : names) CHECK(sk_GENERAL_NAME_push(all.get(), Encode(name)) > 0);
  CHECK(X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1);
}

}  // namespace egret
