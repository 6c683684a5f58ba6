// Whatever a command behind the fence sends to DNS: nothing is read beyond it, and what is answered is the start of it,
// with a flag that says so, an address at most, and room in any datagram.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "source/run/dns_answer.h"
#include "source/run/stand_ins.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostQuery = 512, kMostAnswer = 28;  // a record of an IPv6 address
  if (size > kMostQuery) return 0;
  egret::StandIns names;
  const auto block = std::make_unique<char[]>(size);  // of exactly its size, for AddressSanitizer
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  query.copy(block.get(), size);
  const std::string answer = egret::AnswerDns(std::string_view(block.get(), size), names);
  if (answer.empty()) return 0;
  Require(answer.size() >= 12 && answer.size() <= size + kMostAnswer);
  Require(answer.substr(0, 2) == query.substr(0, 2) && (answer[2] & 0x80) != 0);
  Require(answer[7] <= 1);
  Require(answer == egret::AnswerDns(query, names));
  return 0;
}
