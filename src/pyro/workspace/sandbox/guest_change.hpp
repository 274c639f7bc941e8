// One change of files in a running sandbox, sent to its agent: all of it or nothing
// (protocol/file_change.hpp).
#pragma once

#include <pyro/backend/control_client.hpp>
#include <pyro/protocol/file_change.hpp>
#include <pyro/store/workspace_record.hpp>

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyro::workspace {

/// Destroyed without commit() nothing is changed. Paths are relative to `root`.
class GuestChange {
public:
  /// `user` owns what has no owner of its own. Nothing is changed in `mounts`, which are no content of the
  /// workspace: what would be there is Error(invalid_argument).
  GuestChange(
      backend::ControlClient& client, const std::string& user, std::vector<store::LiveMount> mounts,
      const std::string& root = "/workspace");
  ~GuestChange();
  GuestChange(const GuestChange&) = delete;
  GuestChange& operator=(const GuestChange&) = delete;

  /// Anything without content.
  void send(const protocol::FileRecord& record);
  void send_file(protocol::FileRecord record, std::string_view content);
  /// From an open file, as long as `record.size` says; Error(stale) where it has another length.
  void send_file(const protocol::FileRecord& record, int fd);

  /// Waits until it is done, however long that takes. Throws why it was not.
  protocol::FileChangeResult commit();

private:
  void send_bytes(std::string_view bytes);
  void check() const;

  void refuse_live(const std::string& path) const;

  backend::ControlClient& m_client;
  std::vector<store::LiveMount> m_mounts;
  std::string m_root; // without the last slash
  std::shared_ptr<protocol::Call> m_call;
  std::optional<Json> m_result;
  std::optional<Error> m_failure;
};

/// The record of an entry as stat(2) shows it: kind, mode, time and size; no owner.
protocol::FileRecord record_of(const std::string& path, const struct stat& status);

} // namespace pyro::workspace
