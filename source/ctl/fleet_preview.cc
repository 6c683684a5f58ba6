#include "source/ctl/fleet_preview.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "source/base/json.h"
#include "source/base/strings.h"
#include "source/ctl/admin_client.h"
#include "source/ctl/changes.h"
#include "source/ctl/news_streams.h"
#include "source/ctl/table.h"
#include "source/xds/told_change.h"

namespace egret {
namespace {

using control::v1::PreviewNews;
using control::v1::PreviewRequest;
using control::v1::Rejection;

constexpr std::chrono::milliseconds kLookEvery{100};  // whether Ctrl-C was pressed

template <class Resource>
void Add(const google::protobuf::RepeatedPtrField<Resource>& resources, PreviewRequest& request) {
  for (const Resource& resource : resources) request.add_resources()->PackFrom(resource);
}

PreviewRequest RequestOf(const Given& given, const CandidateFolder& folder, int64_t for_seconds) {
  PreviewRequest request;
  request.set_group(given.Get("--group"));
  request.set_proxy(given.Get("--proxy"));
  Add(folder.resources.policies(), request);
  Add(folder.resources.domain_sets(), request);
  request.mutable_duration()->set_seconds(for_seconds);
  return request;
}

ConfigError ErrorOf(const Rejection& rejection) {
  return {
      .field = rejection.field(), .value = rejection.value(), .why = rejection.reason(), .remedy = rejection.remedy()};
}

// What all control planes have told so far.
class Watch {
 public:
  Watch(const Given& given, const CandidateFolder& folder, Output& output)
      : json_(given.Get("--output") == "json"), folder_(folder), output_(output) {}

  int Run(NewsStreams<PreviewNews>& streams) {
    size_t open = streams.size();
    while (open > 0 && !Interrupted()) {
      const auto item = streams.Next(kLookEvery);
      if (!item) continue;
      if (item->news) {
        Take(item->from, *item->news);
      } else {
        --open;
        Ended(item->from, item->end, item->text);
      }
      if (!output_.Flush()) return kRefused;
    }
    return Close();
  }

 private:
  void Take(size_t from, const PreviewNews& news) {
    if (!news.refused().empty()) return TellRefused(news);
    for (const auto& told : news.changes()) Take(ChangeOf(told), CountOf(told));
    for (const auto& refusal : news.refusals())
      for (const Rejection& error : refusal.errors())
        Complain(Cat(refusal.proxy(), " does not preview it: ", ErrorOf(error).ToString()));
    last_[from] = news;
    if (json_) AppendTotals("so_far");
  }

  void Take(const PolicyChange& change, const ChangeCount& count) {
    if (json_) {
      JsonWriter out(output_.out);
      out.BeginObject();
      out.Member("event", "change");
      WriteChange(change, count, out);
      out.EndObject();
      output_.out += '\n';
    } else if (!table_.rows().contains(change)) {
      output_.out += ChangeLine(change, count);
    }
    table_.Add(change, count);
  }

  // The same candidate is refused by each replica.
  void TellRefused(const PreviewNews& news) {
    if (std::exchange(refused_, true)) return;
    std::vector<ConfigError> errors;
    for (const Rejection& rejection : news.refused())
      errors.push_back(folder_.PlaceOf(rejection.type_url(), rejection.name(), ErrorOf(rejection)));
    SortByPlace(errors);
    output_.err += ToString(errors);
  }

  void Ended(size_t from, const grpc::Status& end, const std::string& text) {
    if (end.ok()) {
      if (!refused_ && last_.contains(from) && last_[from].told() > 0 && !last_[from].over()) early_ = true;
      return;
    }
    Complain(text);
    const bool answered = end.error_code() != grpc::StatusCode::UNAVAILABLE;
    (answered ? refused_ : unreached_) = true;
  }

  int Close() {
    if (refused_) return kRefused;
    const ChangeTotals totals = Totals();
    if (last_.empty()) return kNotReached;
    if (told_ == 0) {
      Complain("no proxy of that name reports there");
      return unreached_ ? kNotReached : kRefused;
    }
    if (json_)
      AppendTotals("end");
    else
      output_.out += ChangesSummary(table_.rows(), totals);
    if (early_ && !Interrupted()) Complain("the proxies ended it before the time was over");
    if ((early_ || unreached_) && !Interrupted()) return kNotReached;
    return table_.rows().empty() && totals.overflow == 0 ? kDone : kWouldChange;
  }

  ChangeTotals Totals() {
    ChangeTotals totals{.overflow = table_.overflow()};
    told_ = ended_ = 0;
    for (const auto& [from, news] : last_) {
      totals.decisions += news.decisions();
      totals.skipped += news.skipped();
      totals.overflow += news.overflow();
      told_ += news.told();
      ended_ += news.ended();
    }
    return totals;
  }

  void AppendTotals(std::string_view event) {
    const ChangeTotals totals = Totals();
    Append(output_.out, "{\"event\":\"", event, "\",\"proxies\":", told_, ",\"ended\":", ended_,
           ",\"decisions\":", totals.decisions, ",\"skipped\":", totals.skipped, ",\"overflow\":", totals.overflow,
           "}\n");
  }

  void Complain(std::string_view text) { Append(output_.err, "egretctl preview: ", OneLine(text), "\n"); }

  const bool json_;
  const CandidateFolder& folder_;
  Output& output_;
  ChangeTable table_;
  std::map<size_t, PreviewNews> last_;  // by control plane: what it said last
  uint64_t told_ = 0, ended_ = 0;
  bool refused_ = false, unreached_ = false, early_ = false;
};

}  // namespace

int PreviewGroup(const Given& given, const CandidateFolder& folder, int64_t for_seconds, Output& output) {
  const PreviewRequest request = RequestOf(given, folder, for_seconds);
  EndReadingAtInterrupt();
  NewsStreams<PreviewNews> streams(given, [&request](control::v1::Control::Stub& stub, grpc::ClientContext& context) {
    return stub.Preview(&context, request);
  });
  return Watch(given, folder, output).Run(streams);
}

}  // namespace egret
