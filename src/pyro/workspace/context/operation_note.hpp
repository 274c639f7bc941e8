// One operation in the journal of events: that it began, what it did to which workspace, how it ended.
#pragma once

#include <pyro/base/error.hpp>
#include <pyro/base/json_access.hpp>

#include <chrono>
#include <string>

namespace pyro::workspace {

struct Context;

class OperationNote {
public:
  /// From here on what the context emits is of this operation; within another one it is that one's.
  OperationNote(Context& context, const std::string& operation);
  ~OperationNote();
  OperationNote(const OperationNote&) = delete;
  OperationNote& operator=(const OperationNote&) = delete;

  /// `result` may name the workspace.
  void complete(const Json& result) const;
  void failed(const Error& error) const;

private:
  void end(const std::string& kind, const std::string& text, Json data) const;

  Context& m_context;
  bool m_is_outer;
  std::chrono::milliseconds m_began;
};

} // namespace pyro::workspace
