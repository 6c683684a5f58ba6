// A part of the compiled configuration that is made of secrets, and can be made anew when they change: when their files
// do, or when others are pushed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/base/current.h"
#include "source/base/result.h"
#include "source/config/file.h"
#include "source/config/secret_table.h"
#include "source/tls/certificates.h"

namespace egret {

// Puts in force what was made. Fails never; may be called on any thread.
using Commit = std::function<void()>;

struct Renewable {
  std::string what;                  // for people: "listener egress"
  std::vector<std::string> secrets;  // by name
  std::string stamp;                 // of their files, before they were read
  // Makes it of these secrets. Where that fails, or the result is not committed, what is in force stays. On any thread;
  // needs nothing but the table to be alive.
  std::function<Result<Commit, Problem>(const SecretTable&)> make;
  std::function<std::vector<TlsExpiry>()> expiries;  // of what is in force
};

// The object that is in force, and how to make the next. `make(table)` gives a Result<std::shared_ptr<const T>,
// Problem> and holds all else that it needs; `part.secrets` is set.
template <class T, class Make>
Result<std::shared_ptr<const Current<T>>, Problem> MakeCurrent(const SecretTable& secrets, Make make, Renewable& part) {
  part.stamp = StampOf(secrets.FilesOf(part.secrets));
  Result<std::shared_ptr<const T>, Problem> first = make(secrets);
  if (!first) return first.error();
  const auto current = std::make_shared<Current<T>>(std::move(*first));
  part.make = [make = std::move(make), current](const SecretTable& of) -> Result<Commit, Problem> {
    Result<std::shared_ptr<const T>, Problem> next = make(of);
    if (!next) return next.error();
    return Commit([current, made = std::move(*next)] { current->Set(made); });
  };
  part.expiries = [current] {
    if constexpr (requires(const T& one) { one.expiries(); }) {
      return current->Get()->expiries();
    } else {
      return std::vector<TlsExpiry>();
    }
  };
  return std::shared_ptr<const Current<T>>(current);
}

}  // namespace egret
