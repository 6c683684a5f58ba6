// Memory for records. A TLS session borrows a block of 16 KiB and somewhat more for each record that it reads or
// writes, so that an idle one holds none (SSL_MODE_RELEASE_BUFFERS). To the heap such a block is a large one: giving it
// out takes a search and taking it back a merge with what is free beside it. So each thread keeps the few that it used
// last.
#pragma once

namespace egret {

// Of the whole process, before anything else is asked of OpenSSL; else, and under AddressSanitizer, it does nothing.
void KeepRecordMemory();

}  // namespace egret
