// The two text forms in which Prometheus and others read metrics.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <vector>

namespace egret {

struct MetricsText {
  std::string content_type;
  std::string text;
};

// OpenMetrics 1.0 where `accept`, an Accept field's value, prefers it; else Prometheus' text format 0.0.4. Counters are
// named ..._total, and no gauge is named like a counter without that.
MetricsText WriteMetrics(const std::vector<prometheus::MetricFamily>& families, std::string_view accept);

}  // namespace egret
