// Kernel pipes for splice(), kept for reuse on each thread. Few: the kernel limits pipe memory by user, and only a
// relay that carries bulk needs one.
#pragma once

#include <cstddef>
#include <optional>

namespace egret {

// A pipe borrowed from the thread's pool. Given back when it dies, unless bytes are left in it: then it is closed.
class PipeLoan {
 public:
  static constexpr size_t kBytes = size_t{256} << 10;
  static constexpr size_t kMostPerThread = 16;

  // Nothing where all are in use or the kernel gives none of this size. Ignores SIGPIPE in this process where nobody
  // else has decided about it.
  static std::optional<PipeLoan> Take();

  ~PipeLoan();
  PipeLoan(PipeLoan&& other) noexcept;
  PipeLoan& operator=(PipeLoan&& other) noexcept;

  int read_end() const { return ends_.read; }
  int write_end() const { return ends_.write; }

  size_t held = 0;  // bytes that the borrower put in and has not taken out

 private:
  struct Ends {
    int read = -1, write = -1;
  };
  struct Pool;
  explicit PipeLoan(Ends ends) : ends_(ends) {}
  static std::optional<Ends> Make();
  Ends ends_;
};

}  // namespace egret
