#include "source/ctl/record.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/config/error.h"
#include "source/config/file.h"
#include "source/ctl/table.h"
#include "source/learn/egress_record.h"
#include "source/learn/signed_record.h"
#include "source/learn/subject.h"

namespace egret {
namespace {

constexpr size_t kMostLog = size_t{1} << 30, kMostRecord = size_t{64} << 20, kMostKey = size_t{1} << 20;

Result<std::string, Problem> Read(const std::string& path, size_t most) {
  auto text = ReadWholeFile(path == "-" ? "/dev/stdin" : path, most, FileKind::kAny);
  if (!text)
    return Problem{ConfigError{.file = path, .why = text.error().why, .remedy = text.error().remedy}.ToString()};
  return std::move(*text);
}

int Refuse(const std::string& path, const Problem& problem, Output& output) {
  Append(output.err, "egretctl record: ", path.empty() ? "" : Cat(path, ": "), problem.text, "\n");
  return kRefused;
}

Result<EgressRecord, Problem> RecordIn(const std::string& path) {
  const auto text = Read(path, kMostRecord);
  if (!text) return text.error();
  const auto statement = StatementIn(*text);
  return statement ? EgressRecord::Parse(*statement) : statement.error();
}

int Make(const Given& given, Output& output) {
  const auto log = Read(given.words()[1], kMostLog);
  if (!log) return Refuse("", log.error(), output);
  std::vector<EgressRecord::Subject> subjects;
  for (const std::string& path : given.All("--subject")) {
    auto subject = SubjectOf(path);
    if (!subject) return Refuse(path, subject.error(), output);
    subjects.push_back(std::move(*subject));
  }
  EgressRecord record;
  record.Add(*log);
  output.out += record.Statement(given.Get("--command"), subjects);
  return kDone;
}

int Diff(const Given& given, Output& output) {
  const auto before = RecordIn(given.words()[1]), after = RecordIn(given.words()[2]);
  if (!before) return Refuse(given.words()[1], before.error(), output);
  if (!after) return Refuse(given.words()[2], after.error(), output);
  const std::vector<std::string> differences = Differences(*before, *after);
  for (const std::string& line : differences) Append(output.out, OneLine(line), "\n");
  return differences.empty() ? kDone : kWouldChange;
}

int Sign(const Given& given, bool verify, Output& output) {
  const auto record = Read(given.words()[1], kMostRecord);
  if (!record) return Refuse("", record.error(), output);
  const auto key = Read(given.Get("--key"), kMostKey);
  if (!key) return Refuse("", key.error(), output);
  const auto made = verify ? VerifiedStatement(*record, *key) : SignStatement(*record, *key);
  if (!made) return Refuse(verify ? given.words()[1] : given.Get("--key"), made.error(), output);
  output.out += *made;
  return kDone;
}

std::string WrongWith(const Given& given) {
  if (given.words().empty()) return Cat("what of it? say one of: ", kRecordWords);
  const std::string& word = given.words().front();
  const std::vector<std::string> known = ChoicesOf(kRecordWords);
  if (std::find(known.begin(), known.end(), word) == known.end()) return Cat(word, " is none of: ", kRecordWords);
  const size_t files = word == "diff" ? 2 : 1;
  if (given.words().size() != files + 1)
    return word == "diff" ? "between which two? give A and B" : word == "make" ? "of which LOG?" : "which RECORD?";
  if ((word == "sign" || word == "verify") && !given.Has("--key")) return "by which --key?";
  return "";
}

}  // namespace

int RunRecord(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kRecordFlags, arguments);
  if (!given) return Misuse("record", given.error().text, output);
  if (const std::string wrong = WrongWith(*given); !wrong.empty()) return Misuse("record", wrong, output);
  const std::string& word = given->words().front();
  if (word == "make") return Make(*given, output);
  if (word == "diff") return Diff(*given, output);
  return Sign(*given, word == "verify", output);
}

}  // namespace egret
