#include "source/server/stats_text.h"

#include <cmath>
#include <cstdio>
#include <string_view>

#include "source/base/json.h"
#include "source/base/strings.h"

namespace egret {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string SeriesName(const MetricFamily& family, const ClientMetric& metric) {
  std::string name = family.name;
  if (metric.label.empty()) return name;
  char before = '{';
  for (const auto& label : metric.label) {
    Append(name, before, label.name, '=');
    AppendJsonString(name, label.value);
    before = ',';
  }
  return name += '}';
}

std::string NumberText(double value) {
  char text[40];
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    std::snprintf(text, sizeof text, "%.0f", value);
  } else {
    std::snprintf(text, sizeof text, "%.9g", value);
  }
  return text;
}

double ValueOf(const MetricFamily& family, const ClientMetric& metric) {
  return family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value;
}

template <class Visit>
void ForEachWanted(const std::vector<MetricFamily>& families, const re2::RE2* filter, Visit visit) {
  for (const MetricFamily& family : families)
    for (const ClientMetric& metric : family.metric) {
      const std::string name = SeriesName(family, metric);
      if (filter == nullptr || re2::RE2::PartialMatch(name, *filter)) visit(family, metric, name);
    }
}

void WriteHistogram(const prometheus::ClientMetric::Histogram& histogram, JsonWriter& out) {
  out.Member("count", histogram.sample_count);
  out.Key("sum");
  out.Raw(NumberText(histogram.sample_sum));
  out.Key("buckets");
  out.BeginArray();
  for (const auto& bucket : histogram.bucket) {
    out.BeginArray();
    out.Raw(std::isinf(bucket.upper_bound) ? "null" : NumberText(bucket.upper_bound));
    out.Number(bucket.cumulative_count);
    out.EndArray();
  }
  out.EndArray();
}

std::string_view TypeName(MetricType type) {
  return type == MetricType::Histogram ? "histogram" : type == MetricType::Counter ? "counter" : "gauge";
}

}  // namespace

std::string StatsText(const std::vector<MetricFamily>& families, const re2::RE2* filter) {
  std::string text;
  ForEachWanted(families, filter, [&](const MetricFamily& family, const ClientMetric& metric, const std::string& name) {
    if (family.type == MetricType::Histogram) {
      Append(text, name, "_count: ", metric.histogram.sample_count, '\n');
      Append(text, name, "_sum: ", NumberText(metric.histogram.sample_sum), '\n');
    } else {
      Append(text, name, ": ", NumberText(ValueOf(family, metric)), '\n');
    }
  });
  return text;
}

std::string StatsJson(const std::vector<MetricFamily>& families, const re2::RE2* filter) {
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Key("stats");
  out.BeginArray();
  ForEachWanted(families, filter, [&](const MetricFamily& family, const ClientMetric& metric, const std::string&) {
    out.BeginObject();
    out.Member("name", family.name);
    out.Member("type", TypeName(family.type));
    out.Key("labels");
    out.BeginObject();
    for (const auto& label : metric.label) out.Member(label.name, label.value);
    out.EndObject();
    if (family.type == MetricType::Histogram) {
      WriteHistogram(metric.histogram, out);
    } else {
      out.Key("value");
      out.Raw(NumberText(ValueOf(family, metric)));
    }
    out.EndObject();
  });
  out.EndArray();
  out.EndObject();
  return json += '\n';
}

}  // namespace egret
