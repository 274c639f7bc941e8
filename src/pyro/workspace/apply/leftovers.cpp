#include "leftovers.hpp"

#include "synced_base.hpp"

#include <pyro/os/directory.hpp>

#include <fmt/format.h>

#include <array>

namespace pyro::workspace {

namespace {

/// In home directories: what package managers and compilers fetch and keep, and traces of sessions.
constexpr std::array k_of_homes{
    ".cache/",
    ".npm/",
    ".node-gyp/",
    ".yarn/",
    ".pnpm-store/",
    ".local/share/pnpm/",
    ".bun/install/cache/",
    ".deno/",
    ".cargo/registry/",
    ".cargo/git/",
    ".cargo/.package-cache",
    "go/pkg/",
    ".gradle/",
    ".m2/repository/",
    ".ivy2/",
    ".nuget/packages/",
    ".composer/cache/",
    ".gem/",
    ".bundle/cache/",
    ".cpan/",
    ".ccache/",
    ".conan2/p/",
    ".conda/pkgs/",
    ".*_history",
    ".lesshst",
    ".viminfo",
    ".wget-hsts",
    ".local/share/nano/",
    ".local/state/"};

/// Wherever they are.
constexpr std::array k_anywhere{
    "__pycache__/",
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".hypothesis/",
    ".tox/",
    ".nox/",
    ".coverage",
    ".coverage.*",
    ".nyc_output/",
    ".eslintcache",
    ".stylelintcache",
    ".parcel-cache/",
    ".turbo/",
    ".vite/",
    ".next/cache/",
    "node_modules/.cache/",
    ".gradle/",
    ".ipynb_checkpoints/",
    ".sass-cache/",
    ".phpunit.result.cache",
    ".git/index"};

/// Of services as Debian and others package them.
constexpr std::array k_of_services{"/var/lib/postgresql/",   "/var/lib/pgsql/",
                                   "/var/lib/mysql/",        "/var/lib/mysql-files/",
                                   "/var/lib/mongodb/",      "/var/lib/redis/",
                                   "/var/lib/valkey/",       "/var/lib/memcached/",
                                   "/var/lib/rabbitmq/",     "/var/lib/elasticsearch/",
                                   "/var/lib/opensearch/",   "/var/lib/influxdb/",
                                   "/var/lib/clickhouse/",   "/var/lib/cassandra/",
                                   "/var/lib/etcd/",         "/var/lib/nginx/",
                                   "/var/lib/php/sessions/", "/var/lib/systemd/",
                                   "/var/lib/dbus/",         "/var/lib/apt/",
                                   "/var/lib/dpkg/lock*",    "/var/spool/",
                                   "/etc/ld.so.cache",       "/etc/.pwd.lock"};

std::string joined_patterns() {
  std::string text;
  for (const auto& pattern : tool_leftovers()) {
    text += pattern + "\n";
  }
  return text;
}

} // namespace

const std::vector<std::string>& tool_leftovers() {
  static const auto s_patterns = [] {
    std::vector<std::string> patterns;
    for (const auto* home : {"/root/", "/home/*/"}) {
      for (const auto* pattern : k_of_homes) {
        patterns.push_back(fmt::format("{}{}", home, pattern));
      }
    }
    for (const auto* pattern : k_anywhere) {
      patterns.push_back(fmt::format("**/{}", pattern));
    }
    patterns.insert(patterns.end(), k_of_services.begin(), k_of_services.end());
    return patterns;
  }();
  return s_patterns;
}

Leftovers::Leftovers(const spec::Spec& spec, const std::string& source)
    : m_tools(joined_patterns(), ""), m_seed_root(relative_root(spec.seed.to)),
      m_source(os::is_directory(source) ? source : ""), m_exclude(spec.seed.exclude) {
}

bool Leftovers::is_ignored(std::string_view path, bool is_directory) const {
  if (!m_ignored) {
    m_ignored = std::make_unique<const seed::IgnoredPaths>(m_source, m_exclude);
  }
  return m_ignored->has(path, is_directory);
}

bool Leftovers::has(std::string_view path, bool is_directory) const {
  if (m_tools.match(path, path.substr(path.rfind('/') + 1), is_directory) == seed::Match::ignored) {
    return true;
  }
  if (m_source.empty()) {
    return false;
  }
  if (m_seed_root.empty()) {
    return is_ignored(path, is_directory);
  }
  const auto root = m_seed_root + "/";
  return path.size() > root.size() && path.starts_with(root)
         && is_ignored(path.substr(root.size()), is_directory);
}

} // namespace pyro::workspace
