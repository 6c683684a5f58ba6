#include "source/http/head.h"

#include <algorithm>
#include <cstring>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr size_t kUsualFields = 24;
constexpr size_t kNextBlock = 512;

bool Is(const Field& field, FieldName name) { return field.known == static_cast<uint8_t>(name); }

}  // namespace

std::string_view NameOf(Version version) {
  switch (version) {
    case Version::kHttp10:
      return "HTTP/1.0";
    case Version::kHttp11:
      return "HTTP/1.1";
    case Version::kHttp2:
      return "HTTP/2";
  }
  return "";
}

std::string_view Head::Keep(std::string_view text) {
  if (text.size() > room_.size()) {
    const size_t bytes = std::max(next_block_, text.size());
    next_block_ = kNextBlock;
    if (block_ != nullptr) full_blocks_.push_back(std::move(block_));
    block_.reset(new char[bytes]);
    room_ = {block_.get(), bytes};
  }
  char* const at = room_.data();
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  room_ = room_.subspan(text.size());
  return {at, text.size()};
}

const Field* Head::Find(FieldName name) const {
  if (!present_.Has(name)) return nullptr;
  for (const Field& field : fields_)
    if (Is(field, name)) return &field;
  return nullptr;
}

const Field* Head::Find(std::string_view name) const {
  for (const Field& field : fields_)
    if (EqualsIgnoreCase(field.name, name)) return &field;
  return nullptr;
}

size_t Head::Count(FieldName name) const {
  if (!present_.Has(name)) return 0;
  return static_cast<size_t>(
      std::count_if(fields_.begin(), fields_.end(), [name](const Field& f) { return Is(f, name); }));
}

void Head::Push(FieldName known, std::string_view name, std::string_view value) {
  if (fields_.capacity() == 0) fields_.reserve(kUsualFields);
  present_.Add(known);
  fields_.push_back({name, value, static_cast<uint8_t>(known)});
}

void Head::AddKept(std::string_view name, std::string_view value) { Push(LookUpFieldName(name), name, value); }

void Head::Add(FieldName name, std::string_view value) { Push(name, TextOf(name), Keep(value)); }

void Head::Add(std::string_view name, std::string_view value) { AddKept(Keep(name), Keep(value)); }

void Head::Set(FieldName name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void Head::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void Head::SetValue(size_t index, std::string_view value) { fields_[index].value = Keep(value); }

void Head::Remove(FieldName name) {
  if (!present_.Has(name)) return;
  RemoveIf([name](const Field& field) { return Is(field, name); });
}

void Head::Remove(std::string_view name) {
  RemoveIf([name](const Field& field) { return EqualsIgnoreCase(field.name, name); });
}

}  // namespace egret
