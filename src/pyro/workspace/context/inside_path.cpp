#include "inside_path.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/path_text.hpp>

#include <algorithm>
#include <deque>

namespace pyro::workspace {

namespace {

constexpr std::string_view k_root = "workspace";
constexpr int k_max_links = 40;

std::string joined_parts(const std::vector<std::string>& parts, std::size_t from = 0) {
  std::string path;
  for (; from < parts.size(); ++from) {
    path += (path.empty() ? "" : "/") + parts[from];
  }
  return path;
}

/// Names of a path, with "..", without ".".
std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    auto name = path.substr(at, end - at);
    at = end + 1;
    if (!name.empty() && name != ".") {
      names.push_back(std::move(name));
    }
  }
  return names;
}

[[noreturn]] void leaves(const std::string& path) {
  throw Error(ErrorCode::invalid_argument, "'{}' leads out of /workspace through a symlink", path)
      .with_hint("paths must stay inside /workspace");
}

/// What the layers have there is not what the sandbox sees.
void refuse_live(const std::map<std::string, std::string>& live, const std::string& path) {
  for (const auto& [place, directory] : live) {
    if (is_at_or_below(path, place)) {
      throw Error(
          ErrorCode::invalid_argument, "/{} is a live directory of this machine (mounts): {}", place,
          directory)
          .with_hint("read and write it there, or inside with `pyro exec`");
    }
  }
}

} // namespace

std::string path_inside(const std::string& path, std::string_view what) {
  auto names = names_of(path);
  const bool is_absolute = path.starts_with('/');
  const bool is_inside = !is_absolute || (!names.empty() && names.front() == k_root);
  const bool climbs = std::find(names.begin(), names.end(), "..") != names.end();
  if (path.empty() || !is_inside || climbs || path.find('\0') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "{} must stay inside /workspace, not '{}'", what, path);
  }
  return joined_parts(names, is_absolute ? 1 : 0);
}

std::string real_path_inside(const store::LayeredView& view, const std::string& path, LastLink last) {
  std::vector<std::string> done{std::string(k_root)};
  const auto wanted = names_of(path);
  std::deque<std::string> open(wanted.begin(), wanted.end());
  int links = 0;
  while (!open.empty()) {
    const auto name = open.front();
    open.pop_front();
    if (name == "..") {
      if (done.empty()) {
        leaves(path);
      }
      done.pop_back();
      continue;
    }
    done.push_back(name);
    if (open.empty() && last == LastLink::keep) {
      break;
    }
    const auto found = view.lookup(joined_parts(done));
    if (!found || !found->is_symlink()) {
      continue;
    }
    if (++links > k_max_links) {
      throw Error(ErrorCode::invalid_argument, "'{}' has too many symlinks on its way", path);
    }
    const auto target = found->link_target();
    done.pop_back();
    if (target.starts_with('/')) {
      done.clear();
    }
    const auto further = names_of(target);
    open.insert(open.begin(), further.begin(), further.end());
  }
  if (done.empty() || done.front() != k_root) {
    leaves(path);
  }
  refuse_live(view.stack().live, joined_parts(done));
  return joined_parts(done, 1);
}

std::optional<store::Found> find_inside(const store::LayeredView& view, const std::string& path) {
  return view.lookup(path.empty() ? std::string(k_root) : std::string(k_root) + "/" + path);
}

} // namespace pyro::workspace
