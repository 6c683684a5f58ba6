#include "source/server/metrics_text.h"

#include <prometheus/text_serializer.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "source/base/strings.h"
#include "source/http/accept.h"

namespace egret {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kTotal = "_total";

std::string_view TypeName(MetricType type) {
  return type == MetricType::Histogram ? "histogram" : type == MetricType::Counter ? "counter" : "gauge";
}

void AppendEscaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

// As short as it can be and still be that number; "0.5", "1e+30", "12".
std::string Number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[40];
  for (int digits = 15; digits <= 17; digits += 2) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::strtod(text, nullptr) == value) break;
  }
  return text;
}

// The bound of a bucket is a label, and written one way only: a whole number with its ".0".
std::string Bound(double value) {
  std::string text = Number(value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

class OpenMetricsWriter {
 public:
  void Add(const MetricFamily& family) {
    const bool counter = family.type == MetricType::Counter;
    name_ = family.name;
    if (counter && name_.ends_with(kTotal)) name_.remove_suffix(kTotal.size());
    Append(out_, "# TYPE ", name_, ' ', TypeName(family.type), "\n# HELP ", name_, ' ');
    AppendEscaped(out_, family.help);
    out_ += '\n';
    for (const ClientMetric& metric : family.metric) {
      if (family.type == MetricType::Histogram) {
        AddHistogram(metric);
      } else {
        Sample(metric, counter ? kTotal : "", "", counter ? metric.counter.value : metric.gauge.value);
      }
    }
  }
  std::string Take() {
    out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  void AddHistogram(const ClientMetric& metric) {
    for (const auto& bucket : metric.histogram.bucket)
      Sample(metric, "_bucket", Bound(bucket.upper_bound), static_cast<double>(bucket.cumulative_count));
    Sample(metric, "_count", "", static_cast<double>(metric.histogram.sample_count));
    Sample(metric, "_sum", "", metric.histogram.sample_sum);
  }
  // `bound`: of a bucket; else empty.
  void Sample(const ClientMetric& metric, std::string_view suffix, std::string_view bound, double value) {
    Append(out_, name_, suffix);
    char before = '{';
    const auto label = [&](std::string_view name, std::string_view text) {
      Append(out_, before, name, "=\"");
      AppendEscaped(out_, text);
      out_ += '"';
      before = ',';
    };
    for (const auto& one : metric.label) label(one.name, one.value);
    if (!bound.empty()) label("le", bound);
    if (before == ',') out_ += '}';
    Append(out_, ' ', Number(value), '\n');
  }

  std::string_view name_;  // of the family that is being written
  std::string out_;
};

}  // namespace

MetricsText WriteMetrics(const std::vector<MetricFamily>& families, std::string_view accept) {
  if (!PrefersOpenMetrics(accept))
    return {"text/plain; version=0.0.4; charset=utf-8", prometheus::TextSerializer().Serialize(families)};
  OpenMetricsWriter out;
  for (const MetricFamily& family : families) out.Add(family);
  return {"application/openmetrics-text; version=1.0.0; charset=utf-8", out.Take()};
}

}  // namespace egret
