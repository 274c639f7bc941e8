#include "editor_schema.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/jsonc.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/regular_file.hpp>
#include <pyro/spec/schema.hpp>
#include <pyro/workspace/context/own_files.hpp>

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_largest_settings = 1U << 20U;

/// A directory of the checkout for files of tools: made where it is not there, never another place.
class ToolDirectory {
public:
  ToolDirectory(const fs::path& checkout, const std::string& name) : m_shown(checkout / name) {
    const auto root = os::open_file(checkout.string(), O_DIRECTORY | O_RDONLY);
    if (::mkdirat(root.get(), name.c_str(), 0755) < 0 && errno != EEXIST) {
      throw Error::from_errno(errno, "create " + m_shown.string());
    }
    auto found = os::maybe_open_beneath(root.get(), name, O_DIRECTORY | O_RDONLY);
    if (!found) {
      throw Error(ErrorCode::permission, "{} leads elsewhere: nothing is written there", m_shown.string())
          .with_hint("make it a directory");
    }
    m_directory = std::move(*found);
  }

  std::string shown(const std::string& file) const { return (m_shown / file).string(); }

  /// Empty where it is not there.
  std::string read(const std::string& file) const {
    struct stat status {};

    if (::fstatat(m_directory.get(), file.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
      return "";
    }
    const auto found = os::maybe_open_regular_beneath(m_directory.get(), file);
    if (!found) {
      throw Error(ErrorCode::permission, "{} leads elsewhere: nothing is written there", shown(file));
    }
    return os::read_all(found->get(), k_largest_settings);
  }

  /// Whether it was another before.
  bool write(const std::string& file, const std::string& text) const {
    if (read(file) == text) {
      return false;
    }
    os::write_file_atomically_in(m_directory, file, text, 0644, shown(file));
    return true;
  }

private:
  fs::path m_shown;
  os::Fd m_directory;
};

/// Where an editor keeps the schemas of a directory, and how it names files.
struct Editor {
  std::string name;
  std::string directory;
  std::string file;
  std::vector<std::string> sections;
};

const Editor& editor_of(const std::string& name) {
  static const std::array k_editors{
      Editor{"vscode", ".vscode", "settings.json", {"yaml.schemas"}},
      Editor{"zed", ".zed", "settings.json", {"lsp", "yaml-language-server", "settings", "yaml", "schemas"}}};
  for (const auto& editor : k_editors) {
    if (editor.name == name) {
      return editor;
    }
  }
  throw Error(ErrorCode::usage, "there is no editor '{}'", name)
      .with_hint("vscode or zed; others read the first line of the file");
}

Json written(const std::string& path, bool changed) {
  return {{"path", path}, {"changed", changed}};
}

/// The settings with our schema for this file, and all that was in them.
std::string with_schema(const std::string& settings, const Editor& editor, const std::string& file) {
  const auto name = "./" + std::string(k_schema_path);
  const Json files = Json::array({file});
  const bool is_blank = settings.find_first_not_of(" \t\r\n") == std::string::npos;
  const auto text = is_blank ? std::string("{\n}\n") : settings;
  try {
    return with_member(text, editor.sections, name, files);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::already_exists) {
      throw;
    }
  }
  auto there = parse_jsonc(text);
  for (const auto& section : editor.sections) {
    there = there.at(section);
  }
  const auto& known = there.at(name);
  const bool has_it =
      known == Json(file) || (known.is_array() && std::find(known.begin(), known.end(), file) != known.end());
  if (!has_it) {
    throw Error(ErrorCode::already_exists, "there is a '{}' for other files", name);
  }
  return settings;
}

} // namespace

std::string editor_line() {
  return fmt::format("# yaml-language-server: $schema={}\n", k_schema_path);
}

Json install_schema(const Project& project, const std::string& editor) {
  const auto file = (fs::path(project.directory) / project.file).lexically_normal();
  const auto directory = file.has_parent_path() ? file.parent_path() : fs::path(".");
  Json files = Json::array();
  const fs::path schema{k_schema_path};
  const ToolDirectory own(directory, schema.parent_path().string());
  const auto name = schema.filename().string();
  const bool is_new = own.write(name, dump_json(spec::json_schema()));
  files.push_back(written(own.shown(name), is_new));
  if (!editor.empty()) {
    const auto& chosen = editor_of(editor);
    const ToolDirectory settings(directory, chosen.directory);
    try {
      const auto text = with_schema(settings.read(chosen.file), chosen, file.filename().string());
      files.push_back(written(settings.shown(chosen.file), settings.write(chosen.file, text)));
    } catch (Error& error) {
      const bool is_no_json = error.code() == ErrorCode::invalid_argument;
      throw Error(
          is_no_json ? ErrorCode::invalid_file : error.code(), "{}: {}", settings.shown(chosen.file),
          error.message())
          .with_hint(fmt::format(
              "it is left as it is; this belongs there: {}: {{\"./{}\": [\"{}\"]}}",
              fmt::join(chosen.sections, "."), k_schema_path, file.filename().string()));
    }
  }
  return {{"files", files}};
}

} // namespace pyro::workspace
