// A part of the compiled configuration that came from files beside it, and can be made anew when they change.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/current.h"
#include "source/base/result.h"
#include "source/tls/certificates.h"

namespace egret {

struct Renewable {
  std::string what;                // for people: "listener egress"
  std::vector<std::string> files;  // none: there is nothing to watch
  std::string stamp;               // of the files, before they were read
  // Reads them again and puts the result in force. Where that fails, what is in force stays.
  std::function<std::optional<Problem>()> renew;
  std::function<std::vector<TlsExpiry>()> expiries;  // of what is in force
};

// Changes whenever one of the files does: another file, another size or time, or gone.
std::string StampOf(const std::vector<std::string>& files);

// Of that name, in a validated bootstrap.
const config::v1::Secret& FindSecret(const config::v1::Bootstrap& bootstrap, const std::string& name);

// A source that is not set is an empty text. The problem names secret and field.
Result<std::string, Problem> ReadPart(const config::v1::DataSource& source, const config::v1::Secret& secret,
                                      std::string_view field);

// What can be made anew from the same messages: the object that is in force, and how. `part.files` is set.
template <class T, class Make>
Result<std::shared_ptr<const Current<T>>, Problem> MakeCurrent(Make make, Renewable& part) {
  part.stamp = StampOf(part.files);
  Result<std::shared_ptr<const T>, Problem> first = make();
  if (!first) return first.error();
  const auto current = std::make_shared<Current<T>>(std::move(*first));
  part.renew = [make = std::move(make), current]() -> std::optional<Problem> {
    Result<std::shared_ptr<const T>, Problem> next = make();
    if (!next) return next.error();
    current->Set(std::move(*next));
    return std::nullopt;
  };
  part.expiries = [current] { return current->Get()->expiries(); };
  return std::shared_ptr<const Current<T>>(current);
}

}  // namespace egret
