#include "operation_note.hpp"

#include "context.hpp"

#include <pyro/os/clock.hpp>
#include <pyro/os/random.hpp>

namespace pyro::workspace {

OperationNote::OperationNote(Context& context, const std::string& operation)
    : m_context(context), m_is_outer(context.current.id.empty()), m_began(os::now_monotonic()) {
  if (m_is_outer) {
    const auto& given = m_context.settings.op_id;
    m_context.current = {given.empty() ? os::random_hex(8) : given, operation, "", ""};
    m_context.note("operation_start", "", operation);
  }
}

OperationNote::~OperationNote() {
  if (m_is_outer) {
    m_context.current = {};
  }
}

void OperationNote::end(const std::string& kind, const std::string& text, Json data) const {
  data["duration_ms"] = (os::now_monotonic() - m_began).count();
  if (m_is_outer) {
    m_context.note(kind, "", text, data);
  }
}

void OperationNote::complete(const Json& result) const {
  auto& current = m_context.current;
  if (m_is_outer && result.is_object() && current.workspace_id.empty()) {
    const auto id = result.value("workspace_id", Json());
    const auto name = result.value("name", Json());
    current.workspace_id = id.is_string() ? id.get<std::string>() : "";
    current.workspace = id.is_string() && name.is_string() ? name.get<std::string>() : "";
  }
  end("operation_complete", current.operation, Json::object());
}

void OperationNote::failed(const Error& error) const {
  end("operation_error", error.message(), {{"code", name_of(error.code())}});
}

} // namespace pyro::workspace
