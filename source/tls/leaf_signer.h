// Who signs minted leaves: the CA's key in this process, or somebody outside who keeps it (an HSM, a service).
#pragma once

#include "source/base/result.h"
#include "source/event/task.h"
#include "source/tls/certificates.h"

namespace egret {

class LeafSigner {
 public:
  virtual ~LeafSigner() = default;

  // `leaf`: a certificate that is whole but for its signature and the name of the algorithm, which stands in it twice
  // (RFC 5280 4.1.1.2). Gives it back signed, or says why not. Called on every worker's thread, from many tasks at
  // once; a caller that goes away destroys the task. Whoever asks bounds the time, and checks the signature.
  virtual Task<Result<X509Ptr, Problem>> Sign(X509Ptr leaf) const = 0;
};

}  // namespace egret
