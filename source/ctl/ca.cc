#include "source/ctl/ca.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "source/base/result.h"
#include "source/base/strings.h"
#include "source/config/file.h"
#include "source/config/scalar.h"
#include "source/tls/authority_checks.h"
#include "source/tls/certificates.h"
#include "source/tls/new_authority.h"

namespace egret {
namespace {

constexpr int64_t kDay = 86400;
constexpr uint32_t kRootDays = 3650, kIntermediateDays = 30, kMostDays = 36500;
constexpr size_t kMostFileBytes = size_t{1} << 20;

struct Wanted {
  bool intermediate = false;
  std::string directory;
  std::string root;
  std::string name;
  std::optional<uint32_t> days;
  std::vector<std::string> permit;
};

// Puts an option's value where it belongs; a text is what is wrong.
std::string Take(std::string_view option, const std::string& value, Wanted& wanted) {
  if (option == "--name") {
    wanted.name = value;
    if (value.empty() || value.size() > 64) return "--name: 1 to 64 bytes";
  } else if (option == "--days") {
    wanted.days = ParseDecimal<uint32_t>(value);
    if (!wanted.days || *wanted.days == 0 || *wanted.days > kMostDays) return "--days: 1 to 36500";
  } else if (option == "--root" && wanted.intermediate) {
    wanted.root = value;
  } else if (option == "--permit" && wanted.intermediate) {
    wanted.permit.push_back(value);
  } else {
    return Cat("no option ", option);
  }
  return {};
}

Result<Wanted, std::string> Parse(std::span<const std::string> arguments) {
  Wanted wanted;
  if (arguments.empty()) return std::string("init or intermediate?");
  wanted.intermediate = arguments.front() == "intermediate";
  if (!wanted.intermediate && arguments.front() != "init") return Cat("no command ", arguments.front());
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.starts_with("--")) {
      if (i + 1 == arguments.size()) return Cat("no value after ", argument);
      if (std::string why = Take(argument, arguments[++i], wanted); !why.empty()) return why;
    } else if (wanted.directory.empty()) {
      wanted.directory = argument;
    } else {
      return std::string("more than one directory");
    }
  }
  if (wanted.directory.empty()) return std::string("no directory");
  if (wanted.intermediate && wanted.root.empty()) return std::string("whose? give --root, what ca init made");
  return wanted;
}

// A new file with those bytes; a text is what is wrong, and then there is none.
std::string WriteNew(const std::string& path, const std::string& bytes, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0)
    return errno == EEXIST ? Cat(path, ": is there already; it stays as it is") : Cat(path, ": ", std::strerror(errno));
  const ssize_t written = write(fd, bytes.data(), bytes.size());
  const bool well = written == static_cast<ssize_t>(bytes.size()) && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (well) return {};
  unlink(path.c_str());
  return Cat(path, ": ", std::strerror(error));
}

// Both files or neither.
int WritePair(const std::string& certificate_path, const std::string& certificate, const std::string& key_path,
              const std::string& key, Output& output) {
  std::string why = WriteNew(key_path, key, S_IRUSR | S_IWUSR);
  if (why.empty()) {
    why = WriteNew(certificate_path, certificate, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
    if (!why.empty()) unlink(key_path.c_str());
  }
  if (why.empty()) return kDone;
  Append(output.err, "egretctl ca: ", why, '\n');
  return kRefused;
}

Result<std::string, Problem> Read(const std::string& path) {
  Result<std::string, Unfit> text = ReadWholeFile(path, kMostFileBytes);
  if (!text) return Problem{Cat(path, ": ", text.error().why)};
  return std::move(*text);
}

Result<NewAuthority, Problem> ReadRoot(const std::string& directory, int64_t now) {
  const Result<std::string, Problem> certificate = Read(Cat(directory, "/ca.crt"));
  if (!certificate) return certificate.error();
  const Result<std::string, Problem> key_pem = Read(Cat(directory, "/ca.key"));
  if (!key_pem) return key_pem.error();
  Result<std::vector<X509Ptr>, Problem> chain = ParseCertificates(*certificate);
  if (!chain) return Problem{Cat(directory, "/ca.crt: ", chain.error().text)};
  if (std::optional<Problem> problem = CheckAuthority(*chain, now)) return Problem{Cat(directory, ": ", problem->text)};
  if (X509_get_pathlen(chain->front().get()) == 0)
    return Problem{Cat(directory, "/ca.crt: its path length is 0: no CA may stand below it")};
  Result<KeyPtr, Problem> key = ParseKey(*key_pem);
  if (!key) return Problem{Cat(directory, "/ca.key: ", key.error().text)};
  if (X509_check_private_key(chain->front().get(), key->get()) != 1)
    return Problem{Cat(directory, "/ca.key: it is not the key of ca.crt")};
  return NewAuthority{std::move(chain->front()), std::move(*key)};
}

int Fail(const Problem& problem, Output& output) {
  Append(output.err, "egretctl ca: ", problem.text, '\n');
  return kRefused;
}

int Init(const Wanted& wanted, int64_t now, Output& output) {
  const NewAuthorityOptions options{.common_name = wanted.name.empty() ? "Egret root" : wanted.name,
                                    .lifetime_s = wanted.days.value_or(kRootDays) * kDay,
                                    .path_length = 1};
  const Result<NewAuthority, Problem> made = MakeAuthority(options, nullptr, now);
  if (!made) return Fail(made.error(), output);
  const std::string certificate = Cat(wanted.directory, "/ca.crt"), key = Cat(wanted.directory, "/ca.key");
  const int status = WritePair(certificate, PemOf(made->certificate.get()), key, PemOf(made->key.get()), output);
  if (status == kDone) Append(output.out, certificate, ": what clients have to believe\n", key, ": keep it offline\n");
  return status;
}

int Intermediate(const Wanted& wanted, int64_t now, Output& output) {
  const Result<NewAuthority, Problem> root = ReadRoot(wanted.root, now);
  if (!root) return Fail(root.error(), output);
  const NewAuthorityOptions options{.common_name = wanted.name.empty() ? "Egret intermediate" : wanted.name,
                                    .lifetime_s = wanted.days.value_or(kIntermediateDays) * kDay,
                                    .path_length = 0,
                                    .permit = wanted.permit};
  const Result<NewAuthority, Problem> made = MakeAuthority(options, &*root, now);
  if (!made) return Fail(Problem{Cat("--permit: ", made.error().text)}, output);
  const std::string certificate = Cat(wanted.directory, "/tls.crt"), key = Cat(wanted.directory, "/tls.key");
  const std::string chain = PemOf(made->certificate.get()) + PemOf(root->certificate.get());
  const int status = WritePair(certificate, chain, key, PemOf(made->key.get()), output);
  if (status == kDone) Append(output.out, certificate, "\n", key, '\n');
  return status;
}

}  // namespace

int RunCa(std::span<const std::string> arguments, Output& output) {
  const Result<Wanted, std::string> wanted = Parse(arguments);
  if (!wanted) return Misuse("ca", wanted.error(), output);
  if (mkdir(wanted->directory.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    return Fail(Problem{Cat(wanted->directory, ": ", std::strerror(errno))}, output);
  const int64_t now = time(nullptr);
  return wanted->intermediate ? Intermediate(*wanted, now, output) : Init(*wanted, now, output);
}

}  // namespace egret
