// The names for which a leaf is minted: the one that the client asked for, and those that the origin's certificate
// bears, so that a client that looks closer finds what it would have found there. What an origin wrote is not to be
// trusted with anything: only names that are well-formed are taken over, and not without end.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "source/base/ip.h"

namespace egret {

using LeafName = std::variant<std::string, IpAddress>;  // a DNS name in lower case, or an address

std::string TextOf(const LeafName& name);

constexpr size_t kMostLeafNames = 100;
constexpr size_t kMostLeafNameBytes = size_t{16} << 10;

// `target`: a canonical name or an address literal without brackets; it comes first, whatever the origin says.
// `origin`: its leaf, or null. Names that repeat, have a byte other than of a host name in them (a NUL hides what
// follows it from many a reader: CVE-2009-2408), are of another kind, or are wildcards for more than one organisation
// are left out.
std::vector<LeafName> NamesForLeaf(std::string_view target, const X509* origin);

// Writes them into a certificate that has none yet. Critical where its subject is empty (RFC 5280 4.2.1.6).
void PutAltNames(X509* certificate, std::span<const LeafName> names, bool critical);

// Whether a certificate may bear this DNS name: labels of 1 to 63 letters, digits, '-' and '_', 253 bytes in all. "*"
// only as the whole of the first label (RFC 6125 6.4.3), and never below a public suffix: "*.com", "*.github.io".
bool IsLeafDnsName(std::string_view name);

}  // namespace egret
