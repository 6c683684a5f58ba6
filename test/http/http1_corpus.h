// Requests and responses whose verdict must never change: what other software has been smuggled through with, and what
// ordinary clients send. Each is judged whole and cut at every byte (catalogue H22), and seeds the fuzzer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "source/base/failure.h"

namespace egret {

struct CorpusEntry {
  std::string_view row;  // of the catalogue
  std::string bytes;
  Fault verdict;  // of the head, or else of the content
};

// Every one is complete: the peer sends nothing more.
std::vector<CorpusEntry> RequestCorpus();
// Answers to a GET.
std::vector<CorpusEntry> ResponseCorpus();

}  // namespace egret
