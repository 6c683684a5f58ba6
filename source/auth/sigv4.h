// AWS Signature Version 4 for requests that Egret signs in a client's place: with a key that the client does not have.
// The rules are those of "Signature Calculations for the Authorization Header" (Amazon S3 API Reference): a path is
// encoded once and not normalised. Pure functions; nothing of a secret outlives a call but what it returns.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "source/base/field.h"
#include "source/http/head.h"

namespace egret {

// All of them are slices of text that the caller owns, and wipes.
struct AwsCredential {
  std::string_view access_key_id, secret_key;
  std::string_view session_token;  // empty: the key is a lasting one
};

// "ACCESS_KEY_ID:SECRET_KEY" or "ACCESS_KEY_ID:SECRET_KEY:SESSION_TOKEN", each of visible ASCII. Slices of `text`.
std::optional<AwsCredential> ParseAwsCredential(std::string_view text);

// For where a signature holds; a key for one day is derived from it.
struct AwsScope {
  std::string_view region, service;  // "us-east-1", "s3"
};

// What a client's own Authorization says. Slices of `value`.
struct AwsAuthorization {
  std::string_view access_key_id, date;  // YYYYMMDD
  AwsScope scope;
};
// Nullopt: another scheme, or not what the scheme prescribes. The signature itself is not judged.
std::optional<AwsAuthorization> ParseAwsAuthorization(std::string_view value);

enum class AwsRefusal : uint8_t {
  kNone,
  kPresigned,     // the query says who signed (X-Amz-Signature and the like); it would stand beside ours
  kSignedChunks,  // the content carries signatures that were made with the client's key
  kContentHash,   // x-amz-content-sha256 is there more than once, or says nothing that is known
};
// A sentence for an operator, with the remedy.
std::string_view TextOf(AwsRefusal refusal);

// Takes a client's Authorization, X-Amz-Date and X-Amz-Security-Token away, and puts ours in their place.
// X-Amz-Content-Sha256 stays, or says UNSIGNED-PAYLOAD. Signed are Host, which is `host` as it will be sent, X-Amz-*,
// Content-Type, Content-MD5, Date and Range, which nobody may change after this. Refused, the head is as it was.
AwsRefusal SignForAws(Head& head, std::string_view host, const AwsCredential& credential, const AwsScope& scope,
                      time_t now);

// The parts of it.
struct AwsRequest {
  std::string_view method;
  std::string_view target;        // path and query as they will be sent
  std::span<const Field> fields;  // all of them are signed, in any order; Host is among them
  std::string_view content_hash;  // in hexadecimal, or what stands for it
  time_t now = 0;
};
std::string CanonicalAwsRequest(const AwsRequest& request);
// The value of Authorization.
std::string AwsAuthorizationOf(const AwsRequest& request, const AwsCredential& credential, const AwsScope& scope);
// YYYYMMDD'T'HHMMSS'Z'
std::string AwsDate(time_t now);

}  // namespace egret
