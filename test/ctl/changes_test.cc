#include "source/ctl/changes.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace egret {
namespace {

PolicyChange ChangeOf(std::string who, std::string target) {
  PolicyChange change;
  change.who = std::move(who);
  change.target = std::move(target);
  change.method = "GET";
  change.stage = "target";
  change.live = {"continue", "web", "all"};
  change.candidate = {"deny", "", "address_guard"};
  return change;
}

TEST(Changes, TheMostFrequentComesFirst) {
  ChangeTable table;
  table.Add(ChangeOf("a", "a.test:80"), {1, 0, 61});
  table.Add(ChangeOf("b", "b.test:80"), {20, 3600, 86399});
  EXPECT_EQ(
      ChangesTable(table.rows()),
      "COUNT  WHO  METHOD  TARGET     STAGE   NOW                  CANDIDATE              FIRST      LAST\n"
      "20     b    GET     b.test:80  target  continue by web/all  deny by address_guard  01:00:00Z  23:59:59Z\n"
      "1      a    GET     a.test:80  target  continue by web/all  deny by address_guard  00:00:00Z  00:01:01Z\n");
}

TEST(Changes, WhatPeersChoseStaysOnItsLine) {
  const std::string line = ChangeLine(ChangeOf("\x1b[31m\xc2\x9b"
                                               "evil",
                                               "a\nb:80"),
                                      {1, 1, 1});
  EXPECT_EQ(line, "?[31m??evil  GET a?b:80  target: continue by web/all -> deny by address_guard  (1)\n");
}

}  // namespace
}  // namespace egret
