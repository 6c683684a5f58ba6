#include "source/config/judged.h"

#include <google/protobuf/descriptor.h>

#include <string>

#include "source/config/references.h"

namespace egret {

Judged::Judged(const config::v1::Bootstrap& valid) {
  const auto& reflection = *valid.GetReflection();
  for (const ResourceList& list : ResourceLists()) {
    const auto& field = *valid.GetDescriptor()->FindFieldByName(std::string(list.field));
    for (int i = 0; i < reflection.FieldSize(valid, &field); ++i)
      resources_.insert(&reflection.GetRepeatedMessage(valid, &field, i));
  }
}

}  // namespace egret
