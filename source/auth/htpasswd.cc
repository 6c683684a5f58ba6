#include "source/auth/htpasswd.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <optional>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::string_view kRemedy = "make it anew, e.g. with htpasswd -B or mkpasswd -m bcrypt";
// Each takes about a second where this was written; the common ones a tenth of that.
constexpr unsigned kMostBcryptCost = 14;
constexpr unsigned kMostShaRounds = 1'000'000;

// The number that stands before `end`.
std::optional<unsigned> NumberBefore(std::string_view text, char end) {
  const size_t at = text.find(end);
  return at == std::string_view::npos ? std::nullopt : ParseDecimal<unsigned>(text.substr(0, at));
}

bool IsKnown(std::string_view hash) {
  for (const std::string_view scheme : {"$2a$", "$2b$", "$2y$", "$6$", "$y$"})
    if (hash.starts_with(scheme)) return true;
  return false;
}

// What was cut off somewhere would match no password.
bool IsWhole(std::string_view hash) {
  if (hash.starts_with("$2")) return hash.size() == 60;
  return hash.size() - (hash.rfind('$') + 1) == (hash.starts_with("$6$") ? 86u : 43u);
}

// "$y$j9T$": its flavour, then how much memory (a power of two) and in what pieces, each a digit of ./0-9A-Za-z.
bool IsAffordableYescrypt(std::string_view hash) {
  constexpr std::string_view kFlavour = "$y$j";
  constexpr char kMostMemory = 'B', kMostPiece = 'T';  // together 64 MiB
  if (!hash.starts_with(kFlavour) || hash.size() < kFlavour.size() + 3) return false;
  hash.remove_prefix(kFlavour.size());
  return hash[0] <= kMostMemory && hash[1] <= kMostPiece && hash[2] == '$';
}

// What whoever wrote the list chose, and everybody who waits for a check pays for.
bool IsAffordable(std::string_view hash) {
  constexpr std::string_view kRounds = "$6$rounds=";
  if (hash.starts_with("$2")) return NumberBefore(hash.substr(4), '$').value_or(99) <= kMostBcryptCost;
  if (hash.starts_with("$y$")) return IsAffordableYescrypt(hash);
  if (!hash.starts_with(kRounds)) return true;
  return NumberBefore(hash.substr(kRounds.size()), '$').value_or(kMostShaRounds + 1) <= kMostShaRounds;
}

std::optional<std::string> Unfit(const std::string& hash) {
  if (hash.empty()) return "no hash behind the name";
  if (!IsKnown(hash) || crypt_checksalt(hash.c_str()) != CRYPT_SALT_OK)
    return "not a hash of bcrypt ($2b$), SHA-512-crypt ($6$) or yescrypt ($y$); others are weak";
  if (!IsWhole(hash)) return "the hash is not whole";
  if (!IsAffordable(hash)) return "this hash takes too long to check";
  return std::nullopt;
}

std::shared_ptr<const Identity> IdentityOf(std::string_view name, Assurance assurance, std::shared_ptr<Vouch> vouch) {
  auto identity = std::make_shared<Identity>();
  identity->user = name;
  identity->assurance = assurance;
  identity->vouch = std::move(vouch);
  return identity;
}

UserList::User NewUser(std::string_view name, std::string hash) {
  auto vouch = std::make_shared<Vouch>();
  return {std::move(hash), IdentityOf(name, Assurance::kToken, vouch),
          IdentityOf(name, Assurance::kSourceAddress, vouch), vouch};
}

}  // namespace

Result<std::shared_ptr<const UserList>, Problem> UserList::Parse(std::string_view text, const UserList* before) {
  auto list = std::make_shared<UserList>();
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = TrimOws(SplitFirst(text, '\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.find(':') == std::string_view::npos) return Problem{Cat("line ", number, ": not `name:hash`")};
    const std::string name(SplitFirst(line, ':'));
    if (name.empty()) return Problem{Cat("line ", number, ": no name before the colon")};
    const std::string hash(line);
    if (const auto unfit = Unfit(hash)) return Problem{Cat("line ", number, ": ", *unfit, "; ", kRemedy)};
    const User* const known = before == nullptr ? nullptr : before->FindSame(name, hash);
    const auto [at, is_new] = list->users_.emplace(name, known != nullptr ? *known : NewUser(name, hash));
    if (!is_new) return Problem{Cat("line ", number, ": this name is on an earlier line, too; remove one of them")};
    list->hashes_.push_back(&at->second.hash);
  }
  if (list->hashes_.empty()) return Problem{"it holds no user; write `name:hash`, one a line"};
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&list->secret_), sizeof list->secret_) == 1);
  return std::shared_ptr<const UserList>(std::move(list));
}

const UserList::User* UserList::FindSame(std::string_view name, const std::string& hash) const {
  const User* const user = Find(name);
  return user != nullptr && user->hash == hash && !user->vouch->withdrawn() ? user : nullptr;
}

void UserList::WithdrawAllBut(const UserList& next) const {
  for (const auto& [name, user] : users_)
    if (next.FindSame(name, user.hash) == nullptr) user.vouch->Withdraw();
}

const UserList::User* UserList::Find(std::string_view name) const {
  const auto at = users_.find(name);
  return at == users_.end() ? nullptr : &at->second;
}

const std::string& UserList::Decoy(std::string_view name) const {
  const size_t mixed = (Hash()(name) ^ secret_) * size_t{0x9e3779b97f4a7c15};
  return *hashes_[(mixed >> 32) % hashes_.size()];
}

bool HasHash(const std::string& password, const std::string& hash) {
  static thread_local const auto room = std::make_unique<crypt_data>();  // 32 KiB
  const char* const made = crypt_rn(password.c_str(), hash.c_str(), room.get(), sizeof *room);
  const bool same = made != nullptr && std::string_view(made).size() == hash.size() &&
                    CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  OPENSSL_cleanse(room.get(), sizeof *room);
  return same;
}

}  // namespace egret
