#include "source/http/accept.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr size_t kMostRanges = 32;  // what stands behind them does not count

bool EndsWithIgnoreCase(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && EqualsIgnoreCase(text.substr(text.size() - end.size()), end);
}

// How much a form is wanted: by weight, then by how exactly it is named, then by how early.
struct Wanted {
  int weight = -1;  // thousandths; -1: not named at all
  int exactness = -1;
  size_t place = 0;

  bool operator<(const Wanted& other) const {
    if (weight != other.weight) return weight < other.weight;
    if (exactness != other.exactness) return exactness < other.exactness;
    return place > other.place;
  }
};

// 0 where the form is not in the range; else how exactly it is named.
int Exactness(std::string_view range, TextForm form) {
  if (range == "*/*") return 1;
  switch (form) {
    case TextForm::kPlain:
      return EqualsIgnoreCase(range, "text/plain") ? 3 : EqualsIgnoreCase(range, "text/*") ? 2 : 0;
    case TextForm::kHtml:
      return EqualsIgnoreCase(range, "text/html") ? 3 : EqualsIgnoreCase(range, "text/*") ? 2 : 0;
    case TextForm::kJson:
      if (EqualsIgnoreCase(range, "application/*")) return 2;
      return EqualsIgnoreCase(range, "application/json") || EndsWithIgnoreCase(range, "+json") ? 3 : 0;
  }
  return 0;
}

// RFC 9110 12.4.2, in thousandths. What is no weight weighs nothing.
int Thousandths(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.')) return 0;
  int value = (text[0] - '0') * 1000;
  int worth = 100;
  for (size_t i = 2; i < std::min<size_t>(text.size(), 5); ++i, worth /= 10) {
    if (text[i] < '0' || text[i] > '9') return 0;
    value += (text[i] - '0') * worth;
  }
  return std::min(value, 1000);
}

int WeightOf(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view value = TrimOws(SplitFirst(parameters, ';'));
    const std::string_view name = TrimOws(SplitFirst(value, '='));
    if (EqualsIgnoreCase(name, "q")) return Thousandths(TrimOws(value));
  }
  return 1000;
}

// The greatest weight that the list gives to this very name; -1: it does not name it.
int WeightNamed(std::string_view list, std::string_view name) {
  int weight = -1;
  for (size_t place = 0; place < kMostRanges && !list.empty(); ++place) {
    std::string_view parameters = SplitFirst(list, ',');
    if (EqualsIgnoreCase(TrimOws(SplitFirst(parameters, ';')), name)) weight = std::max(weight, WeightOf(parameters));
  }
  return weight;
}

}  // namespace

TextForm AcceptedForm(std::string_view accept) {
  constexpr std::array kForms = {TextForm::kPlain, TextForm::kJson, TextForm::kHtml};
  std::array<Wanted, kForms.size()> wanted;
  for (size_t place = 0; place < kMostRanges && !accept.empty(); ++place) {
    std::string_view parameters = SplitFirst(accept, ',');
    const std::string_view range = TrimOws(SplitFirst(parameters, ';'));
    const int weight = WeightOf(parameters);
    for (size_t i = 0; i < kForms.size(); ++i) {
      const int exactness = Exactness(range, kForms[i]);
      // The most exact range says a form's weight (12.5.1).
      if (exactness > 0 && exactness > wanted[i].exactness) wanted[i] = {weight, exactness, place};
    }
  }
  const auto best = std::max_element(wanted.begin(), wanted.end());  // the first of equals
  return best->weight > 0 ? kForms[static_cast<size_t>(best - wanted.begin())] : TextForm::kPlain;
}

bool PrefersOpenMetrics(std::string_view accept) {
  const int weight = WeightNamed(accept, "application/openmetrics-text");
  return weight > 0 && weight >= WeightNamed(accept, "text/plain");
}

bool TakesGzip(std::string_view accept_encoding) {
  const int weight = WeightNamed(accept_encoding, "gzip");
  return weight > 0 || (weight < 0 && WeightNamed(accept_encoding, "*") > 0);
}

}  // namespace egret
