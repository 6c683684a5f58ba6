// The two kinds of filter, both middleware: a filter takes what it is given, learns or transforms, and passes it to
// `next`. A filter is a coroutine, so it reads from top to bottom. Filters are shared by all workers and const; what
// must be remembered lives in the Connection, the Exchange or the Worker.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "source/chain/response.h"
#include "source/event/task.h"

namespace egret {

struct Connection;
class Exchange;
class HttpFilter;
class NetworkFilter;
struct ListenerChains;

using NetworkFilters = std::vector<std::unique_ptr<const NetworkFilter>>;
using HttpFilters = std::vector<std::unique_ptr<const HttpFilter>>;

// The rest of a chain of network filters. After the last listener filter the connection chooses a filter chain
// (listener.h).
class NetworkNext {
 public:
  NetworkNext(std::span<const std::unique_ptr<const NetworkFilter>> rest, const ListenerChains* choose)
      : rest_(rest), choose_(choose) {}
  // The task holds its own copy of the rest, so this may be a temporary.
  [[clang::coro_wrapper, clang::coro_disable_lifetimebound]] Task<void> operator()(Connection& connection) const;

 private:
  std::span<const std::unique_ptr<const NetworkFilter>> rest_;
  const ListenerChains* choose_;  // null: the last filter is terminal
};

class NetworkFilter {
 public:
  virtual ~NetworkFilter() = default;
  virtual Task<void> Handle(Connection& connection, NetworkNext next) const = 0;
};

class HttpNext {
 public:
  explicit HttpNext(std::span<const std::unique_ptr<const HttpFilter>> rest) : rest_(rest) {}
  [[clang::coro_wrapper, clang::coro_disable_lifetimebound]] Task<Response> operator()(Exchange& exchange) const;

 private:
  std::span<const std::unique_ptr<const HttpFilter>> rest_;
};

class HttpFilter {
 public:
  virtual ~HttpFilter() = default;
  virtual Task<Response> Handle(Exchange& exchange, HttpNext next) const = 0;
};

}  // namespace egret
