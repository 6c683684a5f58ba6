// The command line of egretctl explain.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/ctl/question.h"

namespace egret {

struct ExplainOptions {
  std::optional<std::string> config;
  std::optional<std::string> policy;  // names, separated by commas
  std::optional<std::string> listener;
  bool json = false;
  bool resolve = false;
  // Facts beside those of the request itself.
  std::optional<std::string> from;
  std::optional<std::string> user;
  std::vector<std::string> groups;
  std::optional<std::string> spiffe_id;
  std::optional<std::string> kube_namespace;
  std::optional<std::string> service_account;
  std::vector<std::string> claims;
  std::optional<std::string> assurance;
  std::vector<std::string> headers;
  std::vector<std::string> resolved;
  std::optional<std::string> sni;
  std::optional<std::string> ja3;
  std::optional<std::string> ja4;
  bool ech = false;
  std::optional<std::string> protocol;
  std::optional<std::string> inner;
  std::optional<std::string> at;
  std::vector<std::string> request;  // the words that are no options; from the word curl on, everything
};

Result<ExplainOptions, Problem> ParseExplainOptions(std::span<const std::string> arguments);

// Adds the facts that options give; they outrank those of a log line.
std::optional<Problem> AddFacts(const ExplainOptions& options, Asked& asked);

}  // namespace egret
