// A worker and connections for tests of single parts of a chain.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/chain/access_log.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/worker.h"
#include "source/config/json_parser.h"
#include "source/event/loop.h"
#include "test/support/pipe.h"

namespace egret {

// A client that hears heads alone, interim ones only as far as there is room.
class FakeSink final : public ExchangeSink {
 public:
  Task<Failure> Inform(const Head& interim) override {
    said += std::to_string(interim.status) + "(";
    co_await GateAwaiter(room);
    said += ")";
    co_return Failure{};
  }
  Task<Failure> Respond(const Head& head, Body*) override {
    said += std::to_string(head.status);
    if (leaves) gone.Open();
    if (fails) {
      said += "!";
      co_return fails;
    }
    has_responded = true;
    co_return Failure{};
  }
  void CloseAfterThis() override {}
  bool responded() const override { return has_responded; }
  bool request_complete() const override { return complete; }
  Gate& GoneGate() override { return gone; }
  Gate& PeerDoneGate() override { return done; }

  Gate gone{false}, done{false}, room{true};
  bool complete = true, has_responded = false;
  Failure fails;        // of each final head, before any of it is out
  bool leaves = false;  // the client, when it should hear one
  std::string said;
};

class ChainTestBase : public testing::Test {
 protected:
  // The far end of its stream is `far`.
  std::unique_ptr<Connection> MakeConnection(std::unique_ptr<PipeStream>& far) {
    auto [near, other] = PipeStream::Pair();
    far = std::move(other);
    return std::make_unique<Connection>(*worker_, std::move(near));
  }

  void Settle() {
    while (loop_.Turn(0)) {
    }
  }
  // Lets every timer fire that is due within so many milliseconds.
  void Pass(uint64_t ms) {
    Settle();
    const uint64_t until = loop_.now_ms() + ms;
    while (loop_.now_ms() < until && loop_.SkipToTimer(until - loop_.now_ms())) Settle();
    Settle();
  }

  // The lines that the worker logged, once it has ended.
  std::vector<std::string> LogLines() {
    worker_.reset();
    log_.Close();
    std::vector<std::string> lines;
    for (std::string block = log_.Take().text; !block.empty(); block = log_.Take().text) {
      EXPECT_TRUE(block.ends_with('\n'));
      for (std::string_view rest = block; !rest.empty();) lines.emplace_back(SplitFirst(rest, '\n'));
    }
    return lines;
  }

  Loop loop_;
  LogQueue log_;
  std::unique_ptr<Worker> worker_ = std::make_unique<Worker>(loop_, nullptr, &log_, 0);
};

// A member of a JSON object; fails the test where the line is none.
inline std::string JsonMember(const std::string& line, std::string_view name) {
  const Tree tree = ParseJson(line, "line");
  if (!tree.root || !tree.errors.empty()) {
    ADD_FAILURE() << "not JSON: " << line;
    return {};
  }
  for (const Node& member : tree.root->children)
    if (member.key == name) return member.text;
  return {};
}

}  // namespace egret
