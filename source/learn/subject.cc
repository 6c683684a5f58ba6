#include "source/learn/subject.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

#include "source/base/hex.h"

namespace egret {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Empty: it could not be read to its end (errno).
std::string Sha256Of(int fd) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::array<char, 65536> buffer;
  ssize_t got;
  while ((got = read(fd, buffer.data(), buffer.size())) > 0)
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<size_t>(got));
  if (got < 0) return "";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  return ToHex(std::span(digest.data(), size));
}

}  // namespace

Result<EgressRecord::Subject, Problem> SubjectOf(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Problem{std::strerror(errno)};
  std::string sha256 = Sha256Of(fd);
  const int error = errno;
  close(fd);
  if (sha256.empty()) return Problem{std::strerror(error)};
  return EgressRecord::Subject{path.substr(path.rfind('/') + 1), std::move(sha256)};
}

}  // namespace egret
