// From what a call names (an id, a name, a project directory) to the workspace that lives elsewhere, if it is
// one; and what of a call has to be said in another way there.
#pragma once

#include <pyro/operations/engine.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/place/placed.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/project.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pyro::node {

class Router {
public:
  Router(operations::Settings settings, const operations::Callbacks& callbacks);

  /// The state directory.
  const std::string& base() const { return m_base; }

  /// The workspace that `operation` is about with these parameters, where it lives elsewhere; nullopt: here,
  /// or the operation is about none. Parameters become what the node is to be told: paths are absolute, and a
  /// workspace is named by its id. Unchanged for what is here, but for the directory that was found above.
  std::optional<place::Placed>
  find(const place::PlacedRecords& records, std::string_view operation, Json& parameters);

  /// The path of the pyro.yaml that the operation will read there; empty: none.
  static std::string file_of(std::string_view operation, const Json& parameters);

  /// Error(unavailable) for what does not reach a workspace elsewhere.
  void require_reach(std::string_view operation, const place::Placed& placed) const;

  /// The project, with its values: asks for agreement where there is something to agree to.
  workspace::LoadedProject load(const Json& parameters);

  /// As a local apply takes it: nobody places the workspace of that identity beside us.
  os::ExclusiveLock lock_identity(const std::string& identity, const std::string& operation);

  void emit(const std::string& kind, const std::string& text);

private:
  workspace::Context& context();

  operations::Settings m_settings;
  operations::EventSink m_sink;
  std::string m_base;
  std::unique_ptr<workspace::Context> m_context; // made when it is first needed
};

} // namespace pyro::node
