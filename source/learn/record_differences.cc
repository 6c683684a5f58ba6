// Two egress records in words.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "source/base/strings.h"
#include "source/learn/egress_record.h"

namespace egret {
namespace {

using Key = EgressRecord::Key;
using Row = EgressRecord::Row;
using Texts = std::set<std::string>;

std::string Bytes(uint64_t bytes) {
  constexpr uint64_t kKiB = 1024, kMiB = kKiB * 1024;
  if (bytes < kKiB) return Cat(bytes, " bytes");
  return bytes < kMiB ? Cat((bytes + kKiB / 2) / kKiB, " KiB") : Cat((bytes + kMiB / 2) / kMiB, " MiB");
}

std::string PlaceOf(const Key& key) { return key.port == 443 ? key.host : Cat(key.host, ':', key.port); }

std::string Verb(Outcome outcome) {
  switch (outcome) {
    case Outcome::kRefused:
      return "refused: ";
    case Outcome::kFailed:
      return "not reached: ";
    case Outcome::kReached:
      break;
  }
  return "";
}

// "GET and POST"
std::string MethodsOf(const Texts& requests) {
  Texts methods;
  for (const std::string& request : requests) methods.insert(request.substr(0, request.find(' ')));
  std::string out;
  size_t left = methods.size();
  for (const std::string& method : methods) Append(out, method, --left == 0 ? "" : left == 1 ? " and " : ", ");
  return out;
}

std::string Joined(const Texts& texts) {
  constexpr size_t kMost = 5;
  std::string out;
  size_t shown = 0;
  for (const std::string& text : texts) {
    if (shown++ == kMost) return Cat(out, " and ", texts.size() - kMost, " more");
    Append(out, out.empty() ? "" : ", ", text);
  }
  return out;
}

// "POST to x.workers.dev by POST /u, 14 KiB out"
std::string Told(const Key& key, const Row& row) {
  std::string out = Verb(key.outcome);
  if (row.requests.empty())
    Append(out,
           key.protocol.empty() || key.protocol == "tls" ? "a connection" : Cat("a connection (", key.protocol, ')'));
  else
    out += MethodsOf(row.requests);
  Append(out, " to ", PlaceOf(key));
  if (!row.requests.empty()) Append(out, " by ", Joined(row.requests));
  if (row.bytes_out > 0) Append(out, ", ", Bytes(row.bytes_out), " out");
  return out;
}

Texts Without(const Texts& all, const Texts& known) {
  Texts left;
  std::set_difference(all.begin(), all.end(), known.begin(), known.end(), std::inserter(left, left.end()));
  return left;
}

// Twice as much and more than a mebibyte more is more than a build that differs a little.
bool IsMuchMore(uint64_t now, uint64_t before) {
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  return now > before * 2 && now - before > kMiB;
}

void Compare(const Key& key, const Row& was, const Row& is, std::vector<std::string>& out) {
  const std::string place = PlaceOf(key);
  if (const Texts fresh = Without(is.requests, was.requests); !fresh.empty())
    out.push_back(Cat("new: ", Verb(key.outcome), MethodsOf(fresh), " to ", place, " by ", Joined(fresh)));
  if (const Texts gone = Without(was.requests, is.requests); !gone.empty())
    out.push_back(Cat("gone: ", Verb(key.outcome), MethodsOf(gone), " to ", place, " by ", Joined(gone)));
  if (const Texts fresh = Without(is.keys, was.keys); !fresh.empty() && !was.keys.empty())
    out.push_back(Cat("new: certificate key of ", place, ": ", Joined(fresh)));
  if (const Texts fresh = Without(is.rules, was.rules); !fresh.empty() && !was.rules.empty())
    out.push_back(Cat("new: ", place, " is decided by ", Joined(fresh), " (before: ", Joined(was.rules), ')'));
  if (IsMuchMore(is.bytes_out, was.bytes_out))
    out.push_back(Cat("more: ", Bytes(is.bytes_out), " out to ", place, " (before: ", Bytes(was.bytes_out), ')'));
}

}  // namespace

std::vector<std::string> Differences(const EgressRecord& before, const EgressRecord& after) {
  std::vector<std::string> out;
  if (after.left_out() > 0)
    out.push_back(Cat("incomplete: ", after.left_out(), " times there was no room in the record for what was reached"));
  for (const auto& [key, row] : after.rows()) {
    const auto was = before.rows().find(key);
    if (was == before.rows().end())
      out.push_back(Cat("new: ", Told(key, row)));
    else
      Compare(key, was->second, row, out);
  }
  for (const auto& [key, row] : before.rows())
    if (!after.rows().contains(key)) out.push_back(Cat("gone: ", Told(key, row)));
  return out;
}

}  // namespace egret
