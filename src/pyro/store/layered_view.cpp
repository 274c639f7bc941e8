#include "layered_view.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/text.hpp>
#include <pyro/os/tree_copy.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <set>

namespace pyro::store {

namespace {

/// What a sandbox would be refused (docs/decisions/0036) is not there for those who look from outside either.
bool is_hidden(const LayeredDirectory::Source& source, const struct stat& status) {
  constexpr mode_t k_list = S_IROTH | S_IXOTH;
  if (!source.public_only || S_ISLNK(status.st_mode)) {
    return false;
  }
  return S_ISDIR(status.st_mode) ? (status.st_mode & k_list) != k_list : (status.st_mode & S_IROTH) == 0;
}

/// A tree, or directory of the host, that lies at a certain place; nullptr where it is not there or no
/// directory.
std::shared_ptr<os::Fd> maybe_open_root(const std::string& path) {
  auto fd = os::maybe_open(path, O_RDONLY | O_DIRECTORY);
  return fd ? std::make_shared<os::Fd>(std::move(*fd)) : nullptr;
}

} // namespace

Stack Stack::of(const std::vector<std::string>& trees, std::vector<HostDirectory> host_directories) {
  Stack stack;
  for (const std::string& tree : trees) {
    stack.trees.push_back(StackTree{tree});
  }
  stack.host_directories = std::move(host_directories);
  return stack;
}

bool Stack::has_parts() const {
  const auto is_part = [](const auto& each) {
    return !each.at.empty();
  };
  return std::any_of(trees.begin(), trees.end(), is_part)
         || std::any_of(host_directories.begin(), host_directories.end(), is_part);
}

os::Fd Found::open() const {
  const auto from = root ? root : std::make_shared<os::Fd>(os::open_directory(tree));
  auto file = os::maybe_open_beneath(from->get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

  struct stat now {};

  if (!file || fstat(file->get(), &now) != 0 || !S_ISREG(now.st_mode)) {
    throw Error(ErrorCode::stale, "{} changed while it was being read", path);
  }
  return std::move(*file);
}

std::string Found::link_target() const {
  const auto slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const auto from = root ? root : std::make_shared<os::Fd>(os::open_directory(tree));
  const auto directory = os::maybe_open_beneath(from->get(), parent, O_RDONLY | O_DIRECTORY);
  if (!directory) {
    throw Error(ErrorCode::stale, "{} changed while it was being read", path);
  }
  return os::read_link_at(directory->get(), name);
}

std::optional<LayeredDirectory> LayeredDirectory::part_at(
    const std::shared_ptr<const Stack>& stack, const std::string& at, const LayeredDirectory* above) {
  LayeredDirectory part(stack, at);
  bool is_part = at.empty();
  for (auto tree = stack->trees.rbegin(); tree != stack->trees.rend(); ++tree) {
    if (tree->at == at) {
      is_part = true;
      if (auto fd = maybe_open_root(tree->path)) {
        part.m_sources.push_back(Source{tree->path, "", fd, fd});
      }
    } else if (tree->at.empty()) {
      auto root = above != nullptr ? above->shared_source(tree->path, "") : nullptr;
      root = root ? root : maybe_open_root(tree->path);
      auto fd = root ? os::maybe_open_beneath(root->get(), at, O_RDONLY | O_DIRECTORY) : std::nullopt;
      if (fd) {
        part.m_sources.push_back(Source{tree->path, at, std::make_shared<os::Fd>(std::move(*fd)), root});
      }
    }
  }
  for (const HostDirectory& host : stack->host_directories) {
    if (host.at == at) {
      is_part = true;
      if (auto fd = maybe_open_root(host.path)) {
        part.m_sources.push_back(Source{host.path, "", fd, fd, true});
      }
    }
  }
  if (!is_part) {
    return std::nullopt;
  }
  return part;
}

std::vector<std::string> LayeredDirectory::part_names() const {
  std::set<std::string> names;
  const auto add = [this, &names](const std::string& at) {
    const auto slash = at.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : at.substr(0, slash);
    if (!at.empty() && parent == m_path) {
      names.insert(slash == std::string::npos ? at : at.substr(slash + 1));
    }
  };
  for (const StackTree& tree : m_stack->trees) {
    add(tree.at);
  }
  for (const HostDirectory& host : m_stack->host_directories) {
    add(host.at);
  }
  return {names.begin(), names.end()};
}

std::optional<Found> LayeredDirectory::lookup(const std::string& name) const {
  if (is_covered(name)) {
    return std::nullopt;
  }
  if (is_part(name)) {
    const auto there = part(name);
    return there ? std::optional(there->self()) : std::nullopt;
  }
  for (const Source& source : m_sources) {
    const auto status = os::maybe_status_at(source.fd->get(), name);
    if (!status) {
      continue;
    }
    if (os::is_whiteout(*status) || is_hidden(source, *status)) {
      return std::nullopt;
    }
    return Found{source.root, joined(source.path, name), *status, source.root_fd};
  }
  return std::nullopt;
}

std::optional<LayeredDirectory>
LayeredDirectory::enter(const std::string& name, const LayeredDirectory* other) const {
  if (is_covered(name)) {
    return std::nullopt;
  }
  if (is_part(name)) {
    return part(name);
  }
  LayeredDirectory below(m_stack, joined(m_path, name));
  for (const Source& source : m_sources) {
    std::string path = joined(source.path, name);
    auto fd = other != nullptr ? other->shared_source(source.root, path) : nullptr;
    if (!fd) {
      const int opened =
          openat(source.fd->get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (opened < 0 && errno == ENOENT) {
        continue;
      }
      if (opened < 0 && (errno == ENOTDIR || errno == ELOOP)) {
        break; // a whiteout, or a file: nothing below it takes part
      }
      if (opened < 0 && errno == EACCES && source.public_only) {
        break;
      }
      if (opened < 0) {
        throw Error::from_errno(errno, "open the directory " + path);
      }
      fd = std::make_shared<os::Fd>(opened);
    }

    struct stat status {};

    if (source.public_only && (::fstat(fd->get(), &status) < 0 || is_hidden(source, status))) {
      break; // it lies below everything
    }
    const bool hides = &source != &m_sources.back() && os::is_opaque(fd->get());
    below.m_sources.push_back(
        Source{source.root, std::move(path), std::move(fd), source.root_fd, source.public_only});
    if (hides) {
      break;
    }
  }
  if (below.m_sources.empty()) {
    return std::nullopt;
  }
  return below;
}

std::optional<LayeredDirectory> LayeredDirectory::part(const std::string& name) const {
  if (is_covered(name) || !is_part(name)) {
    return std::nullopt;
  }
  auto part = part_at(m_stack, joined(m_path, name), this);
  return part && !part->m_sources.empty() ? std::move(part) : std::nullopt;
}

std::vector<std::string> LayeredDirectory::names() const {
  std::set<std::string> seen;
  std::vector<std::string> result;
  for (const std::string& name : part_names()) {
    seen.insert(name);
    if (lookup(name)) {
      result.push_back(name);
    }
  }
  for (const Source& source : m_sources) {
    for (std::string& name : os::names_in(source.fd->get())) {
      if (!seen.insert(name).second || is_covered(name)) {
        continue;
      }
      const auto status = os::maybe_status_at(source.fd->get(), name);
      if (status && !os::is_whiteout(*status) && !is_hidden(source, *status)) {
        result.push_back(std::move(name));
      }
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::shared_ptr<os::Fd>
LayeredDirectory::shared_source(const std::string& root, const std::string& path) const {
  for (const Source& source : m_sources) {
    if (source.path == path && source.root == root) {
      return source.fd;
    }
  }
  return nullptr;
}

Found LayeredDirectory::self() const {
  const Source& top = m_sources.front();

  struct stat status {};

  if (fstat(top.fd->get(), &status) != 0) {
    throw Error::from_errno(errno, "look at " + m_path);
  }
  return Found{top.root, top.path, status, top.root_fd};
}

bool LayeredDirectory::is_part(const std::string& name) const {
  if (!m_has_parts) {
    return false;
  }
  const std::string path = joined(m_path, name);
  const auto lies_here = [&path](const auto& each) {
    return each.at == path;
  };
  return std::any_of(m_stack->trees.begin(), m_stack->trees.end(), lies_here)
         || std::any_of(m_stack->host_directories.begin(), m_stack->host_directories.end(), lies_here);
}

bool LayeredDirectory::is_covered(const std::string& name) const {
  return !m_stack->live.empty() && m_stack->live.contains(joined(m_path, name));
}

LayeredView::LayeredView(Stack stack) : m_stack(std::make_shared<const Stack>(std::move(stack))) {
}

LayeredDirectory LayeredView::root() const {
  return *LayeredDirectory::part_at(m_stack, "");
}

std::optional<Found> LayeredView::lookup(const std::string& path) const {
  std::vector<std::string> components = path_components(path);
  LayeredDirectory directory = root();
  if (components.empty()) {
    return directory.sources().empty() ? std::nullopt : std::optional(directory.self());
  }
  const std::string last = std::move(components.back());
  components.pop_back();
  for (const std::string& component : components) {
    auto next = directory.enter(component);
    if (!next) {
      return std::nullopt;
    }
    directory = std::move(*next);
  }
  return directory.lookup(last);
}

std::optional<std::string> LayeredView::maybe_read(const std::string& path, std::size_t limit) const {
  try {
    const auto found = lookup(path);
    if (!found || !found->is_file() || static_cast<std::uint64_t>(found->status.st_size) > limit) {
      return std::nullopt;
    }
    return os::read_all(found->open().get(), limit);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<LayeredDirectory> LayeredView::directory(const std::string& path) const {
  LayeredDirectory directory = root();
  for (const std::string& component : path_components(path)) {
    auto next = directory.enter(component);
    if (!next) {
      return std::nullopt;
    }
    directory = std::move(*next);
  }
  return directory;
}

std::vector<std::string> LayeredView::list(const std::string& path) const {
  const auto found = directory(path);
  if (!found) {
    throw Error(ErrorCode::io, "{} is not a directory", path.empty() ? "/" : path);
  }
  return found->names();
}

std::vector<std::string> path_components(const std::string& path) {
  std::vector<std::string> result;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    std::string part = path.substr(at, end - at);
    at = end + 1;
    if (part == ".." || part.find('\0') != std::string::npos) {
      throw Error(ErrorCode::invalid_argument, "path '{}' must not hold \"..\" or NUL", path);
    }
    if (!part.empty() && part != ".") {
      result.push_back(std::move(part));
    }
  }
  return result;
}

} // namespace pyro::store
