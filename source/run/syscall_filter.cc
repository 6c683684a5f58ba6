#include "source/run/syscall_filter.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace egret {
namespace {

using Program = std::vector<sock_filter>;

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64, kForeignSocket = 359, kForeignAddKey = 286;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64, kForeignSocket = 281, kForeignAddKey = 309;
#else
#error "which architecture is this, and which is its 32-bit one?"
#endif
constexpr uint32_t kForeignIoctl = 54, kForeignSocketcall = 102;  // of i386; ARM has the first alike
constexpr uint32_t kX32 = 0x40000000;                             // and above
constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;

constexpr uint32_t Refuse(uint32_t error) { return SECCOMP_RET_ERRNO | error; }

void Load(Program& program, size_t offset) {
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
}
void Return(Program& program, uint32_t action) { program.push_back(BPF_STMT(BPF_RET | BPF_K, action)); }
// Where what was loaded is another value, goes on behind the next `skipped`.
void Only(Program& program, uint32_t value, size_t skipped, uint16_t how = BPF_JEQ) {
  program.push_back(BPF_JUMP(static_cast<uint16_t>(BPF_JMP | how | BPF_K), value, 0, static_cast<uint8_t>(skipped)));
}
void RefuseCall(Program& program, uint32_t number, uint32_t error) {
  Only(program, number, 1);
  Return(program, Refuse(error));
}

// A call whose argument is one of `values` has `listed` come of it, else `others`. Little endian: the low half comes
// first, and the kernel looks at no more of these.
void ByArgument(Program& program, uint32_t number, size_t argument, const std::vector<uint32_t>& values,
                uint32_t listed, uint32_t others) {
  Only(program, number, 2 + 2 * values.size());
  Load(program, offsetof(seccomp_data, args) + argument * sizeof(uint64_t));
  for (const uint32_t value : values) {
    Only(program, value, 1);
    Return(program, listed);
  }
  Return(program, others);
}

struct Numbers {
  uint32_t ioctl, socket;
  uint32_t add_key, request_key, keyctl;
};

// What is the same whichever ABI it comes by; then nothing is left to refuse.
void JudgeCall(Program& program, Numbers numbers) {
  RefuseCall(program, SYS_io_uring_setup, ENOSYS);  // of one number everywhere
  // Keyrings are the host's: a key that is asked for has the kernel run a program (request-key) outside of the fence.
  for (const uint32_t number : {numbers.add_key, numbers.request_key, numbers.keyctl})
    RefuseCall(program, number, ENOSYS);
  ByArgument(program, numbers.ioctl, 1, {TIOCSTI, TIOCLINUX}, Refuse(EPERM), kAllow);
  ByArgument(program, numbers.socket, 0, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}, kAllow, Refuse(EAFNOSUPPORT));
  Return(program, kAllow);
}

Program Make() {
  Program native, foreign, program;
  Load(native, offsetof(seccomp_data, nr));
  Only(native, kX32, 1, BPF_JGE);
  Return(native, Refuse(ENOSYS));
  JudgeCall(native, {.ioctl = SYS_ioctl,
                     .socket = SYS_socket,
                     .add_key = SYS_add_key,
                     .request_key = SYS_request_key,
                     .keyctl = SYS_keyctl});
  Load(foreign, offsetof(seccomp_data, nr));
  RefuseCall(foreign, kForeignSocketcall, ENOSYS);  // whose arguments cannot be seen; there is socket() in its place
  JudgeCall(foreign, {.ioctl = kForeignIoctl,
                      .socket = kForeignSocket,
                      .add_key = kForeignAddKey,
                      .request_key = kForeignAddKey + 1,
                      .keyctl = kForeignAddKey + 2});
  Load(program, offsetof(seccomp_data, arch));
  Only(program, kArchitecture, native.size());
  program.insert(program.end(), native.begin(), native.end());
  program.insert(program.end(), foreign.begin(), foreign.end());
  return program;
}

}  // namespace

bool FilterSyscalls() {
  Program program = Make();
  sock_fprog given{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  // Speculation is the kernel's own default: the filter keeps nothing secret.
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &given) == 0;
}

}  // namespace egret
