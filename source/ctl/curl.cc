#include "source/ctl/curl.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/strings.h"

namespace egret {
namespace {

enum class Effect : uint8_t { kNone, kMethod, kHeader, kField, kForm, kData, kUpload, kHead, kGet, kUrl, kUser, kAsIs };

struct Option {
  char letter;  // 0: none
  bool takes_value;
  Effect effect;
  std::string_view name;
  std::string_view text = {};  // the field's name; of data, its type
};

constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

// What people paste. Browsers' "copy as cURL" uses a few of them.
constexpr Option kOptions[] = {
    {'X', true, Effect::kMethod, "request"},
    {'H', true, Effect::kHeader, "header"},
    {'A', true, Effect::kField, "user-agent", "User-Agent"},
    {'e', true, Effect::kField, "referer", "Referer"},
    {'b', true, Effect::kField, "cookie", "Cookie"},
    {'r', true, Effect::kNone, "range"},
    {'d', true, Effect::kData, "data", kFormType},
    {0, true, Effect::kData, "data-ascii", kFormType},
    {0, true, Effect::kData, "data-binary", kFormType},
    {0, true, Effect::kData, "data-raw", kFormType},
    {0, true, Effect::kData, "data-urlencode", kFormType},
    {0, true, Effect::kData, "json", "application/json"},
    {'F', true, Effect::kForm, "form"},
    {'T', true, Effect::kUpload, "upload-file"},
    {'I', false, Effect::kHead, "head"},
    {'G', false, Effect::kGet, "get"},
    {0, true, Effect::kUrl, "url"},
    {'U', true, Effect::kUser, "proxy-user"},
    {0, false, Effect::kAsIs, "path-as-is"},
    {'x', true, Effect::kNone, "proxy"},
    {'u', true, Effect::kNone, "user"},
    {'o', true, Effect::kNone, "output"},
    {'w', true, Effect::kNone, "write-out"},
    {'m', true, Effect::kNone, "max-time"},
    {'c', true, Effect::kNone, "cookie-jar"},
    {'E', true, Effect::kNone, "cert"},
    {0, true, Effect::kNone, "cacert"},
    {0, true, Effect::kNone, "proxy-cacert"},
    {0, true, Effect::kNone, "proxy-header"},
    {0, true, Effect::kNone, "key"},
    {0, true, Effect::kNone, "connect-timeout"},
    {0, true, Effect::kNone, "noproxy"},
    {0, true, Effect::kNone, "resolve"},
    {0, true, Effect::kNone, "retry"},
    {0, true, Effect::kNone, "retry-delay"},
    {0, true, Effect::kNone, "max-redirs"},
    {0, true, Effect::kNone, "limit-rate"},
    {'s', false, Effect::kNone, "silent"},
    {'S', false, Effect::kNone, "show-error"},
    {'L', false, Effect::kNone, "location"},
    {'f', false, Effect::kNone, "fail"},
    {0, false, Effect::kNone, "fail-with-body"},
    {'v', false, Effect::kNone, "verbose"},
    {'i', false, Effect::kNone, "include"},
    {'k', false, Effect::kNone, "insecure"},
    {'O', false, Effect::kNone, "remote-name"},
    {'J', false, Effect::kNone, "remote-header-name"},
    {'N', false, Effect::kNone, "no-buffer"},
    {'g', false, Effect::kNone, "globoff"},
    {'#', false, Effect::kNone, "progress-bar"},
    {'p', false, Effect::kNone, "proxytunnel"},
    {'4', false, Effect::kNone, "ipv4"},
    {'6', false, Effect::kNone, "ipv6"},
    {'0', false, Effect::kNone, "http1.0"},
    {0, false, Effect::kNone, "http1.1"},
    {0, false, Effect::kNone, "http2"},
    {0, false, Effect::kNone, "compressed"},
    {0, false, Effect::kNone, "no-progress-meter"},
};

template <class Predicate>
const Option* Find(Predicate matches) {
  const auto* found = std::find_if(std::begin(kOptions), std::end(kOptions), matches);
  return found == std::end(kOptions) ? nullptr : found;
}

Problem Unknown(std::string_view option) {
  return {Cat("curl's ", option, " is not understood; leave it out, or ask METHOD URL")};
}

// RFC 3986 5.2.4 over the path of a URL: curl takes dot segments out before it sends.
std::string WithoutDotSegments(std::string_view url) {
  const size_t authority = url.find("://") + 3;
  const size_t start = std::min(url.find('/', authority), url.size());
  const size_t end = std::min(url.find_first_of("?#", authority), url.size());
  if (start >= end) return std::string(url);
  std::vector<std::string_view> kept;
  std::string_view rest = url.substr(start + 1, end - start - 1);
  for (bool more = true; more;) {
    more = rest.find('/') != std::string_view::npos;
    const std::string_view segment = SplitFirst(rest, '/');
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (segment != "." && segment != "..")
      kept.push_back(segment);
    else if (!more)
      kept.emplace_back();  // "/a/.." is "/"
  }
  std::string out(url.substr(0, start));
  for (const std::string_view segment : kept) Append(out, "/", segment);
  if (kept.empty()) out += '/';
  return out.append(url.substr(end));
}

class CurlCommand {
 public:
  Result<Asked, Problem> Read(std::span<const std::string> arguments) {
    for (size_t i = 0; i < arguments.size(); ++i) {
      const std::string_view argument = arguments[i];
      auto problem = argument.starts_with("--") && argument.size() > 2 ? Long(arguments, i)
                     : argument.starts_with('-') && argument.size() > 1 && argument != "--"
                         ? Short(arguments, i)
                         : Url(argument == "--" ? std::string_view() : argument);
      if (problem) return *std::move(problem);
    }
    if (url_.empty()) return Problem{"no URL in the curl command; add it"};
    return Finish();
  }

 private:
  std::optional<Problem> Long(std::span<const std::string> arguments, size_t& i) {
    const std::string_view name = std::string_view(arguments[i]).substr(2);
    const Option* option = Find([&](const Option& o) { return o.name == name; });
    if (option == nullptr) return Unknown(arguments[i]);
    if (!option->takes_value) return Take(*option, "");
    if (i + 1 == arguments.size()) return Problem{Cat("nothing after curl's ", arguments[i], "; add its value")};
    return Take(*option, arguments[++i]);
  }

  // Letters may stand together, a value right behind its letter: -sSXPOST.
  std::optional<Problem> Short(std::span<const std::string> arguments, size_t& i) {
    const std::string_view argument = arguments[i];
    for (size_t at = 1; at < argument.size(); ++at) {
      const Option* option = Find([&](const Option& o) { return o.letter == argument[at]; });
      if (option == nullptr) return Unknown(Cat('-', argument[at]));
      if (!option->takes_value) {
        if (auto problem = Take(*option, "")) return problem;
        continue;
      }
      if (at + 1 < argument.size()) return Take(*option, argument.substr(at + 1));
      if (i + 1 == arguments.size()) return Problem{Cat("nothing after curl's -", argument[at], "; add its value")};
      return Take(*option, arguments[++i]);
    }
    return std::nullopt;
  }

  std::optional<Problem> Url(std::string_view url) {
    if (url.empty()) return std::nullopt;
    if (!url_.empty()) return Problem{Cat(url, ": a second URL; ask about one at a time")};
    url_ = url.find("://") == std::string_view::npos ? Cat("http://", url) : std::string(url);
    return std::nullopt;
  }

  std::optional<Problem> Take(const Option& option, std::string_view value) {
    switch (option.effect) {
      case Effect::kMethod:
        method_ = value;
        break;
      case Effect::kHeader:
        return Header(value);
      case Effect::kField:
        headers_.push_back({std::string(option.text), std::string(value)});
        break;
      case Effect::kForm:
        implied_ = "POST";
        break;
      case Effect::kData:
        implied_ = "POST";
        type_ = option.text;
        break;
      case Effect::kUpload:
        implied_ = "PUT";
        break;
      case Effect::kHead:
        head_ = true;
        break;
      case Effect::kGet:
        get_ = true;
        break;
      case Effect::kUrl:
        return Url(value);
      case Effect::kUser:
        user_ = value.substr(0, value.find(':'));
        break;
      case Effect::kAsIs:
        as_is_ = true;
        break;
      case Effect::kNone:
        break;
    }
    return std::nullopt;
  }

  // "Name:" takes out one that curl would add, "Name;" is one without a value.
  std::optional<Problem> Header(std::string_view line) {
    std::optional<HeaderLine> header = ParseHeaderLine(line);
    if (!header && line.ends_with(';')) header = ParseHeaderLine(Cat(line.substr(0, line.size() - 1), ":"));
    if (!header) return Problem{Cat(line, ": not a header; write -H 'Name: value'")};
    if (header->value.empty() && !line.ends_with(';'))
      taken_out_.push_back(header->name);
    else
      headers_.push_back(*std::move(header));
    return std::nullopt;
  }

  void AddUnlessSaid(std::string_view name, std::string_view value) {
    const auto same = [&](const HeaderLine& header) { return EqualsIgnoreCase(header.name, name); };
    const auto out = [&](const std::string& taken) { return EqualsIgnoreCase(taken, name); };
    if (std::any_of(headers_.begin(), headers_.end(), same)) return;
    if (std::any_of(taken_out_.begin(), taken_out_.end(), out)) return;
    headers_.push_back({std::string(name), std::string(value)});
  }

  // A URL's user goes into Authorization, which curl does not send to the proxy in the URL.
  void DropUserinfo() {
    const size_t start = url_.find("://") + 3;
    const size_t end = std::min(url_.find_first_of("/?#", start), url_.size());
    const size_t at = url_.substr(0, end).rfind('@');
    if (at != std::string::npos && at >= start) url_.erase(start, at + 1 - start);
  }

  Result<Asked, Problem> Finish() {
    DropUserinfo();
    if (!as_is_) url_ = WithoutDotSegments(url_);
    const std::string_view otherwise = head_ ? "HEAD" : get_ || implied_.empty() ? "GET" : implied_;
    Result<Asked, Problem> asked = AskFor(method_.empty() ? otherwise : method_, url_);
    if (!asked) return asked;
    if (!type_.empty() && !get_) AddUnlessSaid("Content-Type", type_);
    AddUnlessSaid("Accept", type_ == "application/json" ? type_ : "*/*");
    asked->headers = std::move(headers_);
    if (user_.empty()) return asked;
    asked->identity.emplace();
    asked->identity->user = user_;
    asked->identity->assurance = Assurance::kToken;
    return asked;
  }

  std::string url_;
  std::string method_;
  std::string_view implied_;  // by a body
  std::string_view type_;     // of that body
  std::string user_;
  std::vector<HeaderLine> headers_;
  std::vector<std::string> taken_out_;
  bool head_ = false;
  bool get_ = false;
  bool as_is_ = false;
};

}  // namespace

Result<Asked, Problem> AskAsCurl(std::span<const std::string> arguments) { return CurlCommand().Read(arguments); }

}  // namespace egret
