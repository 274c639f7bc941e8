// What one process of the hammer does at random on one workspace, and what it checks of the answers at once.
#pragma once

#include "model.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::concurrency {

/// What one process does, and what it knows of its own.
class Hammering {
public:
  Hammering(Worker& worker, std::string id, fs::path scratch)
      : m_worker(worker), m_id(std::move(id)), m_scratch(std::move(scratch)) {}

  void run(int steps) {
    for (m_step = 0; m_step < steps; ++m_step) {
      one();
    }
  }

private:
  Json call(const std::string& operation, Json more = Json::object()) {
    more["workspace_id"] = m_id;
    auto answer = m_worker.call(operation, more);
    const auto& failure = m_worker.failure();
    if (answer.is_null() && failure.code == ErrorCode::bad_state && m_worker.throw_dice(2) == 0
        && failure.message.find("'started'") != std::string::npos) {
      m_worker.call("workspace_start", {{"workspace_id", m_id}});
    }
    return answer;
  }

  std::string token() const { return fmt::format("{}.{}", m_worker.number(), m_step); }

  std::string inside(const std::string& name) const { return "/workspace/" + name; }

  /// In one step: a reset or stop may end the command anywhere, and a file cut short is nobody's.
  void exec() {
    const auto aside = fmt::format("/var/lib/new-{}", m_worker.number());
    call(
        "workspace_exec",
        {{"command", "echo -n \"$TOKEN\" > " + aside + " && mv " + aside + " " + file_of(m_worker.number())
                         + " && mkdir -p marks && : > marks/$MARK"},
         {"env", {{"TOKEN", token()}, {"MARK", token()}}}});
  }

  void take_snapshot() {
    const auto name = fmt::format("s{}-{}", m_worker.number(), m_step);
    if (call("snapshot_create", {{"snapshot_name", name}}).is_object()) {
      m_snapshots.push_back(name);
    }
  }

  void delete_snapshot() {
    if (m_snapshots.size() < 2) {
      return;
    }
    const auto name = m_snapshots.front();
    if (call("snapshot_delete", {{"snapshot_name", name}}).is_object()) {
      m_snapshots.erase(m_snapshots.begin());
    }
  }

  /// Nobody else makes or deletes ours.
  void list_snapshots() {
    const auto list = call("snapshot_list");
    std::vector<std::string> ours;
    for (const auto& snapshot : list.is_object() ? list["snapshots"] : Json::array()) {
      const auto name = snapshot["snapshot_name"].get<std::string>();
      if (name.starts_with(fmt::format("s{}-", m_worker.number()))) {
        ours.push_back(name);
      }
    }
    if (list.is_object() && ours != m_snapshots) {
      throw std::runtime_error(fmt::format(
          "the list has {}, and there are {}", fmt::join(ours, " "), fmt::join(m_snapshots, " ")));
    }
  }

  void reset() {
    const auto count = static_cast<int>(m_snapshots.size());
    const auto chosen = m_worker.throw_dice(count + 1);
    call("workspace_reset", {{"snapshot", chosen == count ? "baseline" : m_snapshots[chosen]}});
  }

  void look_at_diff() {
    const auto diff = call("workspace_diff");
    if (diff.is_object() && diff["summary"]["total"] != diff["entries"].size()) {
      throw std::runtime_error("a diff that does not fit its own summary: " + diff.dump());
    }
  }

  void look_at_status() {
    const auto status = call("workspace_status");
    if (!status.is_object()) {
      return;
    }
    const auto resets = status["reset_count"].get<std::int64_t>();
    if (resets < m_resets) {
      throw std::runtime_error(fmt::format("reset_count went from {} to {}", m_resets, resets));
    }
    m_resets = resets;
  }

  void stop() {
    call("workspace_stop");
    m_worker.call("workspace_start", {{"workspace_id", m_id}});
  }

  void one() {
    const auto service = service_of(m_worker.number());
    const std::vector<std::pair<int, std::function<void()>>> table{
        {24,
         [&] {
           exec();
         }},
        {8,
         [&] {
           call("workspace_file_write", {{"path", inside(own_file())}, {"content", token()}});
         }},
        {8,
         [&] {
           call("workspace_file_read", {{"path", inside(own_file())}});
         }},
        {3,
         [&] {
           call("workspace_file_list", {{"recursive", true}});
         }},
        {9,
         [&] {
           look_at_diff();
         }},
        {8,
         [&] {
           take_snapshot();
         }},
        {4,
         [&] {
           delete_snapshot();
         }},
        {5,
         [&] {
           list_snapshots();
         }},
        {6,
         [&] {
           reset();
         }},
        {6,
         [&] {
           look_at_status();
         }},
        {3,
         [&] {
           call("workspace_logs");
         }},
        {3,
         [&] {
           call("workspace_summary");
         }},
        {3,
         [&] {
           m_worker.call("workspace_list", Json::object());
         }},
        {3,
         [&] {
           call("workspace_export", {{"path", "/workspace"}, {"output_path", output()}});
         }},
        {5,
         [&] {
           call("service_start", {{"service_name", service}, {"command", "exec sleep 1000"}});
         }},
        {3,
         [&] {
           call("service_stop", {{"service_name", service}});
         }},
        {3,
         [&] {
           call("service_list");
         }},
        {5,
         [&] {
           call("workspace_update", {{"labels", {{label_of(m_worker.number()), token()}}}});
         }},
        {1, [&] {
           stop();
         }}};
    int sides = 0;
    for (const auto& [weight, what] : table) {
      sides += weight;
    }
    int thrown = m_worker.throw_dice(sides);
    for (const auto& [weight, what] : table) {
      thrown -= weight;
      if (thrown < 0) {
        what();
        return;
      }
    }
  }

  std::string own_file() const { return file_of(m_worker.number()); }

  std::string output() const { return (m_scratch / fmt::format("out-{}", token())).string(); }

  Worker& m_worker;
  std::string m_id;
  fs::path m_scratch;
  int m_step = 0;
  std::int64_t m_resets = 0;
  std::vector<std::string> m_snapshots; // of ours, in the order they were made
};

} // namespace pyro::concurrency
