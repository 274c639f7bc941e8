#include "parse.hpp"

#include "read_parts.hpp"
#include "set_values.hpp"

#include <tuple>

namespace pyro::spec {

namespace {

/// "My Project!" → "My-Project": a directory's name as a workspace's name.
std::string name_from(std::string_view directory) {
  std::string name;
  for (const char c : directory.substr(0, 63)) {
    const bool kept = is_name(std::string(1, c)) || ((c == '-' || c == '_') && !name.empty());
    if (kept) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (name.ends_with('-')) {
    name.pop_back();
  }
  return name.empty() ? "workspace" : name;
}

void collect_reach(const Node& node, const std::string& address, std::vector<std::string>& reach) {
  if (!node.is_map()) {
    reach.push_back(address);
    return;
  }
  for (const auto& entry : node.entries) {
    collect_reach(entry.value, join(address, entry.key), reach);
  }
}

std::map<std::string, std::vector<std::string>> reach_of_profiles(const Node& tree) {
  std::map<std::string, std::vector<std::string>> result;
  const Node* profiles = tree.find("profiles");
  for (const auto& entry : profiles ? profiles->entries : std::vector<Entry>{}) {
    if (entry.value.is_map()) {
      collect_reach(entry.value, "", result[entry.key]);
    }
  }
  return result;
}

class FileParser {
public:
  FileParser(const ParseOptions& options) : m_options(options) {}

  /// The effective tree of one profile (or of none), read and checked.
  void read(Node tree, const std::optional<std::string>& profile) {
    spec.reach_of_profiles = reach_of_profiles(tree);
    if (profile && !apply_profile(tree, *profile)) {
      return;
    }
    apply_sets(context, tree, m_options.sets);
    const auto lookup = read_vars(context, tree, m_options, spec);
    interpolate(context, tree, lookup);
    MapReader root(context, tree, "", "root");
    if (!tree.is_map()) {
      return;
    }
    check_version(root);
    read_head(root);
    root.value("vars"); // read above; this notes an empty one
    read_secrets(context, root, spec);
    read_environment(context, root, spec);
    read_seed(context, root, spec);
    read_prepare(context, root, spec);
    read_services(context, root, spec);
    read_policies(context, root, spec);
    read_profile_names(root);
    resolve_defaults(spec, context);
    spec.positions = context.positions;
    check_spec(spec, context);
    spec.positions = std::move(context.positions);
    spec.variables_at = std::move(context.variables);
    spec.host_variables = context.host_variables;
    spec.complete = context.withheld.empty();
  }

  Context context;
  Spec spec;

private:
  bool apply_profile(Node& tree, const std::string& name) {
    spec.profile = name;
    const Node* profiles = tree.find("profiles");
    const Node* patch = profiles ? profiles->find(name) : nullptr;
    if (!patch) {
      std::vector<std::string> names;
      for (const auto& entry : profiles ? profiles->entries : std::vector<Entry>{}) {
        names.push_back(entry.key);
      }
      const auto near = nearest(name, names);
      context.error_at(
          {m_options.file, 0, 0}, "reference", join("profiles", name),
          fmt::format("there is no profile '{}'", name),
          near.empty()
              ? (names.empty() ? "this file has none" : fmt::format("known: {}", fmt::join(names, ", ")))
              : fmt::format("did you mean '{}'?", near));
      return false;
    }
    if (!patch->is_map()) {
      context.error(
          *patch, "type", join("profiles", name),
          fmt::format("expected a map, found {}", words_for(patch->kind)));
      return false;
    }
    for (const auto* key : {"profiles", "version"}) {
      if (patch->find(key)) {
        context.error(
            *patch, "value", join("profiles", name), fmt::format("a profile cannot change '{}'", key));
        return false;
      }
    }
    const Node copy = *patch;
    merge_patch(tree, copy, name);
    return true;
  }

  void check_version(MapReader& root) {
    const Node* version = root.node().find("version");
    if (version && version->is_scalar() && version->text != "1") {
      root.error(
          "version", "value", fmt::format("version '{}' of the format is not known", version->text),
          "this pyro reads version 1");
      return;
    }
    root.integer("version", spec.version);
  }

  void read_head(MapReader& root) {
    spec.name = name_from(m_options.directory);
    root.string("name", spec.name);
    if (!is_name(spec.name)) {
      root.error(
          "name", "name", fmt::format("'{}' cannot be a name", spec.name),
          "letters, digits, '-' and '_', at most 63");
    }
    root.string("description", spec.description);
    root.string_map("labels", spec.labels);
    root.choice("isolation", spec.isolation);
    root.choice_index("backend") ? root.string("backend", spec.backend) : void();
  }

  void read_profile_names(MapReader& root) {
    root.each_named("profiles", [&](const std::string& name, const Node& node, const std::string& address) {
      spec.profile_names.push_back(name);
      if (!node.is_map()) {
        context.error(node, "type", address, fmt::format("expected a map, found {}", words_for(node.kind)));
      }
    });
    std::sort(spec.profile_names.begin(), spec.profile_names.end());
  }

  const ParseOptions& m_options;
};

auto sort_key(const Diagnostic& diagnostic) {
  return std::tie(diagnostic.severity, diagnostic.place.line, diagnostic.place.column);
}

bool same(const Diagnostic& a, const Diagnostic& b) {
  return a.place == b.place && a.message == b.message && a.address == b.address;
}

/// What a value would be that the host did not tell is not known, so nothing is wrong with it yet.
void drop_withheld(const Context& context, std::vector<Diagnostic>& diagnostics) {
  std::erase_if(diagnostics, [&](const Diagnostic& diagnostic) {
    return diagnostic.code != "interpolation"
           && std::find(context.withheld.begin(), context.withheld.end(), diagnostic.place)
                  != context.withheld.end();
  });
}

/// What stands where one of `leading` stands, and is not one of them, only follows from it.
void drop_what_follows(
    std::vector<Diagnostic>& diagnostics, const std::function<bool(const Diagnostic&)>& leading) {
  std::vector<Position> places;
  for (const auto& diagnostic : diagnostics) {
    if (leading(diagnostic)) {
      places.push_back(diagnostic.place);
    }
  }
  std::erase_if(diagnostics, [&](const Diagnostic& diagnostic) {
    return !leading(diagnostic) && std::find(places.begin(), places.end(), diagnostic.place) != places.end();
  });
}

/// A value that could not be interpolated is wrong in other ways too.
bool is_unresolved(const Diagnostic& diagnostic) {
  return diagnostic.code == "interpolation";
}

/// A text of any length as one that can be read: its beginning and its end.
void shorten(std::string& text) {
  constexpr std::size_t k_most = 400;
  if (text.size() <= k_most) {
    return;
  }
  const auto is_inside = [&](std::size_t at) { // of a character
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  auto front = k_most / 3;
  auto back = text.size() - k_most / 2;
  while (is_inside(front)) {
    --front;
  }
  while (is_inside(back)) {
    ++back;
  }
  text = fmt::format("{}[… {} bytes …]{}", text.substr(0, front), back - front, text.substr(back));
}

void finish(std::vector<Diagnostic>& diagnostics) {
  drop_what_follows(diagnostics, is_unresolved);
  drop_what_follows(
      diagnostics, [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::error; });
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return sort_key(a) < sort_key(b);
  });
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end(), same), diagnostics.end());
  if (diagnostics.size() > k_max_diagnostics) {
    Diagnostic rest = diagnostics[k_max_diagnostics];
    rest.code = "more";
    rest.address.clear();
    rest.message = fmt::format("this and {} more are not shown", diagnostics.size() - k_max_diagnostics - 1);
    rest.hint = "mend those above first";
    diagnostics.resize(k_max_diagnostics);
    diagnostics.push_back(std::move(rest));
  }
  for (auto& diagnostic : diagnostics) {
    shorten(diagnostic.address);
    shorten(diagnostic.message);
    shorten(diagnostic.hint);
  }
}

/// What is wrong in a profile that is not chosen today would be found only in CI. Variables may have their
/// values there.
void check_other_profiles(
    const Node& tree, const ParseOptions& options, std::vector<Diagnostic>& diagnostics) {
  const Node* profiles = tree.find("profiles");
  constexpr std::size_t k_most = 32;
  for (std::size_t i = 0; profiles && i < std::min(k_most, profiles->entries.size()); ++i) {
    const auto& entry = profiles->entries[i];
    if (entry.key == options.profile || !entry.value.is_map() || entry.key.starts_with("x-")) {
      continue;
    }
    auto quiet = options;
    quiet.sets.clear();
    quiet.host_env = [](const std::string&) {
      return HostAnswer::withheld(); // nothing is asked for a profile that nobody chose
    };
    FileParser parser(quiet);
    parser.read(tree, entry.key);
    auto& found = parser.context.diagnostics;
    drop_withheld(parser.context, found);
    drop_what_follows(found, is_unresolved);
    for (auto& diagnostic : found) {
      const bool is_known = std::any_of(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& other) {
        return other.place == diagnostic.place && other.address == diagnostic.address;
      });
      if (diagnostic.severity == Severity::error && !is_unresolved(diagnostic) && !is_known) {
        const bool names_it = diagnostic.address == join("profiles", entry.key)
                              || diagnostic.message.find("(from profile " + entry.key) != std::string::npos;
        if (!names_it) {
          diagnostic.message += fmt::format(" (with profile {})", entry.key);
        }
        diagnostics.push_back(std::move(diagnostic));
      }
    }
  }
}

} // namespace

std::string to_string(const Diagnostic& diagnostic) {
  std::string text = fmt::format(
      "{}: {}: ", to_string(diagnostic.place), diagnostic.severity == Severity::error ? "error" : "warning");
  if (!diagnostic.address.empty()) {
    text += diagnostic.address + ": ";
  }
  text += diagnostic.message;
  return diagnostic.hint.empty() ? text : fmt::format("{} ({})", text, diagnostic.hint);
}

ParseResult parse_spec(std::string_view text, const ParseOptions& options) {
  ParseResult result;
  auto& diagnostics = result.diagnostics;
  const Node tree = parse_yaml(text, options.file, diagnostics);
  if (diagnostics.empty() && tree.kind == NodeKind::null) { // no node, so none that has a place
    diagnostics.push_back(
        {Severity::error,
         "type",
         {options.file, 1, 1},
         "",
         "the file is empty: expected a map, found nothing",
         "`pyro init` writes one to begin with",
         std::nullopt});
  }
  if (tree.kind != NodeKind::null) {
    FileParser parser(options);
    parser.read(tree, options.profile);
    std::move(
        parser.context.diagnostics.begin(), parser.context.diagnostics.end(),
        std::back_inserter(diagnostics));
    drop_withheld(parser.context, diagnostics);
    check_other_profiles(tree, options, diagnostics);
    result.spec = std::move(parser.spec);
  }
  finish(diagnostics);
  const TextLines lines(text);
  for (auto& diagnostic : diagnostics) {
    diagnostic.end = lines.end_of({diagnostic.place.line, diagnostic.place.column});
  }
  if (!diagnostics.empty() && diagnostics.front().severity == Severity::error) {
    result.spec.reset();
  }
  return result;
}

Spec parse_spec_or_throw(std::string_view text, const ParseOptions& options) {
  auto result = parse_spec(text, options);
  if (result.ok()) {
    return std::move(*result.spec);
  }
  const auto& first = result.diagnostics.front();
  std::vector<std::string> lines; // a single one is told by the error itself
  for (std::size_t index = 0; result.diagnostics.size() > 1 && index < result.diagnostics.size(); ++index) {
    lines.push_back(to_string(result.diagnostics[index]));
  }
  throw Error(
      ErrorCode::invalid_file, "{}{}{}", first.address, first.address.empty() ? "" : ": ", first.message)
      .with_hint(first.hint)
      .at(first.place)
      .with_output(std::move(lines));
}

} // namespace pyro::spec
