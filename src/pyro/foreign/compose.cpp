// The whole of a compose.yaml: which image everything stands on, and which services run on it.
#include "compose_service.hpp"
#include "dockerfile.hpp"
#include "import.hpp"
#include "text_forms.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pyro::foreign {

namespace {

using spec::Node;

/// What the root of the file may hold, beside services.
void read_root(Draft& draft, const Node& root) {
  for (const auto& entry : root.entries) {
    const auto& key = entry.key;
    const auto& place = entry.key_place;
    if (key == "services" || key == "name" || key == "secrets" || key.starts_with("x-")) {
      continue;
    }
    if (key == "version") {
      draft.not_needed(place, key, "the version of the format is that of pyro.yaml");
    } else if (key == "volumes") {
      draft.not_needed(place, key, "files stay until `pyro reset`; a snapshot keeps them under a name");
    } else if (key == "networks") {
      draft.not_needed(place, key, "all services share the workspace's network, and find each other by name");
    } else if (key == "configs") {
      draft.lost(place, key, "write the files into the checkout, or into the image by a set-up step");
    } else if (key == "include") {
      draft.lost(place, key, "a pyro.yaml is one file: import the others and put them together");
    } else {
      draft.lost(place, key, "there is no such thing here");
    }
  }
}

void read_secrets(Draft& draft, const Node& root) {
  const auto* secrets = root.find("secrets");
  for (const auto& entry : secrets != nullptr ? secrets->entries : std::vector<spec::Entry>{}) {
    const auto address = "secrets." + entry.key;
    const auto file = text_of_node(entry.value.find("file"));
    const auto variable = text_of_node(entry.value.find("environment"));
    if (name_from(entry.key) != entry.key) {
      draft.lost(entry.key_place, address, "its name cannot be one here");
    } else if (const auto path = path_below(file); !path.empty() && path.find('$') == std::string::npos) {
      draft.secrets[entry.key] = fmt::format("{{file: {}}}", quoted(path));
    } else if (is_variable_name(variable)) {
      draft.secrets[entry.key] = fmt::format("{{env: {}}}", variable);
    } else {
      draft.lost(
          entry.key_place, address,
          "say where it comes from: `secrets: {NAME: {file: …}}`, or env or command");
    }
  }
}

/// What a service with `build` stands on, as far as its Dockerfile tells.
std::optional<std::string> base_of_build(const Node& build, const ReadBeside& read) {
  const auto context = build.is_scalar() ? build.text : text_of_node(build.find("context"));
  const auto* named = build.find("dockerfile");
  const auto below = path_below(context);
  const auto file = path_below(
      (below.empty() ? std::string() : below + "/")
      + (named != nullptr ? text_of_node(named) : "Dockerfile"));
  const bool is_inside = below.empty() ? context.empty() || context == "." || context == "./" : true;
  const auto text = file.empty() || !is_inside ? std::nullopt : read(file);
  return text ? base_of_dockerfile(*text) : std::nullopt;
}

/// The one image: that of the first service that is built, else of the first that is no known server.
void choose_image(ComposeImport& import, const Node& services) {
  auto& draft = import.draft;
  for (const auto& entry : services.entries) {
    if (const auto* build = entry.value.find("build")) {
      const auto base = base_of_build(*build, import.read);
      draft.image = base.value_or("debian:12");
      draft.image_comment =
          base ? fmt::format(
              "what {}'s Dockerfile begins with; its other lines become set-up steps", entry.key)
               : fmt::format("{} is built: what its Dockerfile does becomes set-up steps", entry.key);
      import.image_of = entry.key;
      draft.lost(
          build->place, "services." + entry.key + ".build",
          "one image for all, with set-up steps: what the Dockerfile runs goes into environment.setup");
      return;
    }
  }
  for (const auto& entry : services.entries) {
    const auto image = from_compose_variables(text_of_node(entry.value.find("image")));
    if (!image.empty() && !is_known_server(image)) {
      draft.image = image;
      import.image_of = entry.key;
      return;
    }
  }
  draft.image_comment = "a clean Debian for the servers below";
}

} // namespace

Draft import_compose(std::string_view text, const std::string& file, const ReadBeside& read) {
  const auto root = read_map(text, file);
  const auto* services = root.find("services");
  if (services == nullptr || !services->is_map() || services->entries.empty()) {
    throw Error(ErrorCode::invalid_file, "there are no services in it: is it a compose.yaml?")
        .at({file, 1, 1});
  }
  ComposeImport import{{}, read, {}, {}, {}};
  import.draft.source = file;
  import.draft.name = name_from(from_compose_variables(text_of_node(root.find("name"))));
  read_root(import.draft, root);
  read_secrets(import.draft, root);
  choose_image(import, *services);
  for (const auto& entry : services->entries) {
    add_compose_service(import, entry);
  }
  finish_compose(import);
  std::stable_sort(
      import.draft.unmapped.begin(), import.draft.unmapped.end(), [](const Unmapped& a, const Unmapped& b) {
        return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
      });
  return std::move(import.draft);
}

} // namespace pyro::foreign
