#include "modules.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/fd.hpp>
#include <pyro/os/tree_walk.hpp>

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <map>
#include <optional>
#include <set>

namespace pyro::guest_images {

namespace {

constexpr std::size_t k_module_limit = 32 << 20;
constexpr std::string_view k_module_suffix = ".ko";

template <typename Header>
Header read_at(std::string_view elf, std::uint64_t offset) {
  Header header;
  if (offset > elf.size() || elf.size() - offset < sizeof header) {
    throw Error(ErrorCode::protocol, "a kernel module is cut short");
  }
  std::memcpy(&header, elf.data() + offset, sizeof header);
  return header;
}

std::string_view section_content(std::string_view elf, const Elf64_Shdr& section) {
  if (section.sh_offset > elf.size() || elf.size() - section.sh_offset < section.sh_size) {
    throw Error(ErrorCode::protocol, "a kernel module is cut short");
  }
  return elf.substr(section.sh_offset, section.sh_size);
}

std::string_view until_nul(std::string_view text) {
  return text.substr(0, text.find('\0'));
}

/// The section of that name; empty: there is none.
std::string_view find_section(std::string_view elf, std::string_view name) {
  const auto header = read_at<Elf64_Ehdr>(elf, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64
      || header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_REL
      || header.e_shentsize != sizeof(Elf64_Shdr)) {
    throw Error(ErrorCode::protocol, "this is no kernel module");
  }
  const auto section = [&](std::uint64_t number) {
    return read_at<Elf64_Shdr>(elf, header.e_shoff + number * sizeof(Elf64_Shdr));
  };
  const auto names = section_content(elf, section(header.e_shstrndx));
  for (unsigned number = 0; number < header.e_shnum; ++number) {
    const auto candidate = section(number);
    if (candidate.sh_type != SHT_NOBITS && candidate.sh_name < names.size()
        && until_nul(names.substr(candidate.sh_name)) == name) {
      return section_content(elf, candidate);
    }
  }
  return {};
}

/// Modules are known with and without '-' for '_'.
std::string module_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (comma > 0) {
      parts.emplace_back(list.substr(0, comma));
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

/// Adds modules after those that they need.
class LoadOrder {
public:
  explicit LoadOrder(std::map<std::string, std::string> paths) : m_paths(std::move(paths)) {}

  void add(const std::string& wanted, const std::string& needed_by = {}) {
    const auto name = module_name(wanted);
    if (!m_seen.insert(name).second) {
      return;
    }
    const auto found = m_paths.find(name);
    if (found == m_paths.end()) {
      throw Error(
          ErrorCode::failed, "the kernel package has no module {}{}", name,
          needed_by.empty() ? "" : ", which " + needed_by + " needs");
    }
    for (const auto& needed : dependencies_of(found->second)) {
      add(needed, name);
    }
    m_modules.push_back({found->second.substr(found->second.rfind('/') + 1), found->second});
  }

  std::vector<KernelModule> take() { return std::move(m_modules); }

private:
  static std::vector<std::string> dependencies_of(const std::string& path) {
    try {
      return module_dependencies(os::read_file(path, k_module_limit));
    } catch (Error& error) {
      error.add_context(fmt::format("reading {}", path));
      throw;
    }
  }

  std::map<std::string, std::string> m_paths;
  std::set<std::string> m_seen;
  std::vector<KernelModule> m_modules;
};

std::map<std::string, std::string> module_paths(const std::string& directory) {
  std::map<std::string, std::string> paths;
  os::TreeVisitor visitor;
  visitor.enter = [&](const os::TreeEntry& entry) {
    if (entry.is_file() && entry.name.ends_with(k_module_suffix)) {
      paths.emplace(
          module_name(entry.name.substr(0, entry.name.size() - k_module_suffix.size())),
          directory + "/" + entry.path);
    }
    return os::Visit::go_on;
  };
  os::walk_tree(directory, visitor);
  return paths;
}

} // namespace

const std::vector<std::string>& guest_module_names() {
  static const std::vector<std::string> names{
      "virtio_pci",
      "virtio_mmio",
      "virtio_console",
      "virtio_blk",
      "virtio_rng",
      "virtio_net",
      "vmw_vsock_virtio_transport",
      "erofs",
      "overlay"};
  return names;
}

std::vector<std::string> module_dependencies(std::string_view elf) {
  constexpr std::string_view k_key = "depends=";
  auto information = find_section(elf, ".modinfo");
  if (information.empty()) {
    throw Error(ErrorCode::protocol, "this is no kernel module: it says nothing about itself");
  }
  while (!information.empty()) {
    const auto line = until_nul(information);
    if (line.starts_with(k_key)) {
      return split(line.substr(k_key.size()));
    }
    information.remove_prefix(std::min(line.size() + 1, information.size()));
  }
  return {};
}

KernelTree read_kernel_tree(const std::string& tree, const std::vector<std::string>& names) {
  const auto root = os::open_directory(tree);
  for (const auto* parent : {"/lib/modules", "/usr/lib/modules"}) {
    const auto modules = os::maybe_open_beneath(root.get(), parent + 1, O_RDONLY | O_DIRECTORY);
    auto versions = modules ? os::names_in(modules->get()) : std::vector<std::string>();
    std::sort(versions.begin(), versions.end());
    for (const auto& version : versions) {
      KernelTree found{version, fmt::format("{}/boot/vmlinuz-{}", tree, version), {}};
      if (!os::exists(found.kernel)) {
        continue;
      }
      LoadOrder order(module_paths(fmt::format("{}{}/{}", tree, parent, version)));
      for (const auto& name : names) {
        order.add(name);
      }
      found.modules = order.take();
      return found;
    }
  }
  throw Error(ErrorCode::failed, "the kernel package holds no kernel with modules of its version");
}

} // namespace pyro::guest_images
