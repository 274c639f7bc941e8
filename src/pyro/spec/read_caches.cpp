// The `cache` lists of steps: which directories a cache may take the place of, and whose it is.
#include "read_parts.hpp"

#include <pyro/base/path_text.hpp>

#include <array>

namespace pyro::spec {

namespace {

/// With all that is below them: a cache there would stand in for the system that the step runs on.
constexpr std::array<std::string_view, 13> k_system_trees{
    "/bin", "/boot",  "/dev",     "/etc",      "/proc",          "/run",           "/sbin",
    "/sys", "/.pyro", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"};

/// Only themselves: what is below them can be a cache.
constexpr std::array<std::string_view, 9> k_system_directories{
    "/", "/usr", "/usr/include", "/usr/local", "/usr/local/lib", "/usr/share", "/var", "/var/lib", "/home"};

/// /lib, /lib64, /libx32 and the same below /usr, libexec among them, with all that is below them.
bool is_library(std::string_view path) {
  for (const std::string_view front : {"/lib", "/usr/lib"}) {
    if (path.starts_with(front)) {
      return true;
    }
  }
  return false;
}

bool is_system(std::string_view path) {
  return is_library(path)
         || std::any_of(
             k_system_trees.begin(), k_system_trees.end(),
             [&](std::string_view tree) { return is_at_or_below(path, tree); })
         || std::find(k_system_directories.begin(), k_system_directories.end(), path)
                != k_system_directories.end()
         || path.starts_with("/var/lib/dpkg") || path.starts_with("/var/lib/apk")
         || path.starts_with("/var/lib/rpm");
}

std::string written_path(Context& context, const Node& item, const std::string& address, CacheShare& share) {
  if (item.is_map()) {
    MapReader reader(context, item, address, "cache");
    std::string path;
    reader.directory("path", path);
    reader.choice("share", share);
    return path;
  }
  const auto text = read_text(context, item, address);
  return text ? read_directory(context, item, address, *text) : std::string{};
}

} // namespace

void read_caches(Context& context, MapReader& step, std::vector<CacheDirectory>& caches) {
  step.each_item("cache", [&](const Node& item, std::size_t index) {
    const auto address = fmt::format("{}[{}]", step.address_of("cache"), index);
    CacheDirectory cache;
    cache.path = written_path(context, item, address, cache.share);
    if (cache.path.empty()) {
      return; // already complained about
    }
    if (is_system(cache.path)) {
      context.error(
          item, "value", address,
          fmt::format("a cache at {} would replace the system of the image", cache.path),
          "name the directory of the tool, such as /root/.cache/pip or /var/cache/apt");
      return;
    }
    for (const auto& other : caches) {
      if (is_at_or_below(cache.path, other.path) || is_at_or_below(other.path, cache.path)) {
        context.error(
            item, "clash", address,
            cache.path == other.path
                ? fmt::format("{} is listed twice", cache.path)
                : fmt::format("the caches {} and {} lie in one another", other.path, cache.path),
            "list the outer one only");
        return;
      }
    }
    caches.push_back(std::move(cache));
  });
}

void check_caches(
    const Spec& spec, const std::vector<Step>& steps, const std::string& address, Context& context) {
  for (const auto& step : steps) {
    for (std::size_t i = 0; i < step.cache.size(); ++i) {
      if (!is_at_or_below(spec.seed.to, step.cache[i].path)) {
        continue;
      }
      const auto place = fmt::format("{}{}.cache[{}]", address, step.id, i);
      context.error_at(
          spec.place(place), "clash", place,
          fmt::format("a cache at {} would hide the seed at {}", step.cache[i].path, spec.seed.to),
          "name a directory below it, or beside it");
    }
  }
}

} // namespace pyro::spec
