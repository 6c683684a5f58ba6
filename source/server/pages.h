// The pages of the admin interface: one table of what there is, and the pages that need nobody but the server itself.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "source/server/admin.h"
#include "source/server/server_view.h"

namespace egret {

struct Page {
  enum class Methods : uint8_t { kGet, kPost, kGetOrPost };

  std::string_view path;
  Methods methods = Methods::kGet;
  bool for_scrapers = false;  // also served on the metrics address
  std::string_view says;      // one line for people
  Task<AdminReply> (*answer)(const ServerView& server, const AdminRequest& request) = nullptr;
  size_t most_content = 0;  // bytes that a request may carry
};

std::span<const Page> AllPages();

// Serves the table: everything, or only what scrapers and probes need. `server` outlives it.
class Pages final : public AdminPages {
 public:
  enum class Audience : uint8_t { kOperator, kScraper };

  Pages(const ServerView& server, Audience audience) : server_(server), audience_(audience) {}
  Task<AdminReply> Answer(AdminRequest request) override;
  size_t MostContent(const AdminRequest& request) const override;
  bool guarded() const override { return audience_ == Audience::kOperator; }

 private:
  const ServerView& server_;
  Audience audience_;
};

}  // namespace egret
