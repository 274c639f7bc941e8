#include "debian.hpp"

#include "tool.hpp"
#include "tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/tree_walk.hpp>

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <set>
#include <unistd.h>

namespace pyro::environment {

namespace {

constexpr const char* k_suite = "bookworm";
constexpr const char* k_build_purpose = "building a Debian environment";

std::string comma_separated(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ","));
}

/// In a pid and mount namespace of its own: however it ends, no process and no mount is left.
os::Command build_command(const std::string& variant, const std::string& tree, const std::string& scratch) {
  os::Command command;
  command.argv = {
      required_program("unshare", "util-linux", k_build_purpose),
      "--mount",
      "--pid",
      "--fork",
      "--kill-child",
      required_program("mmdebstrap", "mmdebstrap", k_build_purpose),
      "--mode=root",
      "--variant=minbase",
      "--format=directory",
      "--verbose"};
  if (const auto packages = debian_packages(variant); !packages.empty()) {
    command.argv.push_back("--include=" + comma_separated(packages));
  }
  command.argv.insert(command.argv.end(), {k_suite, tree});
  if (const auto sources = debian_sources(); !sources.empty()) {
    const auto path = scratch + "/sources.list";
    os::write_file_atomically(path, sources, 0644, os::Durable::no);
    command.argv.push_back(path);
  }
  command.env = tool_variables(scratch);
  command.cwd = scratch;
  command.die_with_parent = true;
  return command;
}

/// Device nodes are made anew in every sandbox; a layer has none.
void remove_special_files(int tree) {
  os::TreeVisitor visitor;
  visitor.enter = [](const os::TreeEntry& entry) {
    if (!entry.is_directory() && !entry.is_file() && !entry.is_symlink()
        && ::unlinkat(entry.directory, entry.name.c_str(), 0) < 0) {
      throw Error::from_errno(errno, fmt::format("remove {}", entry.path));
    }
    return os::Visit::go_on;
  };
  os::walk_tree(tree, visitor);
}

void finish_root(const std::string& tree) {
  const auto root = os::open_directory(tree);
  if (::fchmod(root.get(), 0755) < 0) {
    throw Error::from_errno(errno, "chmod of a new root");
  }
  for (const auto& name : os::list_directory(tree + "/dev")) { // it differs with who builds
    os::remove_tree(tree + "/dev/" + name);
  }
  remove_special_files(root.get());
  put_file(root.get(), "etc/hostname", "sandbox\n", Existing::replace);
  put_file(root.get(), "etc/hosts", k_hosts_file, Existing::replace);
  put_file(root.get(), "etc/machine-id", "", Existing::replace, 0444);
  put_file(root.get(), "etc/resolv.conf", resolver_configuration(), Existing::replace);
  put_file(root.get(), "usr/sbin/policy-rc.d", k_policy_rc, Existing::replace, 0755);
  complete_root(root.get());
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  while ((begin = text.find_first_not_of(" \t\r", begin)) != std::string_view::npos) {
    const auto end = std::min(text.find_first_of(" \t\r", begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

/// One apt source, as far as it is Debian's own of this release.
struct AptSource {
  bool binary = false;
  bool enabled = true;
  std::vector<std::string> uris;
  std::vector<std::string> suites;
  std::vector<std::string> components;
  std::string signed_by;
};

std::string apt_source_lines(const AptSource& source) {
  std::string lines;
  const std::string options =
      source.signed_by.starts_with('/') ? fmt::format("[signed-by={}] ", source.signed_by) : "";
  const auto is_debians = [](const std::string& component) {
    return component == "main" || component == "contrib" || component == "non-free"
           || component == "non-free-firmware";
  };
  const bool fits = source.binary && source.enabled && !source.components.empty()
                    && source.components.front() == "main"
                    && std::all_of(source.components.begin(), source.components.end(), is_debians);
  for (const auto& uri : source.uris) {
    for (const auto& suite : source.suites) {
      const bool ours = suite == "bookworm" || suite == "bookworm-updates" || suite == "bookworm-security";
      if (fits && ours && uri.find('@') == std::string::npos) { // a password must not get into a layer
        lines += fmt::format("deb {}{} {} main\n", options, uri, suite);
      }
    }
  }
  return lines;
}

std::string lines_of_list(std::string_view text) {
  std::string lines;
  for (const auto line : pyro::lines_of(text)) {
    auto words = words_of(line.substr(0, line.find('#')));
    if (words.size() < 4 || words[0] != "deb") {
      continue;
    }
    AptSource source{.binary = true};
    std::size_t next = 1;
    if (words[1].starts_with('[')) {
      for (; next < words.size(); ++next) {
        auto option = words[next];
        std::erase(option, '[');
        std::erase(option, ']');
        if (option.starts_with("signed-by=")) {
          source.signed_by = option.substr(10);
        }
        if (words[next].ends_with(']')) {
          ++next;
          break;
        }
      }
    }
    if (next + 2 < words.size()) {
      source.uris = {words[next]};
      source.suites = {words[next + 1]};
      source.components.assign(words.begin() + static_cast<std::ptrdiff_t>(next) + 2, words.end());
      lines += apt_source_lines(source);
    }
  }
  return lines;
}

std::string lines_of_stanzas(std::string_view text) {
  std::string lines;
  AptSource source;
  const auto take = [&] {
    lines += apt_source_lines(std::exchange(source, {}));
  };
  for (const auto line : pyro::lines_of(text)) {
    if (words_of(line).empty()) {
      take();
      continue;
    }
    const auto colon = line.find(':');
    if (line.starts_with('#') || line.starts_with(' ') || colon == std::string_view::npos) {
      continue;
    }
    const auto key = line.substr(0, colon);
    const auto values = words_of(line.substr(colon + 1));
    if (key == "Types") {
      source.binary = std::find(values.begin(), values.end(), "deb") != values.end();
    } else if (key == "Enabled") {
      source.enabled = values.empty() || values[0] != "no";
    } else if (key == "URIs") {
      source.uris = values;
    } else if (key == "Suites") {
      source.suites = values;
    } else if (key == "Components") {
      source.components = values;
    } else if (key == "Signed-By" && !values.empty()) {
      source.signed_by = values[0];
    }
  }
  take();
  return lines;
}

} // namespace

std::vector<std::string> debian_packages(const std::string& variant) {
  if (variant == "base") {
    return {};
  }
  std::vector<std::string> packages{"ca-certificates", "curl",   "git",     "iproute2", "less",
                                    "netbase",         "procps", "python3", "xz-utils"};
  if (variant == "build") {
    packages.insert(packages.end(), {"build-essential", "cmake", "ninja-build", "pkg-config"});
  }
  return packages;
}

std::string debian_sources(const std::string& host_root) {
  const auto release = os::maybe_read_file(host_root + "/etc/os-release", 1 << 16).value_or("");
  if (release.find("VERSION_CODENAME=bookworm") == std::string::npos
      || release.find("\nID=debian") == std::string::npos) {
    return "";
  }
  const auto directory = host_root + "/etc/apt/sources.list.d";
  std::string lines = lines_of_list(os::maybe_read_file(host_root + "/etc/apt/sources.list").value_or(""));
  for (const auto& name : os::list_any_directory(directory)) {
    const auto path = directory + "/" + name;
    if (::access(path.c_str(), R_OK) < 0) {
      continue; // somebody's private source is none for a layer
    }
    if (name.ends_with(".list")) {
      lines += lines_of_list(os::read_file(path));
    } else if (name.ends_with(".sources")) {
      lines += lines_of_stanzas(os::read_file(path));
    }
  }
  const bool complete = lines.find(" bookworm main") != std::string::npos;
  return complete ? lines : "";
}

void require_debian_tools() {
  const auto& space = os::IdSpace::current();
  required_program("unshare", "util-linux", k_build_purpose);
  required_program("mmdebstrap", "mmdebstrap", k_build_purpose);
  if (space.kind() == os::IdSpace::Kind::single) {
    throw Error(
        ErrorCode::unavailable, "building a Debian environment needs more than one user id: {}",
        space.shortcoming())
        .with_hint(
            "apt install uidmap, give the user a range in /etc/subuid and /etc/subgid; or use image: host");
  }
}

Json build_debian(
    const std::string& variant, const std::string& tree, const std::string& scratch,
    const std::function<void(const std::string&)>& line) {
  require_debian_tools();
  const auto& space = os::IdSpace::current();
  os::make_directories(scratch, 0755);
  auto [result, last_lines] = follow_work(
      [&](int output, int stop) -> Json {
        const auto null = os::open_file("/dev/null", O_RDONLY);
        return space.run([&]() -> Json {
          auto command = build_command(variant, tree, scratch);
          command.fds = {{0, null.get()}, {1, output}, {2, output}};
          const auto outcome = run_until_asked_to_stop(std::move(command), stop);
          if (outcome.ok()) {
            finish_root(tree);
          }
          return {{"ok", outcome.ok()}, {"outcome", os::to_string(outcome)}};
        });
      },
      line);
  if (!get_bool(result, "ok")) {
    throw Error(ErrorCode::failed, "mmdebstrap failed: {}", get_string(result, "outcome"))
        .with_output(std::move(last_lines))
        .with_hint("it needs Debian's package mirror; check the network and this machine's apt sources");
  }
  const auto packages = installed_packages(os::read_file(tree + "/var/lib/dpkg/status"));
  return {
      {"os", "Debian GNU/Linux 12 (bookworm)"},
      {"built_by", "mmdebstrap"},
      {"package_count", packages.size()},
      {"packages", packages}};
}

Json installed_packages(const std::string& status_text) {
  Json packages = Json::array();
  Json package = Json::object();
  bool installed = false;
  const auto take = [&] {
    if (installed && package.contains("name")) {
      packages.push_back(package);
    }
    package = Json::object();
    installed = false;
  };
  for (const auto line : pyro::lines_of(status_text)) {
    const auto value = [&](std::string_view key) -> std::optional<std::string> {
      return line.starts_with(key) ? std::optional(std::string(line.substr(key.size()))) : std::nullopt;
    };
    if (line.empty()) {
      take();
    } else if (const auto name = value("Package: ")) {
      package["name"] = *name;
    } else if (const auto version = value("Version: ")) {
      package["version"] = *version;
    } else if (const auto architecture = value("Architecture: ")) {
      package["architecture"] = *architecture;
    } else if (const auto status = value("Status: ")) {
      installed = status->ends_with(" installed");
    }
  }
  take();
  return packages;
}

HexDigest digest_of_packages(const Json& packages) {
  std::set<std::string> lines;
  for (const auto& package : packages) {
    lines.insert(fmt::format(
        "{} {} {}", get_string(package, "name"), get_string(package, "version"),
        string_or(package, "architecture", "")));
  }
  Sha256 digest;
  for (const auto& line : lines) {
    digest.field(line);
  }
  return digest.finish();
}

} // namespace pyro::environment
