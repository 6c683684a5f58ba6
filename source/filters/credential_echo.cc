#include "source/filters/credential_echo.h"

#include <string>

namespace egret {
namespace {

bool IsIn(std::string_view value, const CredentialEcho& echo) {
  return echo.credential.text().size() >= CredentialEcho::kShortest &&
         value.find(echo.credential.text()) != std::string_view::npos;
}

std::string Without(std::string value, const CredentialEcho& echo) {
  const std::string_view credential = echo.credential.text();
  for (size_t at = 0; (at = value.find(credential, at)) != std::string::npos; at += echo.placeholder.size())
    value.replace(at, credential.size(), echo.placeholder);
  return value;
}

}  // namespace

void TakeOutEchoes(Head& head, const std::vector<CredentialEcho>& echoes) {
  for (size_t i = 0; i < head.fields().size(); ++i)
    for (const CredentialEcho& echo : echoes)
      if (IsIn(head.fields()[i].value, echo)) head.SetValue(i, Without(std::string(head.fields()[i].value), echo));
}

}  // namespace egret
