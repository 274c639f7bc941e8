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
Writes pyro.lock beside pyro.yaml: for the image of a registry, the digest that its name stands for now. Commit it, and
everybody who applies the file gets the same image, whatever becomes of the name. `pyro apply` writes it when it fetches
such an image and there is no lock yet; from then on a name that is not in it is an error (65) until this adds it.

Images that are made or lie on this machine (debian:12, host, dir:, tar:, oci:) have nothing to look up.

Examples:
  pyro lock                 after a change of environment.image
  pyro lock --upgrade       what the names stand for today
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
      text = "Nothing of this file can be locked: its image comes from no registry.\n";
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
    .summary = "Write what the image's name stands for into pyro.lock",
    .page = lock_command::k_page,
    .run = lock_command::run,
    .options = lock_command::k_options,
    .takes = k_takes_file,
};

} // namespace pyro::cli
