// What is kept of the words of others.
#pragma once

#include "egret/control/v1/rejection.pb.h"

namespace egret {

// Texts that are longer than anybody reads are cut.
void Shorten(control::v1::Rejection& rejection);

}  // namespace egret
