// The families of metrics as text for people and as JSON.
#pragma once

#include <prometheus/metric_family.h>
#include <re2/re2.h>

#include <string>
#include <vector>

namespace egret {

// `name{label="value"}: 12`, one a line; a histogram as its _count and _sum. `filter` (may be null) is looked for
// anywhere in the part before the colon.
std::string StatsText(const std::vector<prometheus::MetricFamily>& families, const re2::RE2* filter);

// {"stats":[{"name":..., "type":"counter", "labels":{...}, "value":12}, ...]}; a histogram has count, sum and buckets,
// [[upper bound or null, cumulative count], ...].
std::string StatsJson(const std::vector<prometheus::MetricFamily>& families, const re2::RE2* filter);

}  // namespace egret
