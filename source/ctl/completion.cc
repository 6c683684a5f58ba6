#include "source/ctl/completion.h"

#include "source/base/strings.h"

namespace egret {
namespace {

std::string NamesOf(std::span<const Flag> flags) {
  std::string out;
  for (const Flag& flag : flags) Append(out, flag.name, " ");
  return out + "--help";
}

// --- bash

std::string BashAnswer(Takes takes, std::string_view choices) {
  if (!choices.empty()) return Cat("_egretctl_words \"", choices, "\"");
  if (takes == Takes::kFile) return "_egretctl_paths -f";
  if (takes == Takes::kFolder) return "_egretctl_paths -d";
  return ":";
}

// bash takes "=" for a word of its own.
constexpr std::string_view kBashBegin = R"(# bash completion of egretctl
_egretctl_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_egretctl_paths() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen "$1" -- "$cur"); }
_egretctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
)";

std::string Bash() {
  std::string names, values, flags, words;
  for (const Command& command : Commands()) {
    Append(names, command.name, " ");
    Append(flags, "      ", command.name, ") _egretctl_words \"", NamesOf(command.flags), "\" ;;\n");
    if (!command.words.choices.empty())
      Append(words, "    ", command.name, ":2) ", BashAnswer(Takes::kText, command.words.choices), " ;;\n");
    if (command.words.takes == Takes::kFile || command.words.takes == Takes::kFolder)
      Append(words, "    ", command.name, ":*) ", BashAnswer(command.words.takes, {}), " ;;\n");
    for (const Flag& flag : command.flags)
      if (flag.takes != Takes::kNothing)
        Append(values, "    ", command.name, ":", flag.name, ") ", BashAnswer(flag.takes, flag.choices),
               "; return ;;\n");
  }
  return Cat(kBashBegin, "  if ((COMP_CWORD == 1)); then _egretctl_words \"", names, "--help\"; return; fi\n",
             "  case $command:$prev in\n", values, "  esac\n", "  if [[ $cur == -* ]]; then\n    case $command in\n",
             flags, "    esac\n    return\n  fi\n", "  case $command:$COMP_CWORD in\n", words, "  esac\n}\n",
             "complete -F _egretctl egretctl\n");
}

// --- zsh

std::string ZshAction(Takes takes, std::string_view choices) {
  if (!choices.empty()) return Cat("(", choices, ")");
  if (takes == Takes::kFile) return "_files";
  if (takes == Takes::kFolder) return "_files -/";
  return " ";
}

std::string ZshArguments(const Command& command) {
  std::string out;
  for (const Flag& flag : command.flags) {
    Append(out, " '", flag.repeated ? "*" : "", flag.name);
    if (flag.takes != Takes::kNothing) Append(out, "=:", flag.name.substr(2), ":", ZshAction(flag.takes, flag.choices));
    out += '\'';
  }
  const CommandWords& words = command.words;
  if (!words.choices.empty()) Append(out, " '1:word:", ZshAction(Takes::kText, words.choices), "'");
  if (words.takes != Takes::kNothing) Append(out, " '*:word:", ZshAction(words.takes, {}), "'");
  return out + " '--help'";
}

// In single quotes nothing means anything but another one.
std::string ZshQuoted(std::string_view text) {
  std::string out;
  for (const char c : text) c == '\'' ? out += "'\\''" : out += c;
  return out;
}

std::string Zsh() {
  std::string names, cases;
  for (const Command& command : Commands()) {
    Append(names, "    '", command.name, ":", ZshQuoted(command.summary), "'\n");
    Append(cases, "    ", command.name, ") _arguments", ZshArguments(command), " ;;\n");
  }
  return Cat("#compdef egretctl\n_egretctl() {\n  local -a commands=(\n", names, "  )\n",
             "  if ((CURRENT == 2)); then _describe command commands; return; fi\n",
             "  local command=$words[2]\n  shift words\n  ((CURRENT--))\n  case $command in\n", cases,
             "  esac\n}\ncompdef _egretctl egretctl\n");
}

}  // namespace

int RunCompletion(std::span<const std::string> arguments, Output& output) {
  if (arguments.size() != 1) return Misuse("completion", "for which shell? say bash or zsh", output);
  if (arguments[0] != "bash" && arguments[0] != "zsh")
    return Misuse("completion", Cat("no completion for ", arguments[0], "; there are bash and zsh"), output);
  output.out += arguments[0] == "bash" ? Bash() : Zsh();
  return kDone;
}

}  // namespace egret
