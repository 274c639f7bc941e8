#include "machine.hpp"

#include "authority.hpp"
#include "users.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/random.hpp>
#include <pyro/os/regular_file.hpp>
#include <pyro/protocol/requests.hpp>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

namespace pyro::agent {

namespace {

void check(int result, const char* what) {
  if (result < 0) {
    throw Error::from_errno(errno, what);
  }
}

os::Fd open_secrets(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0711) < 0 && errno != EEXIST) {
    throw Error::from_errno(errno, "create " + directory);
  }
  auto fd = os::open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

  struct statfs system {};

  check(::fstatfs(fd.get(), &system), "look at the secrets directory");
  if (system.f_type != TMPFS_MAGIC && system.f_type != RAMFS_MAGIC) {
    throw Error(
        ErrorCode::unavailable, "{} is not in memory; a secret written there would end up in a layer",
        directory);
  }
  return fd;
}

/// The owner alone may read it; where there is no such user nobody but the agent's.
void give_to_owner(int file, const std::string& user) {
  if (!user.empty()) {
    try {
      const auto owner = resolve_user(user, UserDatabase::read());
      // EINVAL: an id that this sandbox does not have, so no process can be of that user either.
      if (::fchown(file, owner.uid, owner.gid) < 0 && errno != EINVAL) {
        throw Error::from_errno(errno, "give the secret to its user");
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found) {
        throw;
      }
    }
  }
  check(::fchmod(file, 0400), "set the mode of the secret");
}

std::string put_secret(const Runtime& runtime, const protocol::SecretPut& secret) {
  const auto name = secret.service.empty() ? secret.name : secret.name + "@" + secret.service;
  auto directory = open_secrets(runtime.secrets_dir);
  // A name nobody can have prepared, in place at once under its own.
  auto temporary = "." + os::random_hex(8);
  auto file = os::open_at(directory.get(), temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  try {
    os::write_all(file.get(), secret.value);
    give_to_owner(file.get(), secret.user);
    check(
        ::renameat(directory.get(), temporary.c_str(), directory.get(), name.c_str()),
        "put the secret in place");
  } catch (const Error&) {
    ::unlinkat(directory.get(), temporary.c_str(), 0);
    throw;
  }
  if (!secret.service.empty()) {
    ::unlinkat(directory.get(), secret.name.c_str(), 0); // of before, when all its services had one user
  }
  return runtime.secrets_dir + "/" + name;
}

void check_is_init(const Runtime& runtime, const char* what) {
  if (!runtime.is_init) {
    throw Error(ErrorCode::unavailable, "{} is for the first process of a sandbox only", what);
  }
}

void set_identity(const Runtime& runtime, const protocol::Identity& identity) {
  check_is_init(runtime, "setting the identity");
  if (!identity.hostname.empty()) {
    check(::sethostname(identity.hostname.data(), identity.hostname.size()), "set the host name");
  }
  if (!identity.machine_id.empty()) {
    auto etc = os::open_file("/etc", O_RDONLY | O_DIRECTORY);
    // What the image or a snapshot has in its place may be a FIFO, on which we would wait for ever.
    auto file =
        os::open_at(etc.get(), "machine-id", O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0444);
    os::require_regular(file.get(), "/etc/machine-id");
    check(::ftruncate(file.get(), 0), "empty /etc/machine-id");
    os::write_all(file.get(), identity.machine_id + "\n");
  }
}

void set_clock(const Runtime& runtime, const protocol::ClockSet& clock) {
  check_is_init(runtime, "setting the clock");
  timespec now{};
  now.tv_sec = static_cast<time_t>(clock.epoch_ms / 1000);
  now.tv_nsec = static_cast<long>(clock.epoch_ms % 1000) * 1000000;
  check(::clock_settime(CLOCK_REALTIME, &now), "set the clock");
}

/// In a process of its own: a slow disk must not hold up everything else.
void sync_file_systems(Runtime& runtime, const std::shared_ptr<protocol::Call>& call) {
  auto child = ::fork();
  check(child, "fork");
  if (child == 0) {
    int root = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::_exit(root >= 0 && ::syncfs(root) == 0 ? 0 : 1);
  }
  runtime.reaper.watch(child, [call](os::Outcome outcome) {
    if (outcome.ok()) {
      call->finish(Json::object());
    } else {
      call->fail(Error(ErrorCode::io, "the file systems could not be synchronised"));
    }
  });
}

} // namespace

void add_machine_operations(protocol::Router& router, Runtime& runtime) {
  namespace path = protocol::path;
  using CallPointer = std::shared_ptr<protocol::Call>;
  router.add(std::string(path::k_secrets_put), [&runtime](const CallPointer& call, const Json& request) {
    call->finish({{"path", put_secret(runtime, protocol::secret_put_from_json(request))}});
  });
  router.add(std::string(path::k_authority), [&runtime](const CallPointer& call, const Json& request) {
    check_is_init(runtime, "trusting an authority");
    trust_authority(protocol::authority_from_json(request).certificate);
    call->finish(Json::object());
  });
  router.add(std::string(path::k_clock_set), [&runtime](const CallPointer& call, const Json& request) {
    set_clock(runtime, protocol::clock_set_from_json(request));
    call->finish(Json::object());
  });
  router.add(std::string(path::k_identity), [&runtime](const CallPointer& call, const Json& request) {
    set_identity(runtime, protocol::identity_from_json(request));
    call->finish(Json::object());
  });
  router.add(std::string(path::k_sync), [&runtime](const CallPointer& call, const Json&) {
    sync_file_systems(runtime, call);
  });
}

} // namespace pyro::agent
