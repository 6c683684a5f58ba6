// The examples are those that AWS publishes: of S3 in "Signature Calculations for the Authorization Header", and
// get-vanilla of the general test suite. Each signature was computed by an independent implementation as well.
#include "source/auth/sigv4.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "source/auth/sigv4_canonical.h"
#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::string_view kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kSecretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr AwsCredential kExample = {"AKIAIOSFODNN7EXAMPLE", kSecretKey, ""};
constexpr AwsScope kScope = {"us-east-1", "s3"};
constexpr std::string_view kHost = "examplebucket.s3.amazonaws.com";
constexpr time_t kMay24 = 1369353600;  // 2013-05-24 00:00:00 UTC

Head RequestOf(std::string_view method, std::string_view path, std::string_view hash = kEmptyHash) {
  Head head;
  head.method = head.Keep(method);
  head.path = head.Keep(path);
  if (!hash.empty()) head.Add("x-amz-content-sha256", hash);
  return head;
}

std::string_view ValueOf(const Head& head, std::string_view name) {
  const Field* const field = head.Find(name);
  return field == nullptr ? std::string_view("(absent)") : field->value;
}

std::string Sign(Head& head, const AwsCredential& credential = kExample) {
  EXPECT_EQ(SignForAws(head, kHost, credential, kScope, kMay24), AwsRefusal::kNone);
  EXPECT_EQ(head.Count(FieldName::kAuthorization), 1u);
  return std::string(ValueOf(head, "Authorization"));
}

std::string Expected(std::string_view names, std::string_view signature) {
  return Cat("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=",
             names, ", Signature=", signature);
}

TEST(SigV4, GetObjectWithRange) {
  Head head = RequestOf("GET", "/test.txt");
  head.Add("Range", "bytes=0-9");
  EXPECT_EQ(Sign(head), Expected("host;range;x-amz-content-sha256;x-amz-date",
                                 "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(SigV4, PutObject) {
  Head head = RequestOf("PUT", "/test$file.text", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  head.Add("Date", "Fri, 24 May 2013 00:00:00 GMT");
  head.Add("x-amz-storage-class", "REDUCED_REDUNDANCY");
  EXPECT_EQ(Sign(head), Expected("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                                 "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(SigV4, AQueryWithoutValueAndOneThatIsSorted) {
  Head lifecycle = RequestOf("GET", "/?lifecycle");
  EXPECT_EQ(Sign(lifecycle), Expected("host;x-amz-content-sha256;x-amz-date",
                                      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  Head list = RequestOf("GET", "/?prefix=J&max-keys=2");
  EXPECT_EQ(Sign(list), Expected("host;x-amz-content-sha256;x-amz-date",
                                 "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SigV4, GetVanilla) {
  const Field fields[] = {{.name = "X-Amz-Date", .value = "20150830T123600Z"},
                          {.name = "Host", .value = "example.amazonaws.com"}};
  const AwsRequest request = {"GET", "/", fields, kEmptyHash, 1440938160};
  EXPECT_EQ(AwsAuthorizationOf(request, {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""},
                               {"us-east-1", "service"}),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(SigV4, CanonicalRequestIsTheDocumentedOne) {
  const Field fields[] = {{.name = "x-amz-date", .value = "20130524T000000Z"},
                          {.name = "Range", .value = "bytes=0-9"},
                          {.name = "X-Amz-Content-Sha256", .value = kEmptyHash},
                          {.name = "Host", .value = kHost}};
  EXPECT_EQ(CanonicalAwsRequest({"GET", "/test.txt", fields, kEmptyHash, kMay24}),
            Cat("GET\n/test.txt\n\nhost:", kHost, "\nrange:bytes=0-9\nx-amz-content-sha256:", kEmptyHash,
                "\nx-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n", kEmptyHash));
}

TEST(SigV4, PathsAreEscapedOnceAndNotNormalised) {
  EXPECT_EQ(CanonicalPath("/a//../b/./c"), "/a//../b/./c");
  EXPECT_EQ(CanonicalPath("/a%20b/%c3%a4/%7e+$%2f"), "/a%20b/%C3%A4/~%2B%24/");
  EXPECT_EQ(CanonicalPath("/100%/%2"), "/100%25/%252");
  EXPECT_EQ(CanonicalPath("/%2520"), "/%2520");
}

TEST(SigV4, QueriesAreSortedByWhatIsSigned) {
  EXPECT_EQ(CanonicalQuery("b=2&a=2&a=1&&acl"), "a=1&a=2&acl=&b=2");
  EXPECT_EQ(CanonicalQuery("prefix=a/b&x=1+2%2B=3"), "prefix=a%2Fb&x=1%202%2B%3D3");
  EXPECT_EQ(CanonicalQuery("Param1=v&param1=v&%50aram0"), "Param0=&Param1=v&param1=v");
  EXPECT_EQ(CanonicalQuery(""), "");
}

TEST(SigV4, FieldsOfOneNameAreJoined) {
  const Field fields[] = {{.name = "X-Amz-Meta-B", .value = " two   words "},
                          {.name = "x-amz-meta-a", .value = "2"},
                          {.name = "X-AMZ-META-A", .value = "1"}};
  const CanonicalFields canonical = CanonicalFieldsOf(fields);
  EXPECT_EQ(canonical.lines, "x-amz-meta-a:2,1\nx-amz-meta-b:two words\n");
  EXPECT_EQ(canonical.names, "x-amz-meta-a;x-amz-meta-b");
}

TEST(SigV4, WhatTheClientSignedWithIsReplaced) {
  Head head = RequestOf("GET", "/test.txt");
  head.Add("Authorization", "AWS4-HMAC-SHA256 Credential=placeholder/20200101/eu-west-1/s3/aws4_request");
  head.Add("X-Amz-Date", "20200101T000000Z");
  head.Add("X-Amz-Security-Token", "the-clients");
  head.Add("Range", "bytes=0-9");
  EXPECT_TRUE(Sign(head).ends_with("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
  EXPECT_EQ(ValueOf(head, "X-Amz-Date"), "20130524T000000Z");
  EXPECT_EQ(ValueOf(head, "X-Amz-Security-Token"), "(absent)");
}

TEST(SigV4, ASessionTokenIsSentAndSigned) {
  Head head = RequestOf("GET", "/");
  const std::string value = Sign(head, {"AKIAIOSFODNN7EXAMPLE", kSecretKey, "token"});
  EXPECT_EQ(ValueOf(head, "X-Amz-Security-Token"), "token");
  EXPECT_NE(value.find("x-amz-date;x-amz-security-token,"), value.npos);
}

TEST(SigV4, WhatSaysNothingOfItsContentIsUnsigned) {
  Head head = RequestOf("PUT", "/a", "");
  Sign(head);
  EXPECT_EQ(ValueOf(head, "X-Amz-Content-Sha256"), "UNSIGNED-PAYLOAD");
  Head trailer = RequestOf("PUT", "/a", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  Sign(trailer);
  EXPECT_EQ(ValueOf(trailer, "X-Amz-Content-Sha256"), "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
}

AwsRefusal RefusalOf(Head head) {
  const AwsRefusal refusal = SignForAws(head, kHost, kExample, kScope, kMay24);
  EXPECT_EQ(head.Count(FieldName::kAuthorization), 0u);
  EXPECT_EQ(TextOf(refusal).empty(), refusal == AwsRefusal::kNone);
  return refusal;
}

TEST(SigV4, WhatCannotBeSignedAnewIsRefused) {
  EXPECT_EQ(RefusalOf(RequestOf("GET", "/a?X-Amz-Algorithm=AWS4-HMAC-SHA256")), AwsRefusal::kPresigned);
  EXPECT_EQ(RefusalOf(RequestOf("GET", "/a?b=1&x-amz-%73ignature=0")), AwsRefusal::kPresigned);
  EXPECT_EQ(RefusalOf(RequestOf("GET", "/a?AWSAccessKeyId=0")), AwsRefusal::kPresigned);
  for (const std::string_view hash :
       {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"})
    EXPECT_EQ(RefusalOf(RequestOf("PUT", "/a", hash)), AwsRefusal::kSignedChunks) << hash;
  EXPECT_EQ(RefusalOf(RequestOf("PUT", "/a", "none")), AwsRefusal::kContentHash);
  Head twice = RequestOf("PUT", "/a");
  twice.Add("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
  EXPECT_EQ(RefusalOf(std::move(twice)), AwsRefusal::kContentHash);
}

TEST(SigV4, CredentialsAreReadStrictly) {
  const auto plain = ParseAwsCredential("AKID:se/cr+et=");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->access_key_id, "AKID");
  EXPECT_EQ(plain->secret_key, "se/cr+et=");
  EXPECT_EQ(plain->session_token, "");
  const auto session = ParseAwsCredential("AKID:secret:tok/en==");
  ASSERT_TRUE(session);
  EXPECT_EQ(session->session_token, "tok/en==");
  for (const std::string_view bad :
       {"", "AKID", "AKID:", ":secret", "A/B:secret", "A:secret:", "A:b:c:d", "A:s c", "A:s\n"})
    EXPECT_FALSE(ParseAwsCredential(bad)) << bad;
}

TEST(SigV4, AClientsAuthorizationIsReadStrictly) {
  const std::string good = Expected("host;x-amz-date", kEmptyHash);
  const auto read = ParseAwsAuthorization(good);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->access_key_id, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(read->date, "20130524");
  EXPECT_EQ(read->scope.region, "us-east-1");
  EXPECT_EQ(read->scope.service, "s3");
  const std::string rest = Cat(",SignedHeaders=host,Signature=", kEmptyHash);
  EXPECT_TRUE(ParseAwsAuthorization(Cat("AWS4-HMAC-SHA256 Credential=a/20130524/b/c/aws4_request", rest)));
  for (const std::string& bad :
       {Cat("Bearer Credential=a/20130524/b/c/aws4_request", rest), Cat(good, "0"), Cat(good, ", More=1"),
        Cat("AWS4-HMAC-SHA256 Credential=a/2013052/b/c/aws4_request", rest),
        Cat("AWS4-HMAC-SHA256 Credential=a/20130524//c/aws4_request", rest),
        Cat("AWS4-HMAC-SHA256 Credential=a/20130524/b/c/aws4_request/d", rest),
        Cat("AWS4-HMAC-SHA256 Credential=a/20130524/b/c", rest), std::string("AWS4-HMAC-SHA256 "), std::string()})
    EXPECT_FALSE(ParseAwsAuthorization(bad)) << bad;
}

}  // namespace
}  // namespace egret
