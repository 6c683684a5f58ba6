// egretctl's subcommands: one table, one file for each.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/flags.h"

namespace egret {

inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;      // what was asked about is not right
inline constexpr int kMisused = 2;      // the command line is not
inline constexpr int kNotReached = 3;   // whom it asks does not answer
inline constexpr int kWouldChange = 4;  // what is compared comes out otherwise

// What a command says; main prints it.
struct Output {
  std::string out;
  std::string err;
  bool (*flush)(Output& output) = nullptr;

  // Prints what has gathered: of a command that follows something. False: nobody reads any more.
  bool Flush() { return flush == nullptr || flush(*this); }
};

// What may stand beside a command's options.
struct CommandWords {
  std::string_view choices = {};  // for the first one: "init intermediate"
  Takes takes = Takes::kNothing;
};

struct Command {
  std::string_view name;
  std::string_view summary;  // one line
  std::string_view usage;    // what --help prints, with its last line end
  // The arguments after the command's name; gives the exit status.
  int (*run)(std::span<const std::string> arguments, Output& output);
  std::span<const Flag> flags;
  CommandWords words;
};

std::span<const Command> Commands();

// All arguments after the program's name.
int RunEgretctl(std::span<const std::string> arguments, Output& output);

// Says what is wrong with the command line and where to read more. Gives kMisused.
int Misuse(std::string_view command, std::string_view why, Output& output);

}  // namespace egret
