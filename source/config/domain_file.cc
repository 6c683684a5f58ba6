#include "source/config/domain_file.h"

#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/file.h"

namespace egret {

Result<DomainFile, Unfit> ReadDomainFile(const std::string& path) {
  const auto text = ReadWholeFile(path, size_t{64} << 20);
  if (!text.ok()) return text.error();
  DomainFile file;
  int number = 0;
  for (std::string_view rest = *text; !rest.empty();) {
    std::string_view line = SplitFirst(rest, '\n');
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = TrimOws(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    file.domains.emplace_back(line);
    file.lines.push_back(number);
  }
  return file;
}

}  // namespace egret
