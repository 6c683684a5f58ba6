#include "source/config/check_mitm.h"

#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/config/walk.h"
#include "source/policy/pattern.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Listener;
using filters::network::v1::MitmTerminator;

class MitmChecker {
 public:
  std::vector<ConfigError> Take() { return std::move(errors_); }

  template <class Filters>
  void CheckChain(const Filters& filters, const std::string& path) {
    bool decrypted = false;
    for (int i = 0; i < filters.size(); ++i) {
      const std::string at = Below(path, static_cast<size_t>(i));
      if (filters[i].has_mitm_terminator()) {
        if (decrypted) Add(at, "", "what it would decrypt is in clear already", "keep one");
        decrypted = true;
        CheckFilter(filters[i].mitm_terminator(), Below(at, "mitm_terminator"));
      } else if (decrypted && filters[i].has_tcp_relay()) {
        Add(at, "", "what was decrypted would leave in clear, and unread", "end the chain in http_connection");
      } else if (decrypted && filters[i].has_http_connection()) {
        CheckRouters(filters[i].http_connection(), Below(at, "http_connection.filters"));
      }
    }
  }

 private:
  void Add(const std::string& path, std::string value, std::string why, std::string remedy) {
    errors_.push_back({.field = path, .value = std::move(value), .why = std::move(why), .remedy = std::move(remedy)});
  }

  void CheckFilter(const MitmTerminator& filter, const std::string& path) {
    if (filter.authority().empty())
      Add(Below(path, "authority"), "", "no CA to sign what clients are shown",
          "make one with `egretctl ca init`, and name its secret");
    if (filter.origin() == MitmTerminator::LAZY && filter.on_origin_failure() == MitmTerminator::UNTRUSTED_LEAF)
      Add(Below(path, "on_origin_failure"), "UNTRUSTED_LEAF",
          "with origin: LAZY the client has its certificate before the destination is asked", "write origin: EAGER");
    CheckTls(filter.tls(), Below(path, "tls"));
    for (int i = 0; i < filter.destinations_size(); ++i)
      CheckDestination(filter.destinations(i), Below(Below(path, "destinations"), static_cast<size_t>(i)));
  }

  void CheckDestination(const MitmTerminator::Destination& destination, const std::string& path) {
    for (int i = 0; i < destination.domains_size(); ++i) {
      const Result<DomainPattern, std::string> pattern = ParsePattern(destination.domains(i));
      if (!pattern)
        Add(Below(Below(path, "domains"), static_cast<size_t>(i)), ShownValue(destination.domains(i)),
            "not a name or a pattern of names", pattern.error());
    }
    CheckTls(destination.tls(), Below(path, "tls"));
    if (destination.unverified() && !destination.tls().trust().empty())
      Add(Below(path, "unverified"), "true", "trust is given, and nobody would look at it", "keep one of the two");
    if (destination.unverified() && destination.tls().ocsp() != config::v1::ClientTls::STAPLE_IF_GIVEN)
      Add(Below(path, "unverified"), "true", "a staple is required, and nobody would look at it",
          "keep one of the two");
  }

  void CheckTls(const config::v1::ClientTls& tls, const std::string& path) {
    if (!tls.server_name().empty())
      Add(Below(path, "server_name"), ShownValue(tls.server_name()),
          "each destination's certificate has to be for the destination's own name", "leave it out");
  }

  void CheckRouters(const filters::network::v1::HttpConnection& connection, const std::string& path) {
    for (int i = 0; i < connection.filters_size(); ++i)
      if (connection.filters(i).forward_router().has_tls())
        Add(Below(Below(path, static_cast<size_t>(i)), "forward_router.tls"), "",
            "behind mitm_terminator its TLS holds for every connection to the destination",
            "move it to mitm_terminator");
  }

  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> CheckMitm(const Bootstrap& bootstrap) {
  MitmChecker checker;
  for (int i = 0; i < bootstrap.listeners_size(); ++i) {
    const Listener& listener = bootstrap.listeners(i);
    const std::string path = Below("listeners", static_cast<size_t>(i));
    checker.CheckChain(listener.filters(), Below(path, "filters"));
    for (int j = 0; j < listener.filter_chains_size(); ++j)
      checker.CheckChain(listener.filter_chains(j).filters(),
                         Below(Below(Below(path, "filter_chains"), static_cast<size_t>(j)), "filters"));
  }
  return checker.Take();
}

}  // namespace egret
