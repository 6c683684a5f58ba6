// The word that was meant: for errors about names that are not known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace egret {

// Of the candidates the one with the fewest edits (insert, delete, replace, swap of neighbours; case and `_` and `-` do
// not count), if few enough for a slip of the keyboard; else empty.
std::string NearestWord(std::string_view word, const std::vector<std::string>& candidates);

// What to do about a name that is not known: "did you mean audit?", or else what there is, at most `most` of them.
std::string Suggest(std::string_view word, const std::vector<std::string>& candidates, size_t most = 12);

}  // namespace egret
