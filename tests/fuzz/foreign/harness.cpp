// Any bytes as a file of another tool: an import gives a valid pyro.yaml or an Error, never a crash or
// another exception.
#include "../support/require.hpp"

#include <pyro/foreign/import.hpp>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace pyro::foreign;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ReadBeside beside = [](const std::string&) {
    return std::optional<std::string>("FROM debian:12\n");
  };
  for (const auto read : {import_compose, import_devcontainer}) {
    try {
      const auto draft = read(text, "file", beside);
      require(!text_of(draft).empty(), "what was read can be written");
    } catch (const pyro::Error& error) {
      require(!error.message().empty(), "an error has a message");
      require(error.code() != pyro::ErrorCode::internal, "what others write is no bug of ours");
    }
  }
  return 0;
}
