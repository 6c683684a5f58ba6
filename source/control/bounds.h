// What is kept of the words of others.
#pragma once

#include <google/protobuf/message.h>

namespace egret {

// Texts in it that are longer than anybody reads are cut, and of lists of messages only the first are left.
void Shorten(google::protobuf::Message& message);

}  // namespace egret
