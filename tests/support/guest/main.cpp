// fetch-guest: fetches the kernel of virtual machines from Debian's packages to where tests look for it.
// fetch-guest --forget-templates: removes the guests that tests saved.
#include "../files.hpp"
#include "../guest_directory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/guest_images/kernel.hpp>

#include <iostream>

int main(int argc, char** argv) {
  using namespace pyro;
  const auto directory = testing::guest_directory();
  try {
    if (argc > 1 && std::string_view(argv[1]) == "--forget-templates") {
      std::filesystem::remove_all(directory / "templates");
      return 0;
    }
    guest_images::GuestKernels kernels(
        (testing::binary_dir() / "bin/pyro-agent").string(),
        [](std::string_view, const std::string& text) { std::cout << text << "\n"; },
        (directory / "cache").string());
    std::cout << kernels.ensure().version << "\n";
    return 0;
  } catch (const Error& error) {
    std::cerr << to_json(error).dump(2) << "\n";
    return 1;
  }
}
