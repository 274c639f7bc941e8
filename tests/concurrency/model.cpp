#include "model.hpp"

#include <pyro/base/json_access.hpp>

namespace pyro::concurrency {

std::string file_of(int worker) {
  return fmt::format("file-{}", worker);
}

std::string service_of(int worker) {
  return fmt::format("service-{}", worker);
}

std::string label_of(int worker) {
  return fmt::format("worker-{}", worker);
}

namespace {

constexpr double k_never = 1e300;

double end_of(const Step& step) {
  return step.ended > 0 ? step.ended : k_never;
}

/// A reset that failed before it did anything says so by these.
bool did_nothing(const Step& step) {
  return step.failed()
         && (step.code == ErrorCode::invalid_argument || step.code == ErrorCode::not_found
             || step.code == ErrorCode::locked);
}

bool ran_to_its_end(const Step& exec) {
  return exec.ok() && exec.answer["exit_code"] == 0;
}

} // namespace

Model::Model(std::vector<Step> steps) : m_steps(std::move(steps)) {
  for (const auto& step : m_steps) {
    const auto& given = step.parameters;
    if (step.operation == "workspace_reset" && !did_nothing(step)) {
      m_resets.push_back(step);
    } else if (step.operation == "workspace_exec" && given.contains("env")) {
      m_writes.push_back(
          {step.worker, given["env"]["TOKEN"], given["env"]["MARK"], ran_to_its_end(step), step.began,
           end_of(step)});
    } else if (step.operation == "workspace_file_write") {
      m_writes.push_back({step.worker, given["content"], "", step.ok(), step.began, end_of(step)});
    }
  }
}

std::set<std::string> Model::snapshots() const {
  std::set<std::string> names;
  for (const auto& step : m_steps) {
    if (step.ok() && step.operation == "snapshot_create") {
      names.insert(step.parameters["snapshot_name"].get<std::string>());
    } else if (step.ok() && step.operation == "snapshot_delete") {
      names.erase(step.parameters["snapshot_name"].get<std::string>());
    }
  }
  return names;
}

std::int64_t Model::reset_count() const {
  return std::count_if(m_resets.begin(), m_resets.end(), [](const Step& step) { return step.ok(); });
}

std::map<std::string, std::string> Model::labels() const {
  std::map<std::string, std::string> labels;
  for (const auto& step : m_steps) {
    if (step.ok() && step.operation == "workspace_update") {
      for (const auto& [key, value] : step.parameters["labels"].items()) {
        labels[key] = value.get<std::string>();
      }
    }
  }
  return labels;
}

std::vector<Step> Model::last_resets() const {
  std::vector<Step> last;
  for (const auto& step : m_resets) {
    const bool is_before = std::any_of(m_resets.begin(), m_resets.end(), [&](const Step& other) {
      return other.ok() && other.began > end_of(step);
    });
    if (step.ok() && !is_before) {
      last.push_back(step);
    }
  }
  std::sort(
      last.begin(), last.end(), [](const Step& one, const Step& other) { return one.ended > other.ended; });
  return last;
}

std::set<std::optional<std::string>>
Model::file_after(const Step* reset, const Content& restored, int worker) const {
  const double from = reset ? reset->began : 0;
  const double until = reset ? reset->ended : 0;
  std::set<std::optional<std::string>> possible;
  const auto before = restored.files.find(worker);
  possible.insert(before == restored.files.end() ? std::nullopt : std::optional(before->second));
  for (const auto& write : m_writes) {
    if (write.worker != worker || write.ended < from) {
      continue;
    }
    if (write.certain && write.began >= until) {
      possible.clear();
    }
    possible.insert(write.token);
  }
  return possible;
}

std::pair<std::int64_t, std::int64_t>
Model::command_count(const Content& now, const Content& restored) const {
  std::int64_t least = 0;
  std::int64_t most = 0;
  for (const auto& write : m_writes) {
    const bool ran_here = now.marks.contains(write.mark) && !restored.marks.contains(write.mark);
    least += ran_here && write.certain ? 1 : 0;
    most += ran_here || (!write.certain && !write.mark.empty()) ? 1 : 0;
  }
  return {least, most};
}

bool Model::reset_meets(double from, double to) const {
  return std::any_of(m_resets.begin(), m_resets.end(), [&](const Step& reset) {
    return reset.began <= to && end_of(reset) >= from;
  });
}

/// The last one that certainly was, unless one that may have been came after it.
const Model::Write* Model::last_write_before(int worker, double when) const {
  const Write* found = nullptr;
  for (const auto& write : m_writes) {
    if (write.worker == worker && write.began < when) {
      found = &write;
    }
  }
  return found && found->certain && found->ended < when ? found : nullptr;
}

std::optional<std::string> Model::file_in_snapshot(const std::string& name) const {
  for (const auto& step : m_steps) {
    if (!step.ok() || step.operation != "snapshot_create" || step.parameters["snapshot_name"] != name) {
      continue;
    }
    const auto* write = last_write_before(step.worker, step.began);
    return write && !reset_meets(write->began, step.ended) ? std::optional(write->token) : std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string> Model::impossible_reads() const {
  std::vector<std::string> wrong;
  for (const auto& step : m_steps) {
    if (!step.ok() || step.operation != "workspace_file_read") {
      continue;
    }
    const auto read = step.answer["content"].get<std::string>();
    const bool was_written = std::any_of(m_writes.begin(), m_writes.end(), [&](const Write& write) {
      return write.worker == step.worker && write.token == read && write.began < step.ended;
    });
    const auto* write = last_write_before(step.worker, step.began);
    const bool decided = write && !reset_meets(write->began, step.ended);
    if (!was_written || (decided && write->token != read)) {
      wrong.push_back(fmt::format("worker {} read '{}'", step.worker, read));
    }
  }
  return wrong;
}

Model::Services Model::services_after(const Step* reset) const {
  struct Last {
    Step step;
    bool is_old = true; // all of it was over before the reset began
  };

  const double from = reset ? reset->began : 0;
  const double until = reset ? reset->ended : 0;
  std::map<std::string, Last> last;
  for (const auto& step : m_steps) {
    if (step.operation == "service_start" || step.operation == "service_stop") {
      auto& state = last[step.parameters["service_name"].get<std::string>()];
      state = {step, state.is_old && end_of(step) < from};
    }
  }
  Services services;
  for (const auto& [name, state] : last) {
    const auto& step = state.step;
    const bool was_stopped = std::any_of(m_steps.begin(), m_steps.end(), [&](const Step& other) {
      return other.operation == "workspace_stop" && end_of(other) >= step.began;
    });
    if (state.is_old && reset) {
      services.unknown.insert(name);
    } else if (
        step.operation == "service_start" && step.ok() && step.answer["state"] == "running"
        && step.began >= until && !was_stopped) {
      services.running.insert(name);
    }
  }
  return services;
}

} // namespace pyro::concurrency
