// ext_authz around a chain that answers by itself, asking a service that answers at once.
#include "source/filters/ext_authz.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "source/base/current.h"
#include "source/chain/counters.h"
#include "source/chain/exchange.h"
#include "test/chain/chain_test_base.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

using How = AuthzField::How;
using Verdict = AuthzAnswer::Verdict;

// Says what it is given, and keeps the names of what it was told.
class Oracle final : public Authorizer {
 public:
  std::unique_ptr<Call> Ask(const AuthzQuestion& question, const Pending<AuthzAnswer>& answer) const override {
    for (const Field& field : question.fields) told.append(field.name).append(" ");
    Pending<AuthzAnswer>::Fulfil(*answer.state(), next);
    return nullptr;
  }

  AuthzAnswer next;
  mutable std::string told;
};

std::string Shown(const Head& head) {
  std::string out;
  for (const Field& field : head.fields()) out.append(field.name).append("=").append(field.value).append(" ");
  return out;
}

// The end of the chain: keeps the head that reached it.
class EndOfChain final : public HttpFilter {
 public:
  explicit EndOfChain(std::string& got) : got_(got) {}
  Task<Response> Handle(Exchange& exchange, HttpNext /*next*/) const override {
    got_ = Cat("got: ", Shown(exchange.request.head));
    Response response;
    response.head.status = 200;
    response.head.Add("X-Kept", "1");
    co_return response;
  }

 private:
  std::string& got_;
};

struct Outcome {
  int status = 0;
  std::string head;
};

Task<Outcome> RunAll(Exchange& exchange, const HttpFilters& filters) {
  const Response response = co_await HttpNext(filters)(exchange);
  co_return Outcome{response.head.status, Shown(response.head)};
}

class ExtAuthzTest : public ChainTestBase {
 protected:
  Outcome Ask(AuthzAnswer answer, ExtAuthzOptions options = {}) {
    got_.clear();
    auto oracle = std::make_shared<Oracle>();
    oracle->next = std::move(answer);
    options.service = std::make_shared<const Current<Authorizer>>(oracle);
    HttpFilters filters;
    filters.push_back(std::make_unique<ExtAuthzFilter>(std::move(options)));
    filters.push_back(std::make_unique<EndOfChain>(got_));
    std::unique_ptr<PipeStream> far;
    const std::unique_ptr<Connection> connection = MakeConnection(far);
    Request request;
    request.head.method = "GET";
    for (const auto& [name, value] : fields_) request.head.Add(std::string_view(name), value);
    FakeSink sink;
    Exchange exchange(*connection, sink, std::move(request), RecordHolder(*worker_));
    Outcome outcome = RunTask(loop_, RunAll(exchange, filters));
    told_ = oracle->told;
    return outcome;
  }

  // What went on.
  std::string Changed(std::vector<AuthzField> changes) {
    AuthzAnswer answer;
    answer.verdict = Verdict::kAllowed;
    answer.request = std::move(changes);
    EXPECT_EQ(Ask(std::move(answer)).status, 200);
    return got_;
  }

  void ExpectRefused(const AuthzAnswer& answer, const ExtAuthzOptions& options = {}) {
    EXPECT_EQ(Ask(answer, options).status, 403);
    EXPECT_EQ(got_, "");
  }

  uint64_t Results(AuthzResult result) const {
    return worker_->counters().ext_authz[static_cast<size_t>(result)].Read();
  }

  std::vector<std::pair<std::string, std::string>> fields_;
  std::string got_, told_;
};

AuthzAnswer Denied(int status, std::string body = "") {
  AuthzAnswer answer;
  answer.verdict = Verdict::kDenied;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

AuthzAnswer Unreadable() {
  AuthzAnswer answer;
  answer.verdict = Verdict::kUnreadable;
  return answer;
}

TEST_F(ExtAuthzTest, ChangesFieldsAsTheServiceWants) {
  fields_ = {{"A", "1"}, {"B", "1"}};
  EXPECT_EQ(Changed({}), "got: A=1 B=1 ");
  EXPECT_EQ(Changed({{How::kSet, "a", "2"}, {How::kSet, "c", "3"}}), "got: B=1 a=2 c=3 ");
  EXPECT_EQ(Changed({{How::kAppend, "a", "2"}}), "got: A=1 B=1 a=2 ");
  EXPECT_EQ(Changed({{How::kAddIfAbsent, "a", "2"}, {How::kAddIfAbsent, "c", "3"}}), "got: A=1 B=1 c=3 ");
  EXPECT_EQ(Changed({{How::kSetIfPresent, "a", "2"}, {How::kSetIfPresent, "c", "3"}}), "got: B=1 a=2 ");
  EXPECT_EQ(Changed({{How::kRemove, "b", ""}}), "got: A=1 ");
}

TEST_F(ExtAuthzTest, ChangesTheResponseOfWhatItAllows) {
  AuthzAnswer answer;
  answer.verdict = Verdict::kAllowed;
  answer.response = {{How::kAppend, "X-Checked", "yes"}};
  EXPECT_EQ(Ask(std::move(answer)).head, "X-Kept=1 X-Checked=yes ");
}

TEST_F(ExtAuthzTest, RefusesChangesThatAreNotForTheServiceToMake) {
  for (const char* name : {"Host", ":path", "Connection", "Transfer-Encoding", "content-length", "Proxy-Status", "Via",
                           "Upgrade", "", "x y"}) {
    SCOPED_TRACE(name);
    AuthzAnswer answer;
    answer.verdict = Verdict::kAllowed;
    answer.request = {{How::kSet, name, "v"}};
    ExpectRefused(answer);
  }
  for (const char* value : {"a\r\nb: c", "a\n", " a"}) {
    SCOPED_TRACE(value);
    AuthzAnswer answer;
    answer.verdict = Verdict::kAllowed;
    answer.response = {{How::kSet, "x-a", value}};
    ExpectRefused(answer);
  }
  EXPECT_EQ(Results(AuthzResult::kAllowed), 0U);
  EXPECT_EQ(Results(AuthzResult::kError), 13U);
}

TEST_F(ExtAuthzTest, DeniesInTheServicesWords) {
  ExpectRefused(Denied(403));
  EXPECT_EQ(Ask(Denied(451, "not here")).status, 451);
  EXPECT_EQ(got_, "");
  EXPECT_EQ(Results(AuthzResult::kDenied), 2U);
}

// Row P07 of the catalogue.
TEST_F(ExtAuthzTest, P07_NothingPassesWithoutAnAnswerThatCanBeCarriedOut) {
  for (const AuthzAnswer& answer :
       {AuthzAnswer{}, Unreadable(), Denied(200), Denied(407), Denied(600), Denied(403, std::string(65537, 'x'))})
    ExpectRefused(answer);
  EXPECT_EQ(Results(AuthzResult::kError), 6U);
}

TEST_F(ExtAuthzTest, P07_FailureModeAllowIsForNoAnswerAlone) {
  ExtAuthzOptions open;
  open.failure_mode_allow = true;
  EXPECT_EQ(Ask(AuthzAnswer{}, open).status, 200);
  EXPECT_EQ(Results(AuthzResult::kFailedOpen), 1U);
  for (const AuthzAnswer& answer : {Unreadable(), Denied(200), Denied(403, std::string(65537, 'x')), Denied(403)})
    ExpectRefused(answer, open);
  EXPECT_EQ(Results(AuthzResult::kFailedOpen), 1U);
}

TEST_F(ExtAuthzTest, KeepsCredentialsBackThatAreNotNamed) {
  fields_ = {{"Accept", "*/*"},           {"Authorization", "a"}, {"COOKIE", "b"},
             {"X-Api-Key", "c"},          {"Private-Token", "d"}, {"X-Amz-Security-Token", "e"},
             {"Proxy-Authorization", "f"}};
  Ask(AuthzAnswer{});
  EXPECT_EQ(told_, "Accept ");
  ExtAuthzOptions options;
  options.credential_headers = {"cookie", "Authorization", "proxy-authorization"};
  Ask(AuthzAnswer{}, std::move(options));
  EXPECT_EQ(told_, "Accept Authorization COOKIE ");
}

}  // namespace
}  // namespace egret
