#include "source/run/dns_answer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "source/policy/target.h"

namespace egret {
namespace {

constexpr size_t kHeader = 12;
constexpr uint16_t kTypeA = 1, kTypeAaaa = 28, kClassInternet = 1;
constexpr uint32_t kTtlSeconds = 60;  // what it says holds for the whole run
enum class Code : uint8_t { kNoError = 0, kFormat = 1, kServer = 2, kNoName = 3, kNotImplemented = 4 };

uint16_t NumberAt(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 | static_cast<uint8_t>(bytes[at + 1]));
}

void Put(std::string& out, uint64_t number, size_t bytes) {
  while (bytes-- > 0) out += static_cast<char>(number >> (8 * bytes));
}

struct Question {
  std::string name;  // with dots, without the last one
  uint16_t type = 0, type_class = 0;
  size_t end = 0;  // of it, in the query
};

// Names of questions are never compressed: nothing stands before them.
std::optional<Question> QuestionOf(std::string_view query) {
  Question question;
  size_t at = kHeader;
  for (;;) {
    if (at >= query.size()) return std::nullopt;
    const auto size = static_cast<uint8_t>(query[at++]);
    if (size == 0) break;
    if (size > 63 || query.size() - at < size) return std::nullopt;
    if (!question.name.empty()) question.name += '.';
    question.name += query.substr(at, size);
    at += size;
  }
  if (query.size() - at < 4) return std::nullopt;
  question.type = NumberAt(query, at);
  question.type_class = NumberAt(query, at + 2);
  question.end = at + 4;
  return question;
}

std::optional<StandIns::Pair> AddressesOf(const std::string& name, StandIns& names) {
  if (name == "localhost" || name.ends_with(".localhost")) {
    std::array<uint8_t, 16> loopback{};
    loopback.back() = 1;
    return StandIns::Pair{.v4 = IpAddress::V4(0x7f000001), .v6 = IpAddress::V6(loopback)};
  }
  return names.Of(name);
}

// Header, the question as it was asked, and one address at most.
std::string Reply(std::string_view query, size_t question_end, Code code, std::string_view address = {}) {
  constexpr uint16_t kResponse = 0x8000, kAuthoritative = 0x0400, kKept = 0x7900 /* opcode, RD */, kAvailable = 0x0080;
  const uint16_t flags = static_cast<uint16_t>((NumberAt(query, 2) & kKept) | kResponse | kAuthoritative | kAvailable |
                                               static_cast<uint16_t>(code));
  std::string out(query.substr(0, 2));
  Put(out, flags, 2);
  for (const size_t count : {size_t{question_end > kHeader}, size_t{!address.empty()}, size_t{0}, size_t{0}})
    Put(out, count, 2);
  out += query.substr(kHeader, question_end - kHeader);
  if (address.empty()) return out;
  Put(out, 0xc00c, 2);  // the question's name
  Put(out, address.size() == 4 ? kTypeA : kTypeAaaa, 2);
  Put(out, kClassInternet, 2);
  Put(out, kTtlSeconds, 4);
  Put(out, address.size(), 2);
  return out.append(address);
}

std::string BytesOf(const IpAddress& address) {
  const auto& bytes = address.bytes();
  return {reinterpret_cast<const char*>(bytes.data()) + (address.v4() ? 12 : 0), address.v4() ? size_t{4} : size_t{16}};
}

}  // namespace

std::string AnswerDns(std::string_view query, StandIns& names) {
  constexpr uint16_t kIsResponse = 0x8000, kOpcode = 0x7800;
  if (query.size() < kHeader || (NumberAt(query, 2) & kIsResponse) != 0) return {};
  if ((NumberAt(query, 2) & kOpcode) != 0) return Reply(query, kHeader, Code::kNotImplemented);
  const std::optional<Question> question = QuestionOf(query);
  if (NumberAt(query, 4) != 1 || !question) return Reply(query, kHeader, Code::kFormat);
  const Result<Target, Fault> target = ParseAuthority(question->name, uint16_t{53});
  if (question->type_class != kClassInternet || !target || target->literal)
    return Reply(query, question->end, Code::kNoName);
  if (question->type != kTypeA && question->type != kTypeAaaa) return Reply(query, question->end, Code::kNoError);
  const std::optional<StandIns::Pair> addresses = AddressesOf(target->host, names);
  if (!addresses) return Reply(query, question->end, Code::kServer);
  const IpAddress& address = question->type == kTypeA ? addresses->v4 : addresses->v6;
  return Reply(query, question->end, Code::kNoError, BytesOf(address));
}

}  // namespace egret
