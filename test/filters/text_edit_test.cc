// What body_rewrite does to text: in one piece and in many, the same comes out.
#include "source/filters/text_edit.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "source/filters/content_changes.h"

namespace egret {
namespace {

constexpr size_t kMost = 1000;
using Make = std::function<std::unique_ptr<ContentEdit>()>;

std::string Edited(ContentEdit& edit, std::string_view content, size_t piece) {
  std::string out;
  for (; !content.empty(); content.remove_prefix(std::min(piece, content.size()))) {
    std::string_view in = content.substr(0, piece);
    for (std::string some = "x"; !some.empty() || !in.empty(); out += some) {
      some.clear();
      EXPECT_TRUE(edit.Take(in, some));
    }
  }
  EXPECT_TRUE(edit.End(out));
  return out;
}

// What comes out, however it is cut.
std::string Through(const Make& make, std::string_view content) {
  const std::string whole = Edited(*make(), content, content.size() + 1);
  for (size_t piece = 1; piece <= 9; ++piece) EXPECT_EQ(Edited(*make(), content, piece), whole) << piece;
  return whole;
}

std::string Replaced(const std::string& text, const std::string& with, std::string_view content) {
  const SoughtText sought(text);
  return Through([&] { return MakeReplace(sought, with); }, content);
}

std::string Inserted(Place place, std::string_view content, size_t most = kMost) {
  const std::string text = "+";
  return Through([&] { return MakeInsert(place, text, most); }, content);
}

TEST(TextEdit, EveryOccurrenceIsReplacedFromLeftToRight) {
  EXPECT_EQ(Replaced("ab", "X", "abcabab a b"), "XcXX a b");
  EXPECT_EQ(Replaced("aa", "b", "aaaaa"), "bba");
  EXPECT_EQ(Replaced("abab", "X", "abababab ababa"), "XX Xa");
  EXPECT_EQ(Replaced("aab", "X", "aaab aaaab"), "aX aaX");
  EXPECT_EQ(Replaced("a", "aa", "aba"), "aabaa");  // what was put in is not looked at
  EXPECT_EQ(Replaced("gone", "", "it is gone."), "it is .");
  EXPECT_EQ(Replaced("absent", "x", "not here, abse"), "not here, abse");
  EXPECT_EQ(Replaced("x", "y", ""), "");
}

TEST(TextEdit, OnlyWhatMayBeTheBeginningIsHeldBack) {
  const SoughtText sought("needle");
  EXPECT_EQ(sought.BegunAtEndOf("a needl"), 5u);
  EXPECT_EQ(sought.BegunAtEndOf("a nee needle!"), 0u);
  EXPECT_EQ(sought.BegunAtEndOf("nen"), 1u);
  EXPECT_EQ(sought.BegunAtEndOf(""), 0u);
  EXPECT_EQ(SoughtText("aaab").BegunAtEndOf("aaaaa"), 3u);
  EXPECT_EQ(SoughtText("a").BegunAtEndOf("aaa"), 0u);
}

TEST(TextEdit, ALargeReplacementIsGivenInBoundedPieces) {
  const SoughtText sought("a");
  const std::string with(8192, 'b');
  const auto edit = MakeReplace(sought, with);
  std::string content(1000, 'a');
  std::string_view in = content;
  size_t all = 0;
  for (std::string out = "x"; !out.empty(); all += out.size()) {
    out.clear();
    edit->Take(in, out);
    EXPECT_LE(out.size(), ContentEdit::kRoom + with.size());
  }
  EXPECT_EQ(all, with.size() * 1000);
}

TEST(TextEdit, TextIsPutAtTheEdges) {
  EXPECT_EQ(Inserted(Place::kBegin, "text"), "+text");
  EXPECT_EQ(Inserted(Place::kBegin, ""), "+");
  EXPECT_EQ(Inserted(Place::kEnd, "text"), "text+");
  EXPECT_EQ(Inserted(Place::kEnd, ""), "+");
}

TEST(TextEdit, TextIsPutBeforeTheFirstHeadEnd) {
  EXPECT_EQ(Inserted(Place::kHeadEnd, "<head>a</head><b></head>"), "<head>a+</head><b></head>");
  EXPECT_EQ(Inserted(Place::kHeadEnd, "<HEAD></HeAd>"), "<HEAD>+</HeAd>");
  EXPECT_EQ(Inserted(Place::kHeadEnd, "</head <</hea</head>"), "</head <</hea+</head>");
  EXPECT_EQ(Inserted(Place::kHeadEnd, "none </head"), "none </head");
}

TEST(TextEdit, TextIsPutBeforeTheLastBodyEnd) {
  EXPECT_EQ(Inserted(Place::kBodyEnd, "<body>'</body>'</BODY></html>"), "<body>'</body>'+</BODY></html>");
  EXPECT_EQ(Inserted(Place::kBodyEnd, "</body>"), "+</body>");
  EXPECT_EQ(Inserted(Place::kBodyEnd, "</body></body></body> </body"), "</body></body>+</body> </body");
  EXPECT_EQ(Inserted(Place::kBodyEnd, "none </body"), "none </body");
}

TEST(TextEdit, TooMuchBehindABodyEndMakesItTheLastOne) {
  const std::string text = "+";
  const auto edit = MakeInsert(Place::kBodyEnd, text, 20);
  const std::string content = "a</body>" + std::string(30, 'b') + "</body>";
  EXPECT_EQ(Edited(*edit, content, 5), "a+</body>" + std::string(30, 'b') + "</body>");
}

std::optional<std::string> Matched(const std::string& pattern, const std::string& with, std::string_view content,
                                   size_t most = kMost) {
  return ReplacePattern(re2::RE2(pattern), with, content, most);
}

TEST(TextEdit, MatchesAreReplacedWithTheirGroups) {
  EXPECT_EQ(Matched("colou?r", "hue", "color colour"), "hue hue");
  EXPECT_EQ(Matched("(\\w+)@(\\w+)", "\\2 at \\1 (\\0)", "me@here, you@there"),
            "here at me (me@here), there at you (you@there)");
  EXPECT_EQ(Matched("a|(b)", "<\\1>", "ab"), "<><b>");
  EXPECT_EQ(Matched("^a", "x", "aaa"), "xaa");
  EXPECT_EQ(Matched("none", "x", "text"), "text");
  EXPECT_EQ(Matched("x", "y", ""), "");
}

TEST(TextEdit, MatchesOfNothingMoveOnByOneCharacter) {
  EXPECT_EQ(Matched("\\b", "|", "a b"), "|a| |b|");
  EXPECT_EQ(Matched("(?m)^", "> ", "a\n\xc3\xa9"), "> a\n> \xc3\xa9");
  EXPECT_EQ(Matched("$", "!", "end"), "end!");
}

TEST(TextEdit, WhatWouldBeTooMuchIsNothing) {
  EXPECT_EQ(Matched("a", std::string(100, 'x'), "aaaaa", 400), std::nullopt);
  EXPECT_EQ(Matched("a", "", std::string(401, 'b'), 400), std::nullopt);
  EXPECT_NE(Matched("a", std::string(100, 'x'), "aaaa", 400), std::nullopt);
}

TEST(TextEdit, ChangesApplyInTheirOrderAndWithinTheirBound) {
  const auto pattern = std::make_shared<const re2::RE2>("b+");
  const ContentChanges changes(
      {ReplaceText{SoughtText("a"), "bb"}, ReplaceMatches{pattern, "c"}, InsertText{Place::kEnd, "!"}}, 20);
  EXPECT_TRUE(changes.needs_whole());
  EXPECT_EQ(changes.Apply("xaax"), "xcx!");
  EXPECT_EQ(changes.Apply("aaaaaaaaaa"), "c!");
  EXPECT_EQ(changes.Apply("aaaaaaaaaaa"), std::nullopt);  // on its way
}

}  // namespace
}  // namespace egret
