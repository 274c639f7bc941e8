// One client of the SFTP server: what it has open, and an answer for each of its requests. See sftp.hpp.
#pragma once

#include "sftp_packet.hpp"

#include <pyro/os/fd.hpp>

#include <dirent.h>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace pyro::agent {

class SftpSession {
public:
  /// `packet` without its length: the answer, with its length. Error(protocol) for what is no packet, after
  /// which nothing can be said any more.
  std::string answer(std::string_view packet);

private:
  struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };

  struct Handle {
    os::Fd file;
    std::unique_ptr<DIR, CloseDirectory> directory;
    bool appends = false;

    int descriptor() const { return directory ? ::dirfd(directory.get()) : file.get(); }
  };

  using Reader = protocol::OctetReader;

  std::string version();
  std::string open_file(Reader& request);
  std::string open_directory(Reader& request);
  std::string close_handle(Reader& request);
  std::string read_file(Reader& request);
  std::string write_file(Reader& request);
  std::string read_directory(Reader& request);
  std::string real_path(const std::string& path);
  std::string read_link(const std::string& path);
  std::string extended(Reader& request);

  Handle& handle(Reader& request);
  std::string keep(Handle handle);
  std::string status(SftpStatus code) const;
  /// Of a system call that returned `result`.
  std::string outcome(int result) const;
  std::string attributes(int result, const struct stat& status) const;
  std::string one_name(const std::string& path) const;

  std::uint32_t m_id = 0; // of the request that is being answered
  std::map<std::string, Handle> m_handles;
  std::uint32_t m_last_handle = 0;
};

} // namespace pyro::agent
