#include "source/run/turning.h"

#include <dlfcn.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>

#include "source/base/strings.h"

namespace egret {
namespace {

// Where connections that are turned come from: loopback's own address is not one to leave from.
constexpr uint32_t kSource4 = 0xc613fffe;  // 198.19.255.254
constexpr in6_addr kSource6 = {{{0xfd, 'e', 'g', 'r', 'e', 't', 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}}};
constexpr uint32_t kLocal = 0x80000000;  // RTF_LOCAL, whose header does not go together with net/route.h

// libnftables, where it is installed: nothing else of the program needs it.
class Nftables {
 public:
  Nftables() : library_(dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL)) {}
  ~Nftables() {
    if (library_ != nullptr) dlclose(library_);
  }
  Nftables(const Nftables&) = delete;
  Nftables& operator=(const Nftables&) = delete;

  // Empty: they hold.
  std::string Run(const std::string& rules) const {
    if (library_ == nullptr) return "libnftables is not installed (Debian: libnftables1)";
    const auto make = Find<void* (*)(uint32_t)>("nft_ctx_new");
    const auto end = Find<void (*)(void*)>("nft_ctx_free");
    const auto keep = Find<int (*)(void*)>("nft_ctx_buffer_error");
    const auto said = Find<const char* (*)(void*)>("nft_ctx_get_error_buffer");
    const auto run = Find<int (*)(void*, const char*)>("nft_run_cmd_from_buffer");
    if (make == nullptr || end == nullptr || keep == nullptr || said == nullptr || run == nullptr)
      return "libnftables is another one than it was";
    void* const context = make(0);
    keep(context);
    std::string why;
    if (run(context, rules.c_str()) != 0) {
      const std::string_view text = said(context);
      why = Cat("nftables: ", text.substr(0, text.find('\n')));
    }
    end(context);
    return why;
  }

 private:
  template <class Function>
  Function Find(const char* name) const {
    return reinterpret_cast<Function>(dlsym(library_, name));
  }
  void* const library_;
};

sockaddr AsSockaddr(uint32_t address) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(address);
  sockaddr out;
  std::memcpy(&out, &in, sizeof out);
  return out;
}

bool Control(int fd, unsigned long request, void* argument) { return ioctl(fd, request, argument) == 0; }

bool GiveAddress4(int fd) {
  ifreq request{};
  std::strcpy(request.ifr_name, "lo:1");
  request.ifr_addr = AsSockaddr(kSource4);
  if (!Control(fd, SIOCSIFADDR, &request)) return false;
  request.ifr_netmask = AsSockaddr(0xffffffff);
  return Control(fd, SIOCSIFNETMASK, &request);
}

bool RouteAll4(int fd) {
  char device[] = "lo";
  rtentry route{};
  route.rt_dst = route.rt_genmask = AsSockaddr(0);
  route.rt_flags = RTF_UP;
  route.rt_dev = device;
  return Control(fd, SIOCADDRT, &route);
}

// Where IPv6 is switched off nothing of it leaves, and programs take the other addresses.
void OpenWay6() {
  struct {
    in6_addr address;
    uint32_t prefix;
    int interface;
  } own = {kSource6, 128, static_cast<int>(if_nametoindex("lo"))};  // in6_ifreq, whose header goes with no other
  in6_rtmsg route{};
  route.rtmsg_flags = RTF_UP | kLocal;
  route.rtmsg_metric = 1024;
  route.rtmsg_ifindex = own.interface;
  const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  if (Control(fd, SIOCSIFADDR, &own)) Control(fd, SIOCADDRT, &route);
  close(fd);
}

// What leaves has to have somewhere to go before it can be turned.
bool OpenWays() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool open = GiveAddress4(fd) && RouteAll4(fd);
  close(fd);
  OpenWay6();
  return open;
}

}  // namespace

std::string RulesOf(const TurnTo& to) {
  return Cat(R"(table inet egret {
  chain turn {
    type nat hook output priority -100; policy accept;
    meta nfproto ipv4 udp dport 53 redirect to :)",
             to.dns4, R"(
    meta nfproto ipv6 udp dport 53 redirect to :)",
             to.dns6, R"(
    tcp dport 53 redirect to :)",
             to.dns, R"(
    ip daddr 127.0.0.0/8 return
    ip6 daddr ::1 return
    meta l4proto tcp redirect to :)",
             to.tcp, R"(
  }
  chain stay {
    type filter hook output priority 0; policy accept;
    ct state established,related accept
    ip daddr 127.0.0.0/8 accept
    ip6 daddr ::1 accept
    meta l4proto { icmp, ipv6-icmp } accept
    reject
  }
}
)");
}

std::string TurnTraffic(const TurnTo& to) {
  if (std::string why = Nftables().Run(RulesOf(to)); !why.empty()) return why;
  return OpenWays() ? "" : Cat("no routes: ", std::strerror(errno));
}

}  // namespace egret
