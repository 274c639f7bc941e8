#include "watching.hpp"

#include "service_control.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/tree_watch.hpp>
#include <pyro/seed/ignored.hpp>
#include <pyro/store/disk_reserve.hpp>
#include <pyro/workspace/apply/apply_project.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project.hpp>

#include <filesystem>

namespace pyro::workspace {

namespace {

constexpr std::chrono::milliseconds k_quiet{200};     // so long nothing changes before it is brought in
constexpr std::chrono::milliseconds k_longest{2'000}; // unless it never stops
constexpr std::chrono::milliseconds k_look{100};      // for an interruption

class Watching {
public:
  Watching(Context& context, const Project& project, const WatchOptions& options)
      : m_context(context), m_project(project), m_options(options), m_loaded(load(context, project)) {
    const auto source =
        (std::filesystem::path(m_loaded.directory) / m_loaded.spec.seed.from).lexically_normal();
    if (!os::is_directory(source.string())) {
      throw Error(ErrorCode::usage, "{}: an archive is not watched", source.string())
          .at(m_loaded.spec.place("seed.from"))
          .with_hint("a seed that is a directory can be");
    }
    m_source = std::filesystem::canonical(source).string();
    watch();
  }

  Json run() {
    apply();
    tell(fmt::format("watching {}", m_source));
    try {
      for (;;) {
        wait_for_change();
        try_to_apply();
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::interrupted) {
        throw;
      }
    }
    return {{"applied", m_applied}, {"failed", m_failed}};
  }

private:
  static LoadedProject load(const Context& context, const Project& project) {
    auto loaded = load_project(context, project);
    loaded.spec.seed.on_change = spec::OnChange::sync;
    return loaded;
  }

  /// The rules of the seed are read anew where .gitignore may have changed.
  void watch() {
    m_ignored = std::make_unique<const seed::IgnoredPaths>(m_source, m_loaded.spec.seed.exclude);
    m_watch = std::make_unique<os::TreeWatch>(m_source, [this](const std::string& path, bool is_directory) {
      return path == ".git" || path.starts_with(".git/") || m_ignored->has(path, is_directory);
    });
    m_watch->add_file(m_loaded.file);
  }

  void tell(const std::string& text) const { m_context.emit("note", "watch", text); }

  void wait_for_change() {
    while (!m_watch->wait(k_look)) {
      m_context.check_interrupted();
    }
    const auto began = os::now_monotonic();
    auto last = began;
    while (os::now_monotonic() - last < k_quiet && os::now_monotonic() - began < k_longest) {
      m_context.check_interrupted();
      last = m_watch->wait(k_look) ? os::now_monotonic() : last;
    }
  }

  void apply() {
    const auto began = os::now_monotonic();
    const store::LentReserve reserve(m_context.base);
    const auto applied = apply_project(m_context, m_loaded, m_options.apply, false);
    ++m_applied;
    const bool has_files = applied.changed && m_applied > 1;
    if (has_files && !m_options.restart.empty()) {
      restart_named_services(m_context, applied.workspace_id, {}, m_options.restart, WaitUntilReady::yes);
    }
    const auto took = (os::now_monotonic() - began).count();
    tell(applied.changed ? fmt::format("applied ({} ms)", took) : fmt::format("nothing to do ({} ms)", took));
  }

  void try_to_apply() {
    try {
      m_loaded = load(m_context, m_project);
      watch();
      apply();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::interrupted || error.code() == ErrorCode::timeout) {
        throw;
      }
      ++m_failed;
      // Nobody tells more of it later: its place and what to do belong to it.
      const auto text = error.hint().empty() ? std::string(error.what())
                                             : fmt::format("{} ({})", error.what(), error.hint());
      auto data = pyro::to_json(error);
      data["message"] = text;
      m_context.emit("action_error", "watch", text, std::move(data));
    }
  }

  Context& m_context;
  const Project& m_project;
  const WatchOptions& m_options;
  LoadedProject m_loaded;
  std::string m_source;
  std::unique_ptr<const seed::IgnoredPaths> m_ignored;
  std::unique_ptr<os::TreeWatch> m_watch;
  std::int64_t m_applied = 0;
  std::int64_t m_failed = 0;
};

} // namespace

Json watch_project(Context& context, const Project& project, const WatchOptions& options) {
  context.base.prepare();
  return Watching(context, project, options).run();
}

} // namespace pyro::workspace
