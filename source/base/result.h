// Result<T, E>: a value, or why there is none. For the data path, where a Failure is a small value and nothing is
// thrown.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "source/base/check.h"

namespace egret {

// Why something could not be done, for a person to read.
struct Problem {
  std::string text;
};

template <class T, class E>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(E error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& value() {
    CHECK(ok());
    return *std::get_if<0>(&held_);
  }
  const T& value() const {
    CHECK(ok());
    return *std::get_if<0>(&held_);
  }
  const E& error() const {
    CHECK(!ok());
    return *std::get_if<1>(&held_);
  }

 private:
  std::variant<T, E> held_;
};

}  // namespace egret
