// Stand-ins for resources that are named and not there, so that what names them can be judged alone.
#pragma once

#include "egret/config/v1/bootstrap.pb.h"

namespace egret {

// Adds to each list of resources one of every name that is referred to and not there, of the kind that is asked for. No
// check finds anything wrong with one, nor with what refers to it. What the process itself needs (`xds`) has to be
// there, so it gets none.
void AddStandIns(config::v1::Bootstrap& bootstrap);

}  // namespace egret
