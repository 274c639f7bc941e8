// Any bytes as the patterns of a .gitignore and as a git index: bounded work, consistent answers.
#include "../support/require.hpp"

#include <pyro/base/error.hpp>
#include <pyro/seed/git_index.hpp>
#include <pyro/seed/gitignore.hpp>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pyro::seed;
  const std::string text(reinterpret_cast<const char*>(data), size);

  const IgnoreList list(text, "a/b");
  for (const std::string_view path : {"a/b/c", "a/b/c/d.log", "a/b/**", "a/b/\\", "a/b/[x]", "a/b/c d"}) {
    const auto name = path.substr(path.rfind('/') + 1);
    for (const bool directory : {false, true}) {
      require(list.match(path, name, directory) == list.match(path, name, directory), "one answer");
    }
  }
  require(
      list.match("elsewhere", "elsewhere", false) == Match::none,
      "patterns reach no farther than their folder");
  require(!list.empty() || IgnoreList(text, "").empty(), "where the list lies does not make it empty");

  const auto half = text.size() / 2;
  const auto pattern = text.substr(0, std::min<std::size_t>(half, 200));
  const auto path = text.substr(half, 200);
  wild_match(pattern, path, Slashes::special);
  wild_match(pattern, path, Slashes::ordinary);

  for (const std::size_t name_bytes : {0, 20, 32}) { // 0: in two halves, a split index and its shared part
    try {
      const auto index = name_bytes == 0 ? GitIndex::parse_split(text.substr(0, half), text.substr(half))
                                         : GitIndex::parse(text, name_bytes);
      std::string_view last;
      for (const auto& file : index.files()) {
        require(!file.path.empty(), "a tracked file has a path");
        require(last.empty() || last < file.path, "sorted, and each once");
        last = file.path;
      }
      require(index.below("").last == index.files().size(), "everything is below the top");
    } catch (const pyro::Error& error) {
      const bool is_damage = error.code() == pyro::ErrorCode::protocol;
      require(is_damage || error.code() == pyro::ErrorCode::unavailable, "damage, or a form of a later git");
    }
  }
  return 0;
}
