// fetch-guest: fetches the kernel of virtual machines from Debian's packages to where tests look for it, and
// beside it the modules with which a test makes a file system with quotas in a guest.
//
// fetch-guest --forget-templates: removes the guests that tests saved.
#include "../files.hpp"
#include "../guest_directory.hpp"

#include <pyro/base/error.hpp>
#include <pyro/guest_images/kernel.hpp>
#include <pyro/guest_images/kernel_package.hpp>
#include <pyro/guest_images/modules.hpp>
#include <pyro/os/directory.hpp>

#include <iostream>

namespace {

using namespace pyro;

/// "order" names them in the order in which they are loaded.
void keep_modules(const std::string& tree) {
  const auto kernel = guest_images::read_kernel_tree(tree, {"loop", "quota_v2"});
  const auto directory = testing::guest_modules(kernel.version);
  std::filesystem::create_directories(directory);
  std::string order;
  for (const auto& module : kernel.modules) {
    std::filesystem::copy_file(
        module.path, directory / module.name, std::filesystem::copy_options::overwrite_existing);
    order += module.name + "\n";
  }
  testing::write_file(directory / "order", order);
}

} // namespace

int main(int argc, char** argv) {
  const auto directory = testing::guest_directory();
  try {
    if (argc > 1 && std::string_view(argv[1]) == "--forget-templates") {
      std::filesystem::remove_all(directory / "templates");
      return 0;
    }
    guest_images::GuestKernels kernels(
        (testing::binary_dir() / "bin/pyro-agent").string(),
        [](std::string_view, const std::string& text) { std::cout << text << "\n"; },
        (directory / "cache").string(),
        [](const std::string& tree, const std::string& scratch,
           const std::function<void(const std::string&)>& line) {
          auto packages = guest_images::fetch_kernel_package(tree, scratch, line);
          keep_modules(tree);
          return packages;
        });
    auto version = kernels.ensure().version;
    if (!os::exists((testing::guest_modules(version) / "order").string())) {
      kernels.pull(environment::Refresh::yes); // fetched before they were kept
      version = kernels.require().version;
    }
    std::cout << version << "\n";
    return 0;
  } catch (const Error& error) {
    std::cerr << to_json(error).dump(2) << "\n";
    return 1;
  }
}
