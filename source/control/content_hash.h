// Versions that are made of what they are versions of.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

namespace egret {

// The bytes that say a message: equal messages have equal ones.
std::string StableBytes(const google::protobuf::Message& message);

// 24 hexadecimal digits.
std::string ContentHash(std::string_view bytes);
// The same of something secret: versions are shown, and whoever sees one should not find a password by trying them all.
// Takes milliseconds.
std::string SecretHash(std::string_view bytes);

}  // namespace egret
