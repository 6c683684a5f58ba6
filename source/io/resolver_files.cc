#include "source/io/resolver_files.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr size_t kMostServers = 3;
constexpr size_t kMostBytes = size_t{1} << 20;
constexpr uint16_t kDnsPort = 53;

// The next word of a line that words of white space part; empty at its end.
std::string_view Word(std::string_view& line) {
  constexpr std::string_view kSpace = " \t\r\f\v";
  line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kSpace));
  line.remove_prefix(word.size());
  return word;
}

std::string_view WithoutComment(std::string_view line, std::string_view marks) {
  return line.substr(0, line.find_first_of(marks));
}

bool Same(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

HostsTable ParseHosts(std::string_view text) {
  HostsTable table;
  while (!text.empty()) {
    std::string_view line = WithoutComment(SplitFirst(text, '\n'), "#");
    const auto address = IpAddress::Parse(Word(line));
    if (!address) continue;
    for (std::string_view word = Word(line); !word.empty(); word = Word(line)) {
      if (word.ends_with('.')) word.remove_suffix(1);
      std::vector<IpAddress>& addresses = table[ToLower(word)];
      if (std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) continue;
      const auto is_v4 = [](const IpAddress& one) { return one.v4(); };
      const auto first_v4 = std::find_if(addresses.begin(), addresses.end(), is_v4);
      addresses.insert(address->v4() ? addresses.end() : first_v4, *address);
    }
  }
  return table;
}

std::vector<Endpoint> ParseResolvConf(std::string_view text) {
  std::vector<Endpoint> servers;
  while (!text.empty() && servers.size() < kMostServers) {
    std::string_view line = WithoutComment(SplitFirst(text, '\n'), "#;");
    if (Word(line) != "nameserver") continue;
    if (const auto address = IpAddress::Parse(Word(line))) servers.push_back({*address, kDnsPort});
  }
  if (servers.empty()) servers.push_back({IpAddress::V4(0x7f000001), kDnsPort});
  return servers;
}

std::optional<std::string> WatchedFile::ReadIfChanged() {
  struct stat now{};
  const bool there = stat(path_.c_str(), &now) == 0;
  const bool same = there ? seen_ && Same(*seen_, now) : !seen_;
  if (ever_ && same) return std::nullopt;
  ever_ = true;
  seen_ = there ? std::optional(now) : std::nullopt;
  std::string text;
  if (!there) return text;
  std::ifstream file(path_, std::ios::binary);
  text.resize(kMostBytes);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  text.shrink_to_fit();
  return text;
}

}  // namespace egret
