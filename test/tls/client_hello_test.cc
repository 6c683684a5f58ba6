#include "source/tls/client_hello.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"

namespace egret {
namespace {

// --- Hellos of OpenSSL, and hellos made by hand. ---

struct ClientOptions {
  std::string sni = {};
  std::string alpn = {};  // wire form
  int max_version = TLS1_3_VERSION;
};

// What an OpenSSL client sends first.
std::string OpenSslHello(const ClientOptions& options) {
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_max_proto_version(context.get(), options.max_version);
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context.get()), SSL_free);
  BIO* from_server = BIO_new(BIO_s_mem());
  BIO* to_server = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), from_server, to_server);
  if (!options.sni.empty()) SSL_set_tlsext_host_name(ssl.get(), options.sni.c_str());
  if (!options.alpn.empty()) {
    SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
  }
  SSL_connect(ssl.get());
  const char* data = nullptr;
  const long size = BIO_get_mem_data(to_server, &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string U8(size_t n) { return std::string(1, static_cast<char>(n)); }
std::string U16(size_t n) { return U8(n >> 8) + U8(n & 0xff); }
std::string V8(const std::string& s) { return U8(s.size()) + s; }
std::string V16(const std::string& s) { return U16(s.size()) + s; }
std::string Extension(size_t type, const std::string& body) { return U16(type) + V16(body); }
std::string ServerName(const std::string& name) { return Extension(0, V16(U8(0) + V16(name))); }
std::string Record(const std::string& fragment) { return "\x16\x03\x01" + V16(fragment); }
std::string Message(const std::string& body) {
  return "\x01" + U8(body.size() >> 16) + U16(body.size() & 0xffff) + body;
}

struct Parts {
  std::string version = U16(0x0303);
  std::string session = std::string(32, 's');
  std::string ciphers = U16(0x2a2a) + U16(0x1301) + U16(0xc02f);
  std::string compressions = U8(0);
  std::string extensions = {};
  bool with_extensions = true;
};

std::string Body(const Parts& p) {
  std::string body = p.version + std::string(32, 'r') + V8(p.session) + V16(p.ciphers) + V8(p.compressions);
  if (p.with_extensions) body += V16(p.extensions);
  return body;
}
std::string HelloWith(const std::string& extensions) { return Record(Message(Body({.extensions = extensions}))); }

// One record's bytes as records of at most `size`.
std::string Resplit(const std::string& hello, size_t size) {
  std::string out;
  for (size_t at = 5; at < hello.size(); at += size) out += Record(hello.substr(at, size));
  return out;
}

// In a block of exactly its size: AddressSanitizer sees a read beyond it.
HelloState Parse(std::string_view seen, ClientHello& out, size_t max_bytes = kDefaultMaxHelloBytes) {
  const auto block = std::make_unique<char[]>(seen.size());
  seen.copy(block.get(), seen.size());
  return ParseClientHello(std::string_view(block.get(), seen.size()), out, max_bytes);
}
HelloState StateOf(std::string_view seen) {
  ClientHello ignored;
  return Parse(seen, ignored);
}

// --- ParseClientHello ---

TEST(ClientHelloTest, ReadsWhatOpenSslSends) {
  ClientHello hello;
  ASSERT_EQ(Parse(OpenSslHello({.sni = "Www.Example.COM", .alpn = "\x02h2\x08http/1.1"}), hello), HelloState::kHello);
  EXPECT_EQ(hello.sni, "www.example.com");
  EXPECT_EQ(hello.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
  EXPECT_EQ(hello.legacy_version, 0x0303);
  EXPECT_EQ(hello.versions.front(), 0x0304);
  EXPECT_EQ(hello.cipher_suites.front(), 0x1302);
  EXPECT_EQ(hello.groups.front(), 29);  // x25519
  EXPECT_EQ(std::count(hello.extensions.begin(), hello.extensions.end(), 51), 1);
  EXPECT_FALSE(hello.signature_algorithms.empty());
  EXPECT_EQ(hello.ec_point_formats, (std::vector<uint8_t>{0, 1, 2}));
  EXPECT_FALSE(hello.ech);
}

TEST(ClientHelloTest, WithoutSniAndAlpnBothAreEmpty) {  // T10
  ClientHello hello;
  ASSERT_EQ(Parse(OpenSslHello({}), hello), HelloState::kHello);
  EXPECT_EQ(hello.sni, "");
  EXPECT_TRUE(hello.alpn.empty());
}

TEST(ClientHelloTest, BeforeTls13ThereAreNoSupportedVersions) {
  ClientHello hello;
  ASSERT_EQ(Parse(OpenSslHello({.sni = "a.example", .max_version = TLS1_2_VERSION}), hello), HelloState::kHello);
  EXPECT_TRUE(hello.versions.empty());
  EXPECT_EQ(hello.sni, "a.example");
}

TEST(ClientHelloTest, AnAddressAsSniIsGivenAsItCame) {  // T10: policy's to judge
  ClientHello hello;
  ASSERT_EQ(Parse(HelloWith(ServerName("192.0.2.1")), hello), HelloState::kHello);
  EXPECT_EQ(hello.sni, "192.0.2.1");
}

TEST(ClientHelloTest, T11_EveryTruncationNeedsMoreAndIsNeverReadBeyond) {
  const std::string whole = OpenSslHello({.sni = "www.example.com", .alpn = "\x02h2"});
  for (const std::string& hello : {whole, Resplit(whole, 100), Resplit(whole, 3), Resplit(whole, 1)}) {
    ClientHello out;
    for (size_t length = 0; length < hello.size(); ++length) {
      ASSERT_EQ(Parse(hello.substr(0, length), out), HelloState::kNeedMore) << length;
      ASSERT_EQ(out.sni, "");
    }
    ASSERT_EQ(Parse(hello, out), HelloState::kHello);
    EXPECT_EQ(out.sni, "www.example.com");
  }
}

TEST(ClientHelloTest, T11_ALargeHelloSpansRecordsOfFullSize) {
  // 40 KiB of padding: what post-quantum shares and tickets may come to.
  const std::string message =
      Message(Body({.extensions = Extension(21, std::string(40'000, '\0')) + ServerName("big.example")}));
  std::string hello;
  for (size_t at = 0; at < message.size(); at += 16'384) hello += Record(message.substr(at, 16'384));
  ClientHello out;
  EXPECT_EQ(Parse(hello.substr(0, hello.size() - 1), out), HelloState::kNeedMore);
  ASSERT_EQ(Parse(hello, out), HelloState::kHello);
  EXPECT_EQ(out.sni, "big.example");
  EXPECT_EQ(Parse(hello, out, 32 * 1024), HelloState::kTooLarge);
}

TEST(ClientHelloTest, T11_TooLargeIsKnownFromTheMessageHeaderAlone) {
  ClientHello out;
  EXPECT_EQ(Parse(std::string_view("\x16\x03\x01\x40\x00\x01\x01\x00\x01", 9), out), HelloState::kTooLarge);
  EXPECT_EQ(Parse(std::string_view("\x16\x03\x01\x40\x00\x01\x01\x00\x00", 9), out), HelloState::kNeedMore);
  EXPECT_EQ(Parse(std::string_view("\x16\x03\x01\x40\x00\x01\x00\x08\x01", 9), out, 2048), HelloState::kTooLarge);
}

TEST(ClientHelloTest, T11_ManyTinyRecordsAreBounded) {
  const std::string hello = HelloWith(Extension(21, std::string(5000, '\0')));
  EXPECT_EQ(StateOf(Resplit(hello, 1)), HelloState::kTooLarge);
  EXPECT_EQ(StateOf(Resplit(hello, 2)), HelloState::kHello);
}

TEST(ClientHelloTest, T11_GreaseAndEncryptedHelloAsBrowsersSendThem) {
  const std::string ech = U8(0) + U16(1) + U16(1) + U8(7) + V16(std::string(32, 'k')) + V16(std::string(144, 'p'));
  const std::string extensions =
      Extension(0x1a1a, "") + ServerName("public.example") + Extension(10, V16(U16(0x4a4a) + U16(0x11ec) + U16(29))) +
      Extension(43, V8(U16(0x6a6a) + U16(0x0304) + U16(0x0303))) + Extension(13, V16(U16(0x0403) + U16(0xdada))) +
      Extension(16, V16(V8("\x5a\x5a") + V8("h2"))) + Extension(0xfe0d, ech) + Extension(0xfafa, U8(0));
  ClientHello hello;
  ASSERT_EQ(Parse(HelloWith(extensions), hello), HelloState::kHello);
  EXPECT_TRUE(hello.ech);
  EXPECT_EQ(hello.sni, "public.example");
  EXPECT_EQ(hello.cipher_suites, (std::vector<uint16_t>{0x1301, 0xc02f}));
  EXPECT_EQ(hello.groups, (std::vector<uint16_t>{0x11ec, 29}));
  EXPECT_EQ(hello.versions, (std::vector<uint16_t>{0x0304, 0x0303}));
  EXPECT_EQ(hello.signature_algorithms, (std::vector<uint16_t>{0x0403}));
  EXPECT_EQ(hello.alpn, (std::vector<std::string>{"h2"}));
  EXPECT_EQ(hello.extensions, (std::vector<uint16_t>{0, 10, 43, 13, 16, 0xfe0d}));
}

TEST(ClientHelloTest, AHelloWithoutExtensionsIsOne) {
  ClientHello hello;
  ASSERT_EQ(Parse(Record(Message(Body({.with_extensions = false}))), hello), HelloState::kHello);
  EXPECT_TRUE(hello.extensions.empty());
}

TEST(ClientHelloTest, WhatFollowsTheLastRecordIsNotLookedAt) {
  EXPECT_EQ(StateOf(HelloWith(ServerName("a.example")) + "\x17\x03\x03garbage"), HelloState::kHello);
}

TEST(ClientHelloTest, OutIsUnchangedUnlessThereIsAHello) {
  ClientHello hello;
  hello.sni = "before";
  const std::string good = HelloWith(ServerName("a.example"));
  EXPECT_EQ(Parse(HelloWith(ServerName("a.example") + ServerName("b.example")), hello), HelloState::kMalformed);
  EXPECT_EQ(Parse(good.substr(0, 50), hello), HelloState::kNeedMore);
  EXPECT_EQ(hello.sni, "before");
}

TEST(ClientHelloTest, BadServerNamesAreMalformed) {
  const std::string one = U8(0) + V16("a.example");
  for (const std::string& body : {
           std::string(),                             // empty extension: what a server would send
           V16(""),                                   // no entry
           V16(U8(0) + V16("")),                      // empty name
           V16(one + one),                            // two names
           V16(one + U8(1) + V16("x")),               // an entry of another type after it
           V16(U8(1) + V16("a.example")),             // only one of another type
           V16(one) + "x",                            // bytes after the list
           V16(one + "x"),                            // bytes after the entry
           U16(100) + one,                            // a list that is longer than the extension
           V16(U8(0) + U16(100) + "a.example"),       // a name that is longer than the list
           V16(U8(0) + V16(std::string("a\0b", 3))),  // NUL
           V16(U8(0) + V16("a\r\nb")),                // controls
           V16(U8(0) + V16("a b")),                   // space
           V16(U8(0) + V16("a\x7f")),                 // DEL
           V16(U8(0) + V16("b\xc3\xbc"
                           "cher.example")),         // not ASCII
           V16(U8(0) + V16(std::string(256, 'a'))),  // too long
       }) {
    EXPECT_EQ(StateOf(HelloWith(Extension(0, body))), HelloState::kMalformed) << testing::PrintToString(body);
  }
}

TEST(ClientHelloTest, BrokenExtensionsAreMalformed) {
  const std::string ech = U8(0) + U16(1) + U16(1) + U8(7) + V16("key") + V16("payload");
  for (const std::string& extensions : {
           Extension(21, "") + Extension(21, ""),     // twice
           Extension(41, "psk") + Extension(21, ""),  // pre_shared_key is the last
           U16(21),                                   // cut in its length
           U16(21) + U16(5) + "1234",                 // cut in its body
           Extension(16, ""),                         // ALPN: no list
           Extension(16, V16("")),                    // ALPN: empty list
           Extension(16, V16(V8(""))),                // ALPN: empty name
           Extension(16, V16(U8(3) + "h2")),          // ALPN: name beyond the list
           Extension(16, V16(V8("h2")) + "x"),        // ALPN: bytes after the list
           Extension(43, V8("")),                     // no versions
           Extension(43, V8("abc")),                  // an odd number of bytes
           Extension(10, V16("")),                    // no groups
           Extension(13, V16("abcd") + "x"),          // bytes after the algorithms
           Extension(11, V8("")),                     // no point formats
           Extension(0xfe0d, ""),                     // ECH: nothing
           Extension(0xfe0d, U8(2)),                  // ECH: neither outer nor inner
           Extension(0xfe0d, U8(1) + "x"),            // ECH: inner with a body
           Extension(0xfe0d, ech + "x"),              // ECH: bytes after the payload
           Extension(0xfe0d, ech.substr(0, ech.size() - 1)),
       }) {
    EXPECT_EQ(StateOf(HelloWith(extensions)), HelloState::kMalformed) << testing::PrintToString(extensions);
  }
}

TEST(ClientHelloTest, BrokenBodiesAreMalformed) {
  for (const Parts& parts : {
           Parts{.version = U16(0x0203)},
           Parts{.session = std::string(33, 's')},
           Parts{.ciphers = ""},
           Parts{.ciphers = "abc"},
           Parts{.compressions = ""},
           Parts{.compressions = U8(1)},
       }) {
    EXPECT_EQ(StateOf(Record(Message(Body(parts)))), HelloState::kMalformed);
  }
  const std::string body = Body({.extensions = ServerName("a.example")});
  for (size_t length = 0; length < body.size(); ++length) {  // whole by its header, cut within
    const bool ends_before_extensions = length == Body({.with_extensions = false}).size();
    const HelloState state = StateOf(Record(Message(body.substr(0, length))));
    EXPECT_EQ(state, ends_before_extensions ? HelloState::kHello : HelloState::kMalformed) << length;
  }
  EXPECT_EQ(StateOf(Record(Message(body + "x"))), HelloState::kMalformed);
}

TEST(ClientHelloTest, BrokenRecordsAreMalformed) {
  const std::string message = Message(Body({}));
  const std::string first = Record(message.substr(0, 10));
  EXPECT_EQ(StateOf(Record("")), HelloState::kMalformed);
  EXPECT_EQ(StateOf(std::string_view("\x16\x03\x01\x40\x01", 5)), HelloState::kMalformed);  // 16385 bytes
  EXPECT_EQ(StateOf(Record("\x02")), HelloState::kMalformed);                               // ServerHello
  EXPECT_EQ(StateOf(Record(message + "x")), HelloState::kMalformed);        // more in the hello's last record
  EXPECT_EQ(StateOf(first + "\x15\x03\x01"), HelloState::kMalformed);       // an alert in between
  EXPECT_EQ(StateOf(first + "\x16\x02"), HelloState::kMalformed);           // another major version
  EXPECT_EQ(StateOf(first + Record("") + "\x16"), HelloState::kMalformed);  // an empty record in between
}

TEST(ClientHelloTest, WhatIsNoHandshakeRecordIsNotTls) {
  EXPECT_EQ(StateOf(""), HelloState::kNeedMore);
  EXPECT_EQ(StateOf("G"), HelloState::kNotTls);
  EXPECT_EQ(StateOf("\x16\x02"), HelloState::kNotTls);
  EXPECT_EQ(StateOf("\x15\x03\x01"), HelloState::kNotTls);
  EXPECT_EQ(StateOf("\x80\x2e\x01\x03\x01"), HelloState::kNotTls);  // an SSLv2 hello
}

// --- Classify ---

struct Case {
  std::string_view bytes;
  Sniff sniff;
};

// Certain at the last byte of `bytes` and not before; and nothing after it changes that.
void ExpectDecidedAtTheEnd(const Case& c) {
  for (size_t length = 0; length < c.bytes.size(); ++length) {
    EXPECT_EQ(Classify(c.bytes.substr(0, length)), Sniff::kNeedMore) << c.bytes << " at " << length;
  }
  EXPECT_EQ(Classify(c.bytes), c.sniff) << c.bytes;
  EXPECT_EQ(Classify(Cat(c.bytes, "\r\n\x16\x03 HTTP/1.1")), c.sniff) << c.bytes;
}

TEST(ClassifyTest, T12_KnowsProtocolsByTheirFirstBytesAsSoonAsItIsCertain) {
  for (const Case& c : {
           Case{"\x16\x03", Sniff::kTls},
           Case{"GET / HTTP/", Sniff::kHttp1},
           Case{"POST http://a.example/ HTTP/", Sniff::kHttp1},
           Case{"OPTIONS * HTTP/", Sniff::kHttp1},
           Case{"VERSION-CONTROL /x HTTP/", Sniff::kHttp1},
           Case{"\r\nGET / HTTP/", Sniff::kHttp1},
           Case{"PRI * HTTP/2.0", Sniff::kHttp2Preface},
           Case{"SSH-2.0-OpenSSH_9.2\r", Sniff::kOther},
           Case{"SSH-2.0-OpenSSH_9.2 Debian\r", Sniff::kOther},
           Case{"EHLO client.example\r", Sniff::kOther},
           // Requests to lenient servers: HTTP/0.9, several spaces, controls.
           Case{"GET /\r", Sniff::kHttp1},
           Case{"GET /x  ", Sniff::kHttp1},
           Case{"GET  /x HTTP/", Sniff::kHttp1},
           Case{"GET http://a.example/\n", Sniff::kHttp1},
           Case{"GET /\x01", Sniff::kHttp1},
           Case{"OPTIONS sip:a.example S", Sniff::kOther},
           Case{"HELP\r", Sniff::kOther},
           Case{"AAAAAAAAAAAAAAAAAAAAAAAAA", Sniff::kOther},  // no method is that long
           Case{"GET  {\r", Sniff::kOther},
           Case{" ", Sniff::kOther},
           Case{"{", Sniff::kOther},
           Case{"\x16\x02", Sniff::kOther},
           Case{"\x80", Sniff::kOther},
           Case{"\r\n\r\n\r\n\r\n\r\nGET / HTTP/", Sniff::kHttp1},
       }) {
    ExpectDecidedAtTheEnd(c);
  }
  EXPECT_EQ(Classify(std::string_view("\0", 1)), Sniff::kOther);
  EXPECT_EQ(Classify("PRI * HTTP/1.1"), Sniff::kHttp1);
}

TEST(ClassifyTest, ALongTargetIsHttpBeforeItsEnd) {
  const std::string line = "GET /" + std::string(2000, 'a');
  EXPECT_EQ(Classify(line.substr(0, 900)), Sniff::kNeedMore);
  EXPECT_TRUE(LooksLikeHttp1(line));
}

TEST(ClassifyTest, NothingIsUndecidedForLong) {
  EXPECT_EQ(Classify(std::string(2000, '\n')), Sniff::kHttp1);
  EXPECT_EQ(Classify("GET" + std::string(2000, ' ')), Sniff::kHttp1);
}

}  // namespace
}  // namespace egret
