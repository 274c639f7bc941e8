#include <pyro/base/safe_text.hpp>
#include <pyro/cli/commands.hpp>
#include <pyro/cli/render_parts.hpp>
#include <pyro/cli/session.hpp>

#include <fmt/format.h>

#include <array>

namespace pyro::cli {

namespace lock_command {

namespace {

constexpr std::string_view k_page = R"(
Writes pyro.lock beside pyro.yaml: what environment.image is now. Commit it: whoever applies the file gets the same, or
an error (65) with both digests. `pyro apply` writes it by itself when it fetches an image of a registry and there is no
lock yet; from then on an image that is not in it is an error until this adds it.

  a registry's image    the digest that its name stands for; it is fetched by that, whatever becomes of the name
  debian:12             its packages and their versions, for this architecture; it is built where it is not here yet
  tar:, oci-archive:, docker-archive:, oci:
                        the file's digest, the layout's under the tag

`host` and `dir:` cannot be locked, nor what steps fetch while they run: both are named.

Examples:
  pyro lock                 after a change of environment.image
  pyro lock --upgrade       what it is today; debian:12 is built anew
)";

constexpr std::array k_options{
    Option{"--upgrade", "", "", "Look up what is in it as well"},
};

int run(Session& session) {
  auto parameters = session.project();
  if (session.arguments().has("upgrade")) {
    parameters["upgrade"] = true;
  }
  session.conclude(session.call("lock", parameters), [](const Json& done) {
    std::string text;
    for (const auto& image : list_at(done, "images")) {
      const auto before = get_string(image, "before");
      const auto digest = get_string(image, "digest");
      text += fmt::format(
          "{} {}{}\n", escape_controls(get_string(image, "image")), digest,
          before.empty()     ? " (new)"
          : before == digest ? " (as it was)"
                             : " (was " + before + ")");
    }
    if (text.empty()) {
      text = "Nothing of this file can be locked, or its image names its digest.\n";
    }
    for (const auto& each : list_at(done, "unlocked")) {
      text += fmt::format(
          "Not locked: {}: {}\n", escape_controls(get_string(each, "address")), get_string(each, "why"));
    }
    return text
           + (get_bool(done, "changed")
                  ? fmt::format("Wrote {}.\n", escape_controls(get_string(done, "file")))
                  : "");
  });
  return 0;
}

} // namespace

} // namespace lock_command

constinit const Command k_lock{
    .name = "lock",
    .summary = "Write what the image is now into pyro.lock",
    .page = lock_command::k_page,
    .run = lock_command::run,
    .options = lock_command::k_options,
    .takes = k_takes_file,
};

} // namespace pyro::cli
