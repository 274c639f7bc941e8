#include "guest_change.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/interruption.hpp>
#include <pyro/base/path_text.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/tree_merge.hpp>

#include <array>

namespace pyro::workspace {

using protocol::FileRecord;

GuestChange::GuestChange(
    backend::ControlClient& client, const std::string& user, std::vector<store::LiveMount> mounts,
    const std::string& root)
    : m_client(client), m_mounts(std::move(mounts)), m_root(root == "/" ? "" : root) {
  protocol::FileChangeRequest request;
  request.user = user;
  request.root = root;
  protocol::CallEvents events;
  events.on_result = [this](const Json& value) {
    m_result = value;
  };
  events.on_failure = [this](const Error& error) {
    m_failure = error;
  };
  m_call = client.open(
      "/agent" + std::string(protocol::path::k_files_change), protocol::to_json(request), std::move(events));
}

GuestChange::~GuestChange() {
  if (m_result || m_failure) {
    return;
  }
  m_call->cancel();
  try {
    m_client.loop().turn(std::chrono::milliseconds(50)); // lets the cancel out
  } catch (const Error&) {
    // The connection is gone, and with it the change.
  }
}

void GuestChange::check() const {
  if (m_failure) {
    throw *m_failure;
  }
  if (m_result) {
    throw Error(ErrorCode::protocol, "the agent ended a change of files before it was complete");
  }
}

void GuestChange::send_bytes(std::string_view bytes) {
  check();
  m_call->send(protocol::FrameType::data_in, bytes);
  while (m_call->is_full() && !m_failure && !m_result) {
    check_interruption();
    m_client.loop().turn(std::chrono::milliseconds(100));
  }
  check();
}

void GuestChange::refuse_live(const std::string& path) const {
  const auto whole = m_root + "/" + path;
  for (const auto& mount : m_mounts) {
    if (is_at_or_below(whole, mount.target)) {
      throw Error(
          ErrorCode::invalid_argument, "{} is a live directory of this machine (mounts): {}", mount.target,
          mount.path)
          .with_hint("put the files there");
    }
  }
}

void GuestChange::send(const FileRecord& record) {
  refuse_live(record.path);
  send_bytes(protocol::encode_record(record));
}

void GuestChange::send_file(FileRecord record, std::string_view content) {
  record.kind = FileRecord::Kind::file;
  record.size = content.size();
  send(record);
  constexpr std::size_t k_piece = 64 << 10;
  for (; !content.empty(); content.remove_prefix(std::min(k_piece, content.size()))) {
    send_bytes(content.substr(0, k_piece));
  }
}

void GuestChange::send_file(const FileRecord& record, int fd) {
  send(record);
  std::array<char, 64 << 10> buffer;
  std::uint64_t left = record.size;
  while (left > 0) { // what is appended meanwhile belongs to a later moment
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left));
    const auto count = os::read_some(fd, {buffer.data(), part}).value_or(0);
    if (count == 0) {
      throw Error(ErrorCode::stale, "{} changed while it was read", record.path);
    }
    send_bytes({buffer.data(), count});
    left -= count;
  }
}

protocol::FileChangeResult GuestChange::commit() {
  os::crash_point("change.sent");
  send(FileRecord{});
  m_call->end_in();
  m_client.loop().turn(std::chrono::milliseconds(0));
  os::crash_point("change.asked"); // all of it is on its way; what the agent does with it goes on without us
  while (!m_result && !m_failure) {
    m_client.loop().turn(std::chrono::milliseconds(1000));
  }
  if (m_failure) {
    throw *m_failure;
  }
  os::crash_point("change.done");
  return protocol::file_change_result_from_json(*m_result);
}

FileRecord record_of(const std::string& path, const struct stat& status) {
  FileRecord record;
  record.kind = S_ISDIR(status.st_mode)   ? FileRecord::Kind::directory
                : S_ISLNK(status.st_mode) ? FileRecord::Kind::symlink
                                          : FileRecord::Kind::file;
  record.path = path;
  record.mode = status.st_mode & 0777;
  record.mtime_ns = os::mtime_ns_of(status);
  record.size = record.kind == FileRecord::Kind::file ? static_cast<std::uint64_t>(status.st_size) : 0;
  return record;
}

} // namespace pyro::workspace
