// What the command sees of the file system behind the fence that it would not see outside. Nothing of it is on a disk.
#pragma once

#include <string>

#include "source/run/environment.h"

namespace egret {

// In a mount namespace of the caller's own: /proc of the own processes where it is to be had, and no way to the host's
// name services past the network. False: the kernel refused (errno).
bool HangMounts();
// /etc/resolv.conf names loopback and no domains to try, each of which would exist here. Where there is none, so be it.
void HangResolverFile();
// What these descriptors hold takes the place of the system's root certificates, as PEM and as a trust store for Java;
// the latter is put into an empty folder where the system has none. A path that is empty: it cannot be.
TrustPaths HangTrust(int pem, int java);

}  // namespace egret
