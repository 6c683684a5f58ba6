// What a CA may speak for (RFC 5280 4.2.1.10): a leaf for any other name would be refused by every client, so it is not
// minted in the first place.
#pragma once

#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/tls/certificates.h"
#include "source/tls/leaf_names.h"

namespace egret {

class NameConstraints {
 public:
  // Adds those of one certificate of the CA's chain; most have none. False: they cannot be read.
  bool AddOf(const X509* ca);

  bool empty() const { return all_.empty(); }
  // Why a leaf may not bear this name, in the library's words; nothing: it may.
  std::optional<std::string> Refuse(const LeafName& name) const;
  // Whether they speak of subjects as well: a leaf whose subject is empty is within them.
  bool limit_subjects() const { return limit_subjects_; }

 private:
  std::vector<std::unique_ptr<NAME_CONSTRAINTS, FreeWith<NAME_CONSTRAINTS_free>>> all_;
  bool limit_subjects_ = false;
};

}  // namespace egret
