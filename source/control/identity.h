// Who a proxy may say that it is: what its certificate says of it.
//
// One of the certificate's names must be that of node and group:
//   spiffe://DOMAIN/ANY/PATH/GROUP/ID    the last two segments of a URI name
//   ID.GROUP                             a DNS name; the ID then has no dot
//   *.GROUP                              the same of whatever proxy of the group: they share a certificate, as the pods
//                                        of a Deployment do, and none is kept from saying that it is another
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace egret {

// `names`: the subject's alternative names of a certificate that was verified.
bool MayBe(const std::vector<std::string>& names, std::string_view id, std::string_view group);

}  // namespace egret
