// The preview of a candidate on the proxies of a group, for one operator: begins and ends with the stream.
#pragma once

#include "egret/control/v1/control.pb.h"
#include "source/control/change_watch.h"
#include "source/control/group.h"
#include "source/control/group_preview.h"
#include "source/control/news_call.h"
#include "source/control/switchboard.h"

namespace egret {

class PreviewCall final : public NewsCall<control::v1::PreviewNews> {
 public:
  // The request is checked; all but the files outlive the stream.
  PreviewCall(const control::v1::PreviewRequest& request, GroupFiles files, Switchboard& switchboard,
              ChangeWatch& watch);

 private:
  grpc::Status Run() override;
  grpc::Status Follow(GroupPreview& preview);

  const control::v1::PreviewRequest& request_;
  const GroupFiles files_;
  Switchboard& switchboard_;
  ChangeWatch& watch_;
};

}  // namespace egret
