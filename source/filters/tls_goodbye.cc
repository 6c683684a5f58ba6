#include "source/filters/tls_goodbye.h"

#include "source/chain/counters.h"
#include "source/event/combine.h"
#include "source/io/stream_io.h"

namespace egret {
namespace {

constexpr uint64_t kGoodbyeMs = 1000;
constexpr size_t kGoodbyeBytes = size_t{64} << 10;

Task<void> Say(TlsStream& tls) {
  co_await FinishAll(tls);
  co_await LingeringClose(tls.lower(), kGoodbyeMs, kGoodbyeBytes);
}

}  // namespace

Task<void> SayWhy(TlsStream& tls, Failure why) {
  const TlsResult result = TlsResultOf(why.fault);
  if (result != TlsResult::kGone && result != TlsResult::kAlert) co_await WithDeadline(Say(tls), kGoodbyeMs);
}

}  // namespace egret
