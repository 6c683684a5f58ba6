// What the kernel knows of this process, under the names that Prometheus' own libraries give it.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <vector>

namespace egret {

// `started_unix`: when the process began, in seconds since 1970.
std::vector<prometheus::MetricFamily> ProcessMetrics(int64_t started_unix);

}  // namespace egret
