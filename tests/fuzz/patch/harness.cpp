// Any bytes as a patch, and any bytes as the file that it is for.
#include "../support/require.hpp"

#include <pyro/base/error.hpp>
#include <pyro/store/patch_apply.hpp>
#include <pyro/store/patch_parse.hpp>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pyro::store;
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& file : parse_patch(text)) {
      require(file.before || file.after, "a patch is of some file");
      for (const auto& path : {file.before, file.after}) {
        require(!path || (!path->empty() && path->front() != '/'), "paths are relative");
        require(!path || path->find('\0') == std::string::npos, "paths are names of files");
      }
      for (const std::string& content : {std::string(), text, std::string("one\ntwo\n")}) {
        try {
          apply_hunks(content, file.hunks, file.after.value_or(file.before.value_or("")));
        } catch (const pyro::Error& error) {
          require(!error.message().empty(), "a hunk that does not fit is told");
        }
      }
    }
  } catch (const pyro::Error& error) {
    require(error.code() == pyro::ErrorCode::invalid_argument, "malformed is the only complaint");
  }
  return 0;
}
