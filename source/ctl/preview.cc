#include "source/ctl/preview.h"

#include <optional>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/chain/change_table.h"
#include "source/config/canonical.h"
#include "source/config/error.h"
#include "source/config/json_parser.h"
#include "source/config/scalar.h"
#include "source/ctl/candidate_folder.h"
#include "source/ctl/changes.h"
#include "source/ctl/fleet_preview.h"
#include "source/ctl/json_node.h"

namespace egret {
namespace {

int64_t NumberOf(const Node& object, std::string_view key) {
  const auto number = ParseDecimal<uint64_t>(TextOf(object, key));
  return static_cast<int64_t>(number.value_or(0));
}

PolicyChange::Side SideOf(const Node& side) {
  return {TextOf(side, "verdict"), TextOf(side, "policy"), TextOf(side, "rule")};
}

PolicyChange ChangeOf(const Node& line) {
  return {TextOf(line, "who"),   TextOf(line, "target"),         TextOf(line, "method"),
          TextOf(line, "stage"), SideOf(MemberOf(line, "live")), SideOf(MemberOf(line, "candidate"))};
}

ChangeCount CountOf(const Node& line) {
  return {static_cast<uint64_t>(NumberOf(line, "count")), NumberOf(line, "first_unix"), NumberOf(line, "last_unix")};
}

std::string ForOf(const Given& given) { return given.Get("--for", "10m"); }

int TellRefusal(AdminCall& call, const CandidateFolder& folder, Output& output) {
  const auto answer = call.Rest();
  const Tree tree = answer ? ParseJson(*answer, "") : Tree();
  if (!tree.root || !tree.root->map()) {
    Append(output.err, "egretctl preview: ", answer ? *answer : answer.error().text + '\n');
    return kRefused;
  }
  std::vector<ConfigError> errors;
  for (const Node& error : MemberOf(*tree.root, "errors").children)
    errors.push_back(folder.Place({.field = TextOf(error, "field"),
                                   .value = TextOf(error, "value"),
                                   .why = TextOf(error, "why"),
                                   .remedy = TextOf(error, "remedy")}));
  SortByPlace(errors);
  output.err += ToString(errors);
  return kRefused;
}

// What the proxy has told so far.
class Watch {
 public:
  Watch(bool json, Output& output) : json_(json), output_(output) {}

  // Until its time is over.
  int Run(AdminCall& call) {
    while (!over_ && !Interrupted()) {
      const std::optional<std::string> line = call.NextLine();
      if (!line) break;
      if (json_) Append(output_.out, *line, "\n");
      const Tree tree = ParseJson(*line, "");
      if (tree.root && tree.root->map()) Take(*tree.root);
      if (!output_.Flush()) return kRefused;
    }
    if (!json_) Close();
    if (!over_ && !Interrupted()) {
      output_.err += "egretctl preview: the proxy went away before the time was over\n";
      return kNotReached;
    }
    return table_.rows().empty() && NumberOf(totals_, "overflow") == 0 ? kDone : kWouldChange;
  }

 private:
  void Take(const Node& line) {
    const std::string event = TextOf(line, "event");
    if (event == "change") {
      const PolicyChange change = ChangeOf(line);
      const ChangeCount count = CountOf(line);
      if (!json_ && !table_.rows().contains(change)) output_.out += ChangeLine(change, count);
      table_.Add(change, count);
    } else if (event == "so_far" || event == "end") {
      totals_ = line;
      over_ = event == "end";
    }
  }

  void Close() {
    const auto total = [this](std::string_view key) { return static_cast<uint64_t>(NumberOf(totals_, key)); };
    output_.out += ChangesSummary(
        table_.rows(), {.decisions = total("decisions"), .skipped = total("skipped"), .overflow = total("overflow")});
  }

  const bool json_;
  Output& output_;
  ChangeTable table_;
  Node totals_;
  bool over_ = false;
};

int PreviewOne(const Given& given, const CandidateFolder& folder, Output& output) {
  auto call = AdminCall::Make(given.Get("--admin", kDefaultAdmin), "POST", Cat("/preview?for=", ForOf(given)),
                              ToCanonicalJson(folder.resources));
  if (!call) {
    Append(output.err, "egretctl preview: ", call.error().text, "\n");
    return kNotReached;
  }
  if (call->status() != 200) return TellRefusal(*call, folder, output);
  EndReadingAtInterrupt();
  return Watch(given.Get("--output") == "json", output).Run(*call);
}

std::optional<Problem> WrongWith(const Given& given) {
  if (given.words().size() != 1) return Problem{"of which folder? give one DIR"};
  if (!ParseDuration(ForOf(given))) return Problem{Cat("--for ", ForOf(given), ": write 30s, 10m or 24h")};
  const bool group = given.Has("--group");
  if (!group && (given.Has("--proxy") || given.Has("--control"))) return Problem{"which --group?"};
  if (group && given.Has("--admin"))
    return Problem{"--admin is about one proxy, --group is about those of a control plane"};
  return group ? WrongWithControls(given) : std::nullopt;
}

}  // namespace

int RunPreview(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kPreviewFlags, arguments);
  if (!given) return Misuse("preview", given.error().text, output);
  if (const auto wrong = WrongWith(*given)) return Misuse("preview", wrong->text, output);
  const CandidateFolder folder = ReadCandidateFolder(given->words().front());
  if (HasErrors(folder.errors)) {
    output.err += ToString(folder.errors);
    return kRefused;
  }
  if (folder.left_out > 0)
    Append(output.err, folder.left_out, " resources are no policies or domain sets and stay as they are\n");
  if (!given->Has("--group")) return PreviewOne(*given, folder, output);
  return PreviewGroup(*given, folder, ParseDuration(ForOf(*given))->seconds, output);
}

}  // namespace egret
