// Domain sets: their names, and which sets each includes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "source/policy/compile.h"
#include "source/policy/errors.h"
#include "source/policy/program.h"

namespace egret {

// The names of a list, of this path, into a group.
void CompileNames(const std::vector<std::string>& list, std::string_view path, uint32_t group, NameList& names,
                  PolicyErrors& errors);

class SetCompiler {
 public:
  // All outlive it. `before` may be null. `gone`: groups whose names leave the index.
  SetCompiler(const PolicyChanges& changes, const Program* before, Program& program, NameList& names,
              std::vector<bool>& gone, PolicyErrors& errors)
      : changes_(changes), before_(before), program_(program), names_(names), gone_(gone), errors_(errors) {}

  // Makes the program's sets.
  void Run();
  // Whether other groups belong to it than before; or it was not there before, or is not there now.
  bool Moved(const std::string& name) const;
  // What to write instead of a name that there is not.
  std::string Known();

 private:
  CompiledSet SetOf(size_t index);
  void DropOthers();
  void CheckIncludes(const std::vector<CompiledSet>& sets);
  void CheckCircles(const std::vector<CompiledSet>& sets);
  std::vector<uint32_t> Closure(const CompiledSet& set) const;
  const CompiledSet* Before(const std::string& name) const;

  const PolicyChanges& changes_;
  const Program* const before_;
  Program& program_;
  NameList& names_;
  std::vector<bool>& gone_;
  PolicyErrors& errors_;
  std::unordered_map<std::string_view, size_t> by_name_;
  std::string known_;
  bool as_before_ = false;  // the same sets with the same includes
};

}  // namespace egret
