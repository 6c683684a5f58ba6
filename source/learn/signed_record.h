// A record that is signed: a DSSE envelope (v1) around the statement, of one signature by a key in a PEM file (Ed25519,
// or ECDSA or RSA with SHA-256).
#pragma once

#include <string>
#include <string_view>

#include "source/base/result.h"

namespace egret {

// `key`: a private key in PEM, not encrypted. One line of JSON. The problem never tells of the key.
Result<std::string, Problem> SignStatement(std::string_view statement, std::string_view key_pem);

// The statement within an envelope that has a signature of that public key (PEM), or why it is not believed.
Result<std::string, Problem> VerifiedStatement(std::string_view text, std::string_view public_key_pem);

// The statement within an envelope, whoever signed it; what is no envelope is given as it is.
Result<std::string, Problem> StatementIn(std::string_view text);

}  // namespace egret
