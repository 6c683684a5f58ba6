// What the origins of ProxyBench do, and the parent proxies: one script for each kind.
#pragma once

#include "test/support/peer.h"

namespace egret {

// By the rules: answers each request by its path, and a CONNECT with 200.
Task<void> Web(Peer& proxy, int nth);
// Keeps its first connection, as it says, until the second request comes; then it is gone.
Task<void> Forgetful(Peer& proxy, int nth);
// The same, but gone as soon as the second request's head is there.
Task<void> ForgetsAtTheHead(Peer& proxy, int nth);
Task<void> Silent(Peer& proxy, int nth);
// Answers as soon as the head is there.
Task<void> AnswersEarly(Peer& proxy, int nth);
Task<void> SaysContinue(Peer& proxy, int nth);
Task<void> RefusesExpectation(Peer& proxy, int nth);
// Just when the proxy no longer waits for it.
Task<void> RefusesLate(Peer& proxy, int nth);
Task<void> SwitchesProtocols(Peer& proxy, int nth);
// Gives back what it hears, and has a last word once the other side has ended.
Task<void> Echo(Peer& proxy, int nth);
Task<void> SpeaksFirstThenEnds(Peer& proxy, int nth);

// Parents' answers to whatever they are asked.
Task<void> AsksWho(Peer& proxy, int nth);
Task<void> Fails(Peer& proxy, int nth);
Task<void> TalksGarbage(Peer& proxy, int nth);
Task<void> FramesItsTunnel(Peer& proxy, int nth);

}  // namespace egret
