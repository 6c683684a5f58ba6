#include "test/http/http1_corpus.h"

#include "source/base/strings.h"

namespace egret {
namespace {

using enum Fault;

std::string Post(std::string_view fields, std::string_view content) {
  return Cat("POST http://a.example/x HTTP/1.1\r\nHost: a.example\r\n", fields, "\r\n", content);
}
std::string Get(std::string_view fields) {
  return Cat("GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n", fields, "\r\n");
}
std::string Line(std::string_view line) { return Cat(line, "\r\nHost: a.example\r\n\r\n"); }
std::string Chunked(std::string_view content) { return Post("Transfer-Encoding: chunked\r\n", content); }
std::string Raw(const char* bytes, size_t size) { return {bytes, size}; }

void AddFraming(std::vector<CorpusEntry>& to) {
  const std::string both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
  to.push_back({"H01", Post(both, "0\r\n\r\nX"), kHttpFraming});
  to.push_back({"H01", Post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), kHttpFraming});
  to.push_back({"H01", Post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), kHttpFraming});
  to.push_back({"H02", Post("Content-Length: 1\r\nContent-Length: 1\r\n", "x"), kHttpContentLength});
  to.push_back({"H02", Post("Content-Length: 1\r\nContent-Length: 2\r\n", "xy"), kHttpContentLength});
  to.push_back({"H02", Post("Content-Length: 1, 1\r\n", "x"), kHttpContentLength});
  for (const std::string_view bad : {"+5", "-0", "0x5", "5_0", "", "18446744073709551616", "5 5", "5,", "five", "5.0",
                                     "9223372036854775808", "\xc2\xb2", "\xa0\x35"})
    to.push_back({"H03", Post(Cat("Content-Length: ", bad, "\r\n"), "hello"), kHttpContentLength});
  for (const std::string_view bad : {"xchunked", "chunked, identity", "identity", "gzip, chunked",
                                     "\xa0"
                                     "chunked",
                                     "chunked\xa0", "\"chunked\"", "chunked;q=1", "chunked gzip"})
    to.push_back({"H04", Post(Cat("Transfer-Encoding: ", bad, "\r\n"), "0\r\n\r\n"), kHttpUnknownCoding});
  for (const std::string_view bad : {"chunked, chunked", "", ",", "chunked,", ",chunked"})
    to.push_back({"H04", Post(Cat("Transfer-Encoding: ", bad, "\r\n"), "0\r\n\r\n"), kHttpTransferEncoding});
  to.push_back({"H04", Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
                kHttpTransferEncoding});
  to.push_back(
      {"H04", Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), kHttpUnknownCoding});
  to.push_back({"H04", Post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"), kHttpBadCharacter});
  to.push_back({"H04", Post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), kHttpSpaceBeforeColon});
  to.push_back({"H04", Post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"), kHttpSpaceBeforeColon});
  to.push_back({"H04",
                "POST http://a.example/ HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                kHttpTransferEncoding});
}

void AddChunks(std::vector<CorpusEntry>& to) {
  for (const std::string_view size : {"0x10", "+a", "-1", "1_0", "", " 5", "5 ", "00000000000000005", "g", "5\t"})
    to.push_back({"H05", Chunked(Cat(size, "\r\nhello\r\n0\r\n\r\n")), kHttpChunk});
  to.push_back({"H06", Chunked("5;a=\"b\nc\"\r\nhello\r\n0\r\n\r\n"), kHttpChunk});
  to.push_back({"H06", Chunked("5;a\nhello\r\n0\r\n\r\n"), kHttpChunk});
  to.push_back({"H06", Chunked("5;a=\"\r\nhello\r\n0\r\n\r\n"), kHttpChunk});
  to.push_back({"H06", Chunked("5;a=\"b\rc\"\r\nhello\r\n0\r\n\r\n"), kHttpChunk});
  to.push_back({"H06", Chunked(Cat("5;", std::string(16384, 'x'), "\r\nhello\r\n0\r\n\r\n")), kHttpChunk});
  to.push_back({"H06", Chunked("5;a=\"b;c\";d\r\nhello\r\n0;e\r\n\r\n"), kNone});
  to.push_back({"H07", Chunked("5\nhello\r\n0\r\n\r\n"), kHttpChunk});
  to.push_back({"H07", Chunked("5\r\nhello\n0\r\n\r\n"), kHttpChunk});
  to.push_back({"H07", Chunked("5\r\nhello\r0\r\n\r\n"), kHttpChunk});
  to.push_back({"H07", Chunked("5\rXhello\r\n0\r\n\r\n"), kHttpChunk});
  to.push_back({"H07", Chunked("5\r\nhelloXX0\r\n\r\n"), kHttpChunk});
  to.push_back({"H07", Chunked("0\r\n\n"), kHttpTrailer});
  to.push_back({"H19", Chunked("0\r\nA : b\r\n\r\n"), kHttpTrailer});
  to.push_back({"H19", Chunked("0\r\n a\r\n\r\n"), kHttpTrailer});
  to.push_back({"H19", Chunked(Cat("0\r\nA: ", std::string(9000, 'a'), "\r\n\r\n")), kHttpTrailer});
  to.push_back({"H19", Chunked("1\r\nx\r\n0\r\nContent-Length: 9\r\nX-Sum: 1\r\n\r\n"), kNone});
  to.push_back({"H05", Chunked("5\r\nhello\r\n"), kClientEnded});
  to.push_back({"H05", Chunked("5\r\nhel"), kClientEnded});
  to.push_back({"H05", Post("Content-Length: 6\r\n", "hello"), kClientEnded});
}

void AddLines(std::vector<CorpusEntry>& to) {
  to.push_back({"H07", "GET http://a.example/ HTTP/1.1\nHost: a.example\n\n", kHttpBadCharacter});
  to.push_back({"H07", Get("A: b\nC: d\r\n"), kHttpBadCharacter});
  to.push_back({"H07", Get("A: b\rC: d\r\n"), kHttpBadCharacter});
  to.push_back({"H07", "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\n", kHttpBadCharacter});
  to.push_back({"H08", Cat("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nA: ", Raw("b\0c", 3), "\r\n\r\n"),
                kHttpBadCharacter});
  to.push_back({"H08", Get("A\x01: b\r\n"), kHttpBadCharacter});
  to.push_back({"H08", Get("A: b\x7f\r\n"), kHttpBadCharacter});
  to.push_back({"H08", Get("A: b\x1b[0m\r\n"), kHttpBadCharacter});
  to.push_back({"H08", Get("A: b\r\n c\r\n"), kHttpObsFold});
  to.push_back({"H08", Get("A: b\r\n\tc\r\n"), kHttpObsFold});
  to.push_back({"H08", "GET http://a.example/ HTTP/1.1\r\n Host: a.example\r\n\r\n", kHttpObsFold});
  to.push_back({"H08", Get(": b\r\n"), kHttpSyntax});
  to.push_back({"H08", Get("no colon\r\n"), kHttpSyntax});
  to.push_back({"H08", Get("A b: c\r\n"), kHttpSyntax});
  to.push_back({"H08", Get("A(b): c\r\n"), kHttpSyntax});
  to.push_back({"H08", Get("\xc3\xa4: c\r\n"), kHttpSyntax});
  to.push_back({"H08", Line(" GET http://a.example/ HTTP/1.1"), kHttpSyntax});
  to.push_back({"H08", Line("\tGET http://a.example/ HTTP/1.1"), kHttpSyntax});
  to.push_back({"H08", Cat("\r\n\r\n", Get("")), kHttpSyntax});
  to.push_back({"H08", Cat("\n", Get("")), kHttpBadCharacter});
  to.push_back({"H08", Cat("\r\n", Get("")), kNone});
  to.push_back({"H08", Get("A:\r\nB: \t x \t\r\nC: d\xc3\xa4\r\n"), kNone});
  to.push_back({"H11", "GET http://a.example/\r\n\r\n", kHttpSyntax});
  to.push_back({"H11", "GET /\r\n", kHttpSyntax});
  for (const std::string_view version : {"HTTP/0.9", "HTTP/1.9", "HTTP/2.0", "HTTP/1.2", "HTTP/9.1"})
    to.push_back({"H11", Line(Cat("GET http://a.example/ ", version)), kHttpVersion});
  for (const std::string_view version : {"HTTP/1.1 ", "HTTP/1.1x", "http/1.1", "HTTP/11", "HTTP/1.10", "HTTP /1.1",
                                         "HTTPS/1.1", "HTTP/1", "RTSP/1.0", "ICE/1.0", " HTTP/1.1"})
    to.push_back({"H11", Line(Cat("GET http://a.example/ ", version)), kHttpSyntax});
  for (const std::string_view method : {"FOO", "get", "GETX", "G", "PRI", "FLUSH", "SETUP"})
    to.push_back({"H11", Line(Cat(method, " http://a.example/ HTTP/1.1")), kHttpMethod});
  for (const std::string_view method : {"G(T", "", "G\tT", "G,"})
    to.push_back({"H11", Line(Cat(method, " http://a.example/ HTTP/1.1")), kHttpSyntax});
  to.push_back({"H11", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", kHttp2Preface});
  to.push_back({"H11", Raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9), kHttpBadCharacter});
  to.push_back({"H11", "SSH-2.0-OpenSSH_9.2\r\n", kHttpSyntax});
  to.push_back({"H11", "GET http://a.example/ HT", kClientEnded});
}

void AddTargets(std::vector<CorpusEntry>& to) {
  for (const std::string_view target : {"http://u:p@a.example/",
                                        "http://u@a.example/",
                                        "http://a.example/#f",
                                        "http://a.example\\b/",
                                        "http:/x",
                                        "http:///x",
                                        "http://",
                                        "http://:80/",
                                        "a.example:80",
                                        "a.example",
                                        "http://[::1%25eth0]/",
                                        "http://[::1/",
                                        "http://[]/",
                                        "http://a.example:0/",
                                        "http://a.example:65536/",
                                        "http://a.example:8x/",
                                        "http://a b.example/",
                                        "http://a.example:80:80/",
                                        "*",
                                        "://a.example/",
                                        "1http://a.example/",
                                        "http://a.example,b.example/",
                                        "http://a.example/\xc3\xa4",
                                        "http://\xc3\xa4.example/",
                                        "http://a.example/\\..\\x",
                                        "http://::1/"}) {
    const bool space = target.find(' ') != std::string_view::npos;
    to.push_back({"H09", Line(Cat("GET ", target, " HTTP/1.1")), space ? kHttpSyntax : kHttpTarget});
  }
  for (const std::string_view target : {"a.example", "a.example:", "a.example:0", "a.example:65536",
                                        "http://a.example/", ":443", "/x", "u@a.example:443", "[::1]", "[::1%eth0]:443",
                                        "::1:443", "a.example:443/", "a.example:+443", "a.example:000443", "*"})
    to.push_back({"H09", Line(Cat("CONNECT ", target, " HTTP/1.1")), kHttpConnectTarget});
  for (const std::string_view target :
       {"http://a.example", "HTTP://A.Example/", "http://a.example?q", "http://a.example:8080/x?y={|}",
        "http://[2001:db8::1]:80/", "/x", "//b.example/x", "https://a.example/", "ftp://a.example/",
        "http://a.example:/"})
    to.push_back({"H09", Line(Cat("GET ", target, " HTTP/1.1")), kNone});
  to.push_back({"H09", Line("OPTIONS * HTTP/1.1"), kNone});
  to.push_back({"H09", Line("OPTIONS http://a.example HTTP/1.1"), kNone});
  to.push_back({"H10", "GET http://a.example/ HTTP/1.1\r\n\r\n", kHttpHost});
  to.push_back({"H10", Get("Host: a.example\r\n"), kHttpHost});
  for (const std::string_view host : {"", "a,b", "a b", "u@a", "a/b", "[::1", "a:b", "a:1:2"})
    to.push_back({"H10", Cat("GET http://a.example/ HTTP/1.1\r\nHost: ", host, "\r\n\r\n"), kHttpHost});
  to.push_back({"H10", "GET http://a.example/ HTTP/1.0\r\n\r\n", kNone});
  to.push_back({"H10", "CONNECT a.example:443 HTTP/1.0\r\n\r\n", kNone});
  to.push_back({"H10", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nContent-Length: 0\r\n\r\n", kNone});
  to.push_back({"H10", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nContent-Length: 5\r\n\r\nhello",
                kHttpConnectBody});
  to.push_back({"H10",
                "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                kHttpConnectBody});
  to.push_back({"H14", Post("Expect: 100-Continue\r\nContent-Length: 2\r\n", "hi"), kNone});
  to.push_back({"H14", Post("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n", "hi"), kNone});
  to.push_back({"H14", Post("Expect: 100-continue\r\nContent-Length: 0\r\n", ""), kNone});
  to.push_back({"H14", Post("Expect: 200-ok\r\nContent-Length: 2\r\n", "hi"), kHttpExpectation});
  to.push_back({"H14", Post("Expect: 100-continue, x\r\nContent-Length: 2\r\n", "hi"), kHttpExpectation});
  to.push_back({"H14", Post("Expect:\r\nContent-Length: 2\r\n", "hi"), kHttpExpectation});
}

}  // namespace

std::vector<CorpusEntry> RequestCorpus() {
  std::vector<CorpusEntry> corpus;
  AddFraming(corpus);
  AddChunks(corpus);
  AddLines(corpus);
  AddTargets(corpus);
  corpus.push_back({"ordinary", Get("User-Agent: curl/8\r\nAccept: */*\r\n"), kNone});
  corpus.push_back({"ordinary", Post("Content-Length: 5\r\n", "hello"), kNone});
  corpus.push_back({"ordinary", Post("Content-Length: 0005\r\n", "hello"), kNone});
  corpus.push_back({"ordinary", Chunked("5\r\nhello\r\n00A;x=y\r\n0123456789\r\n0\r\n\r\n"), kNone});
  return corpus;
}

std::vector<CorpusEntry> ResponseCorpus() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  return {
      {"ordinary", Cat(ok, "Content-Length: 5\r\n\r\nhello"), kNone},
      {"ordinary", Cat(ok, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"), kNone},
      {"ordinary", Cat(ok, "\r\nuntil the end"), kNone},
      {"ordinary", "HTTP/1.0 200 OK\r\n\r\nuntil the end", kNone},
      {"ordinary", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", kNone},
      {"ordinary", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", kNone},
      {"ordinary", "HTTP/1.1 999 Request denied\r\nContent-Length: 0\r\n\r\n", kNone},
      {"ordinary", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", kNone},
      {"H15", Cat(ok, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), kUpstreamFraming},
      {"H15", Cat(ok, "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"), kUpstreamFraming},
      {"H15", Cat(ok, "Content-Length: 5, 5\r\n\r\nhello"), kUpstreamFraming},
      {"H15", Cat(ok, "Content-Length: +5\r\n\r\nhello"), kUpstreamFraming},
      {"H15", Cat(ok, "Transfer-Encoding: gzip\r\n\r\nhello"), kUpstreamFraming},
      {"H15", Cat(ok, "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), kUpstreamFraming},
      {"H15", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", kUpstreamFraming},
      {"H15", Cat(ok, "Content-Length: 6\r\n\r\nhello"), kUpstreamTruncated},
      {"H15", Cat(ok, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), kUpstreamTruncated},
      {"H15", Cat(ok, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n+0\r\n\r\n"), kUpstreamMalformed},
      {"H16", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", kUpstreamUnasked101},
      {"H07", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", kUpstreamMalformed},
      {"H08", Cat(ok, "A: b\r\n c\r\n\r\n"), kUpstreamMalformed},
      {"H08", Cat(ok, "A : b\r\n\r\n"), kUpstreamMalformed},
      {"H11", "HTTP/2.0 200 OK\r\n\r\n", kUpstreamMalformed},
      {"H11", "HTTP/1.1 20 OK\r\n\r\n", kUpstreamMalformed},
      {"H11", "HTTP/1.1 2000 OK\r\n\r\n", kUpstreamMalformed},
      {"H11", "HTTP/1.1 012 OK\r\n\r\n", kUpstreamMalformed},
      {"H11", "ICY 200 OK\r\n\r\n", kUpstreamMalformed},
      {"H11", "\r\nHTTP/1.1 200 OK\r\n\r\n", kUpstreamMalformed},
      {"H11", "<html>no head at all</html>\r\n", kUpstreamMalformed},
      {"H11", "HTTP/1.1 200 OK\r\nContent-Le", kUpstreamClosed},
      {"H11", "", kUpstreamClosed},
  };
}

}  // namespace egret
