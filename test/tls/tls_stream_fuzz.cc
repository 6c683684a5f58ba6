// Whatever bytes come, to either role, before and after hands are shaken: a TLS stream ends, waits or breaks, and what
// it gives out is a beginning of what was written. The first byte chooses the scene.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "source/event/loop.h"
#include "source/event/task.h"
#include "source/tls/tls_context.h"
#include "test/support/pipe.h"
#include "test/support/test_ca.h"

namespace {

using egret::Failure;
using egret::Io;
using egret::Loop;
using egret::PipeStream;
using egret::Task;
using egret::TlsStream;

void Require(bool condition) {
  if (!condition) std::abort();
}

struct Nobody final : egret::Joiner {
  std::coroutine_handle<> ChildDone() noexcept override { return std::noop_coroutine(); }
};

struct Contexts {
  std::shared_ptr<const egret::TlsServerContext> server;
  std::shared_ptr<const egret::TlsClientContext> client;

  static const Contexts& Get() {
    static const Contexts contexts = [] {
      const egret::TestCa ca;
      egret::TlsServerOptions options;
      options.certificates.push_back(ca.Issue({.alt_names = {"DNS:a.test"}}));
      options.client_certificates = egret::TlsServerOptions::ClientCertificates::kRequest;
      options.trust = ca.trust();
      options.settings.alpn = {"h2", "http/1.1"};
      return Contexts{*egret::TlsServerContext::Make(options), *egret::TlsClientContext::Make({.trust = ca.trust()})};
    }();
    return contexts;
  }
};

std::unique_ptr<TlsStream> Make(bool server, std::unique_ptr<PipeStream> lower) {
  return server ? Contexts::Get().server->Accept(std::move(lower))
                : Contexts::Get().client->Connect(std::move(lower), "a.test");
}

// Reads until nothing comes; the gate says so too.
std::string Drain(TlsStream& tls) {
  std::string got, buffer(1000, '\0');
  for (;;) {
    const Io io = tls.Read(buffer);
    if (io.kind != Io::kBytes) {
      if (!io.again()) Require(tls.ReadGate().open());
      return got;
    }
    Require(io.bytes > 0 && io.bytes <= buffer.size());
    got.append(buffer, 0, io.bytes);
  }
}

// The bytes instead of a peer, in two pieces.
void Raw(Loop& loop, bool server, std::string_view bytes) {
  auto [near, far] = PipeStream::Pair(1 << 20);
  const std::unique_ptr<TlsStream> tls = Make(server, std::move(far));
  Nobody joiner;
  Task<Failure> handshake = tls->Handshake();
  handshake.Start(joiner);
  for (const std::string_view piece : {bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2)}) {
    if (!piece.empty()) near->Write(piece);
    for (int i = 0; i < 4; ++i) loop.Turn(0);
  }
  near->Finish();
  for (int i = 0; i < 8 && !handshake.done(); ++i) loop.Turn(0);
  Require(handshake.done());
  Require(static_cast<bool>(handshake.Take()));  // nobody can shake hands without keys
  Require(Drain(*tls).empty());
  Require(tls->Write("x").failed());
  tls->Finish();
}

// A real handshake, then the bytes among real records: each three say where and how to spoil, or what to do.
void Spoiled(Loop& loop, std::string_view bytes) {
  auto [near, far] = PipeStream::Pair(4000);
  PipeStream* const server_pipe = far.get();
  const std::unique_ptr<TlsStream> client = Make(false, std::move(near)), server = Make(true, std::move(far));
  Nobody joiner;
  Task<Failure> a = client->Handshake(), b = server->Handshake();
  a.Start(joiner);
  b.Start(joiner);
  for (int i = 0; i < 100 && !(a.done() && b.done()); ++i) loop.Turn(0);
  Require(a.done() && b.done());
  std::string said, heard;
  std::string owed;  // what the last write did not take
  for (size_t at = 0; at + 2 < bytes.size(); at += 3) {
    const auto what = static_cast<uint8_t>(bytes[at]), where = static_cast<uint8_t>(bytes[at + 1]);
    std::string& wire = server_pipe->in().bytes;
    switch (what % 6) {
      case 0:
      case 1: {
        if (owed.empty()) owed.assign(1 + where * (what % 12 == 0 ? 200u : 1u), bytes[at + 2]);
        const Io io = client->Write(owed);
        if (io.kind == Io::kBytes) {
          said.append(owed, 0, io.bytes);
          owed.erase(0, io.bytes);
        }
        break;
      }
      case 2:
        heard += Drain(*server);
        break;
      case 3:
        if (!wire.empty()) wire[where % wire.size()] = static_cast<char>(wire[where % wire.size()] ^ bytes[at + 2]);
        break;
      case 4:
        wire.insert(where % (wire.size() + 1), 1, bytes[at + 2]);
        server_pipe->in().readable.Open();
        break;
      default:
        client->Finish();
        break;
    }
  }
  heard += Drain(*server);
  // What is owed was sealed already, but for what the writer was told.
  Require((said + owed).starts_with(heard));
  server->Finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 20000) return 0;
  Loop loop;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 2) {
    Spoiled(loop, bytes);
  } else {
    Raw(loop, data[0] % 3 == 0, bytes);
  }
  return 0;
}
