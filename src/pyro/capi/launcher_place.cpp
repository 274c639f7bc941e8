#include "launcher_place.hpp"

#include <pyro/base/error.hpp>

#include <system_error>

#include <dlfcn.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::capi {

std::string launcher_place() {
  namespace fs = std::filesystem;
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&launcher_place), &info) == 0) {
    throw Error(ErrorCode::internal, "the place of libpyro.so is not known");
  }
  std::error_code unreachable; // then it is not found below, and the message says where it was looked for
  const auto own = fs::canonical(info.dli_fname, unreachable).parent_path();
  const auto installed = (own / PYRO_LIBEXEC_FROM_LIB / "pyro-launcher").lexically_normal();
  const auto beside = own / "pyro-launcher";
  for (const auto& place : {installed, beside}) {
    if (::access(place.c_str(), X_OK) == 0) {
      return place.string();
    }
  }
  throw Error(
      ErrorCode::unavailable, "pyro-launcher is neither {} nor {}", installed.string(), beside.string())
      .with_hint("install it with the library (Debian: the package pyro), or name it with the option "
                 "'launcher'");
}

} // namespace pyro::capi
