// A signer outside of the process, as a service behind a socket would be one: it gets what is to be signed and gives
// back a signature; the CA's key is nowhere else. What a LeafSigner is, and what it is not trusted with.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/io/socket_stream.h"
#include "source/io/stream_io.h"
#include "source/tls/leaf_cache.h"
#include "source/tls/new_authority.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

const int64_t kNow = time(nullptr);

std::string WithLength(const std::string& bytes) {
  const uint32_t size = htonl(static_cast<uint32_t>(bytes.size()));
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + bytes;
}

// --- Outside: a thread for each connection, that blocks.

bool ReadAll(int fd, std::string& bytes, size_t size) {
  bytes.resize(size);
  return recv(fd, bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

std::string Signature(EVP_PKEY* key, const std::string& what) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string out(256, '\0');
  size_t size = out.size();
  CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1);
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                       reinterpret_cast<const unsigned char*>(what.data()), what.size()) == 1);
  out.resize(size);
  return out;
}

class Service {
 public:
  enum class Mood { kSigns, kSignsAnotherThing, kHangsUp };
  explicit Service(EVP_PKEY* key) : key_(key) {}
  ~Service() {
    for (std::thread& thread : threads_) thread.join();
  }
  // The other end of a new connection to it.
  int Connect() {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    threads_.emplace_back([this, fd = ends[0], how = mood] { Serve(fd, how); });
    return ends[1];
  }
  Mood mood = Mood::kSigns;

 private:
  void Serve(int fd, Mood how) {
    std::string size, what;
    uint32_t length = 0;
    if (ReadAll(fd, size, sizeof length)) {
      std::memcpy(&length, size.data(), sizeof length);
      if (ReadAll(fd, what, ntohl(length)) && how != Mood::kHangsUp) {
        const std::string answer = WithLength(Signature(key_, how == Mood::kSigns ? what : what + "!"));
        (void)!write(fd, answer.data(), answer.size());
      }
    }
    close(fd);
  }

  EVP_PKEY* const key_;
  std::vector<std::thread> threads_;
};

// --- Inside

void SetAlgorithm(const X509_ALGOR* where) {
  CHECK(X509_ALGOR_set0(const_cast<X509_ALGOR*>(where), OBJ_nid2obj(NID_ecdsa_with_SHA256), V_ASN1_UNDEF, nullptr) ==
        1);
}

// The certificate without its signature, as it is to be signed.
std::string ToBeSigned(X509* leaf) {
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(&signature, &algorithm, leaf);
  SetAlgorithm(algorithm);
  SetAlgorithm(X509_get0_tbs_sigalg(leaf));
  unsigned char* der = nullptr;
  const int size = i2d_re_X509_tbs(leaf, &der);
  CHECK(size > 0);
  std::string out(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

void PutSignature(X509* leaf, const std::string& bytes) {
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(&signature, &algorithm, leaf);
  auto* const into = const_cast<ASN1_BIT_STRING*>(signature);
  CHECK(ASN1_STRING_set(into, bytes.data(), static_cast<int>(bytes.size())) == 1);
  into->flags = (into->flags & ~0x07L) | ASN1_STRING_FLAG_BITS_LEFT;  // all bits of its last byte count
}

class SocketSigner final : public LeafSigner {
 public:
  explicit SocketSigner(Service& service) : service_(service) {}

  Task<Result<X509Ptr, Problem>> Sign(X509Ptr leaf) const override {
    SocketStream stream(service_.Connect());
    const std::string question = WithLength(ToBeSigned(leaf.get()));
    if ((co_await WriteAll(stream, question)).failed()) co_return Problem{"the signer does not listen"};
    std::string size, signature;
    if (!co_await Receive(stream, size, sizeof(uint32_t))) co_return Problem{"the signer hung up"};
    uint32_t length = 0;
    std::memcpy(&length, size.data(), sizeof length);
    if (!co_await Receive(stream, signature, ntohl(length))) co_return Problem{"the signer hung up"};
    PutSignature(leaf.get(), signature);
    co_return leaf;
  }

 private:
  static Task<bool> Receive(Stream& stream, std::string& into, size_t size) {
    into.resize(size);
    for (size_t at = 0; at < size;) {
      const Io io = stream.Read(std::span(into).subspan(at));
      if (io.failed() || io.end()) co_return false;
      at += io.bytes;
      if (io.again()) co_await stream.Readable();
    }
    co_return true;
  }

  Service& service_;
};

class OutsideSignerTest : public testing::Test {
 protected:
  OutsideSignerTest() : made_(std::move(*MakeAuthority({.common_name = "CA", .lifetime_s = 86400}, nullptr, kNow))) {
    AuthorityOptions options;
    options.certificate_pem = PemOf(made_.certificate.get());
    options.signer = std::make_shared<SocketSigner>(service_);
    authority_ = *CertificateAuthority::Make(options, kNow);
  }
  ~OutsideSignerTest() override { ERR_clear_error(); }

  static Task<void> Want(LeafCache& cache, std::shared_ptr<const CertificateAuthority> authority, std::string target,
                         std::vector<Result<LeafPtr, Problem>>& got) {
    auto leaf = co_await cache.Get(std::move(authority), target, nullptr, kNow);
    got.push_back(std::move(leaf));
  }
  Result<LeafPtr, Problem> Get(const std::string& target) {
    return RunTask(loop_, cache_.Get(authority_, target, nullptr, kNow));
  }

  Loop loop_;
  NewAuthority made_;
  Service service_{made_.key.get()};
  LeafCache cache_;
  std::shared_ptr<const CertificateAuthority> authority_;
};

TEST_F(OutsideSignerTest, WhatItSignsIsALeafOfTheCa) {
  const auto leaf = Get("a.test");
  ASSERT_TRUE(leaf.ok()) << leaf.error().text;
  X509* const certificate = (*leaf)->certificate.get();
  EXPECT_EQ(X509_verify(certificate, made_.key.get()), 1);
  EXPECT_EQ(X509_check_host(certificate, "a.test", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_issued(made_.certificate.get(), certificate), X509_V_OK);
}

TEST_F(OutsideSignerTest, ManyAreUnderWayAtOnce) {
  std::vector<Result<LeafPtr, Problem>> got;
  Nursery waiting;
  for (int i = 0; i < 60; ++i) waiting.Start(Want(cache_, authority_, "n" + std::to_string(i % 20) + ".test", got));
  for (int turns = 0; turns < 1000 && got.size() < 60; ++turns) loop_.Turn(200);
  ASSERT_EQ(got.size(), 60u);
  for (const auto& leaf : got) EXPECT_TRUE(leaf.ok()) << leaf.error().text;
  EXPECT_EQ(cache_.counters().minted.Read(), 20u);
}

TEST_F(OutsideSignerTest, WhoeverGoesAwayTakesNothingAlong) {
  std::vector<Result<LeafPtr, Problem>> got;
  Nursery leaving;
  leaving.Start(Want(cache_, authority_, "a.test", got));
  leaving.Clear();
  EXPECT_TRUE(Get("a.test").ok());
  EXPECT_EQ(cache_.counters().minted.Read(), 1u);
}

TEST_F(OutsideSignerTest, WhatItDoesWrongIsTold) {
  service_.mood = Service::Mood::kHangsUp;
  EXPECT_EQ(Get("a.test").error().text, "the signer hung up");
  service_.mood = Service::Mood::kSignsAnotherThing;
  EXPECT_EQ(Get("a.test").error().text,
            "what came back from the signer is not signed by the CA, or is another certificate");
  service_.mood = Service::Mood::kSigns;
  EXPECT_TRUE(Get("a.test").ok());
}

}  // namespace
}  // namespace egret
