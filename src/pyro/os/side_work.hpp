// One piece of work in a child process, beside what this one goes on with: for two that wait more than they
// compute. Many pieces that are waited for together are workers.hpp's.
#pragma once

#include "fd.hpp"
#include "process.hpp"

#include <pyro/base/json_access.hpp>

#include <cstddef>
#include <functional>

namespace pyro::os {

class SideWork {
public:
  using Tell = std::function<void(const nlohmann::json& news)>;

  /// Begins `work` in a child of this process that dies with it; what it tells goes to `heard`, here. It must
  /// not depend on changing the memory of this process.
  SideWork(const std::function<nlohmann::json(const Tell&)>& work, Tell heard);

  /// Ends it: asked first (interruption.hpp), so that it can clean up.
  ~SideWork();

  SideWork(const SideWork&) = delete;
  SideWork& operator=(const SideWork&) = delete;

  /// Hands on what was told up to now.
  void hear();

  /// Waits until it is done, handing on what it tells. Its result, or throws its error.
  nlohmann::json wait(const std::function<void()>& check_interrupted);

private:
  void take(const nlohmann::json& line);

  Tell m_heard;
  Fd m_told; // lines of JSON, in memory: nobody waits until they are read
  std::size_t m_read = 0;
  std::string m_rest;
  nlohmann::json m_end; // {"result"} or {"error"}; null: not yet
  Child m_child;
};

} // namespace pyro::os
