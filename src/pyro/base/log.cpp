#include "log.hpp"

#define SPDLOG_NO_EXCEPTIONS
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

namespace pyro::log {

namespace {

spdlog::logger* logger() {
  static const auto s_logger = []() -> std::shared_ptr<spdlog::logger> {
    const char* path = std::getenv("PYRO_LOG");
    if (!path || !*path) {
      return nullptr;
    }
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(path);
    auto result = std::make_shared<spdlog::logger>("pyro", sink);
    result->set_pattern("%Y-%m-%dT%H:%M:%S.%f %P %v");
    result->flush_on(spdlog::level::info);
    return result;
  }();
  return s_logger.get();
}

} // namespace

bool enabled() {
  return logger() != nullptr;
}

void write(std::string_view text) {
  if (auto* target = logger()) {
    target->info(text);
  }
}

} // namespace pyro::log
