// Fingerprints of TLS clients, from what a ClientHello offers. Whoever sends one chooses it: they tell kinds of client
// apart, and prove nothing about who it is.
#pragma once

#include <string>

#include "source/tls/client_hello.h"
#include "source/tls/tls_facts.h"

namespace egret {

// JA3 before it is hashed: version, cipher suites, extensions, groups and point formats in the client's order, as
// decimal numbers, without GREASE. "769,47-53,0-10-11,23-24-25,0"; an empty list leaves its place empty.
std::string Ja3Text(const ClientHello& hello);

// Its MD5: 32 hex digits in lower case. Empty where the TLS library offers no MD5 (FIPS).
std::string Ja3(const ClientHello& hello);

// JA4 of a client over TCP (FoxIO's technical details of JA4, 2025): "t13d1516h2_8daaf6152771_e5627efa2ab1". The order
// of cipher suites and extensions does not count, nor which name is shown.
std::string Ja4(const ClientHello& hello);

// Both, and what was offered, for whoever asks. Two digests of SHA-256 and one of MD5.
HelloFacts HelloFactsOf(const ClientHello& hello);

}  // namespace egret
