#include "port_carrier.hpp"

#include "carried_ports.hpp"
#include "connection.hpp"
#include "workspace_streams.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/process.hpp>
#include <pyro/os/tcp_socket.hpp>
#include <pyro/place/slurm.hpp>
#include <pyro/ports/port_forwarder.hpp>
#include <pyro/protocol/call.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <thread>
#include <utility>

namespace pyro::node {

namespace {

constexpr std::chrono::milliseconds k_turn{1000};
constexpr std::chrono::milliseconds k_until_asked_again{500};
constexpr std::chrono::milliseconds k_first_wait{500};
constexpr std::chrono::milliseconds k_longest_wait{10'000};
constexpr std::chrono::seconds k_patience_with_carrier{5};
constexpr std::size_t k_most_ports = 256;

std::string lock_path(const place::PlacedRecords& records, const place::Placed& placed) {
  return records.beside_record(placed, ".carrier");
}

/// As far as is known: Slurm may not answer for a while.
bool has_ended(const std::string& job_id) {
  try {
    const auto job = place::job(job_id);
    return job.phase == place::JobPhase::ended || job.restarts > 0;
  } catch (const Error&) {
    return false;
  }
}

/// One connection to the lease, and the listeners that it serves.
class Carrying {
public:
  Carrying(const place::Placed& placed, const std::string& program, CarriedPorts& carried, std::string path)
      : m_placed(placed), m_carried(carried), m_path(std::move(path)),
        m_prefix(std::string(k_workspace_path) + placed.workspace_id), m_connection(placed.job_id, program),
        m_forwarder(m_connection.loop(), m_connection.session(), m_prefix + "/agent") {
    m_carried.job_id = placed.job_id;
    m_forwarder.on_refused([this](int port, const std::string& why) { note_refused(port, why); });
    watch();
  }

  /// Until the connection is lost, or is_wanted(), asked once a second, says no.
  void run(const std::function<bool()>& is_wanted) {
    while (is_wanted()) {
      const auto next_look = os::now_monotonic() + k_turn;
      for (auto left = k_turn; left.count() > 0; left = next_look - os::now_monotonic()) {
        m_connection.loop().turn(left);
        m_connection.check();
      }
      m_connection.watch_silence([this](bool) {
        if (has_ended(m_placed.job_id)) {
          throw ConnectionLost{};
        }
      });
      if (std::exchange(m_is_refused_new, false)) {
        save(m_carried, m_path);
      }
      if (!m_carried.problems.empty()) { // who had the port may have gone
        carry(m_told);
      }
    }
  }

private:
  void watch() {
    protocol::CallEvents events;
    events.on_message = [this](const Json& frame) {
      carry(checked(value_at(frame, "ports")));
    };
    events.on_failure = [this](const Error&) { // it does not run (yet, or any more)
      carry(Json::array());
      m_connection.loop().after(k_until_asked_again, [this] { watch(); });
    };
    m_watch = protocol::open_call(
        m_connection.session(), m_prefix + "/ports/watch", Json::object(), std::move(events));
  }

  /// What the node says is anything: it opens no port to others that the file does not.
  Json checked(const Json& ports) const {
    if (!ports.is_array() || ports.size() > k_most_ports) {
      throw Error(ErrorCode::protocol, "the node tells of more ports than there can be");
    }
    for (const auto& port : ports) {
      const auto address = get_string(port, "address");
      if (address != "127.0.0.1" && address != "::1"
          && std::find(m_placed.addresses.begin(), m_placed.addresses.end(), address)
                 == m_placed.addresses.end()) {
        throw Error(ErrorCode::protocol, "the node publishes at {}, which the file does not", address);
      }
    }
    return ports;
  }

  void carry(const Json& told) {
    m_told = told;
    auto now = m_carried;
    now.problems = Json::array();
    auto wanted = Json::array();
    const auto before = m_forwarder.published();
    for (auto port : told) {
      const auto is_same = [&](const Json& other) {
        return is_same_publication(other, port);
      };
      const bool is_fixed = get_bool(port, "fixed");
      if (const auto known = std::find_if(now.remembered.begin(), now.remembered.end(), is_same);
          known != now.remembered.end() && !is_fixed) {
        port["host_port"] = (*known)["host_port"];
      }
      try {
        if (is_fixed && std::none_of(before.begin(), before.end(), is_same)) {
          os::check_listen_tcp(get_string(port, "address"), static_cast<int>(get_int(port, "host_port")));
        }
        wanted.push_back(port);
      } catch (const Error& error) {
        port["why"] = error.message();
        now.problems.push_back(port);
      }
    }
    try {
      m_forwarder.set(wanted);
    } catch (const Error& error) { // taken just now; what was there before stays
      for (auto& port : wanted) {
        port["why"] = error.message();
        now.problems.push_back(port);
      }
    }
    now.ports = m_forwarder.published();
    for (const auto& port : now.ports) {
      std::erase_if(now.remembered.get_ref<Json::array_t&>(), [&](const Json& known) {
        return is_same_publication(known, port);
      });
      now.remembered.push_back(port);
    }
    while (now.remembered.size() > k_most_ports) {
      now.remembered.erase(now.remembered.begin());
    }
    if (now.ports != m_carried.ports || now.problems != m_carried.problems || !m_is_told) {
      m_is_told = true;
      m_carried = std::move(now);
      save(m_carried, m_path);
    }
  }

  void note_refused(int port, const std::string& why) {
    const auto count = m_carried.refused.is_object() ? get_int(m_carried.refused, "count") : 0;
    m_carried.refused = {{"port", port}, {"reason", why}, {"at", os::now_epoch()}, {"count", count + 1}};
    m_is_refused_new = true; // written once a turn at most
  }

  const place::Placed& m_placed;
  CarriedPorts& m_carried;
  const std::string m_path;
  const std::string m_prefix;
  Json m_told = Json::array();
  bool m_is_told = false;
  bool m_is_refused_new = false;
  Connection m_connection;
  ports::PortForwarder m_forwarder;
  std::shared_ptr<protocol::Call> m_watch;
};

void note_problem(CarriedPorts& carried, const std::string& why) {
  carried.ports = Json::array();
  carried.problems = {{{"why", why}}};
}

} // namespace

int carry_ports(const std::string& base, const std::string& key, const std::string& program) {
  std::signal(SIGPIPE, SIG_IGN);
  const place::PlacedRecords records(base);
  auto placed = records.of_key(key);
  if (!placed) {
    return 0;
  }
  const auto lock = lock_path(records, *placed);
  const auto held = os::ExclusiveLock::try_lock(lock, "carry");
  if (!held) {
    return 0;
  }
  const auto path = carried_ports_path(records, *placed);
  auto carried = maybe_load_carried(path).value_or(CarriedPorts{});
  carried.process = ::getpid();
  auto pause = k_first_wait;
  while ((placed = records.of_key(key)) && !placed->job_id.empty() && placed->ended.is_null()) {
    const auto is_wanted = [&] {
      const auto now = records.of_key(key);
      return now && now->job_id == placed->job_id && now->workspace_id == placed->workspace_id
             && now->addresses == placed->addresses && now->ended.is_null();
    };
    const auto began = os::now_monotonic();
    try {
      Carrying(*placed, program, carried, path).run(is_wanted);
      continue;
    } catch (const ConnectionLost& end) {
      note_problem(carried, end.words.empty() ? "the connection to the node is lost" : end.words);
    } catch (const Error& error) {
      note_problem(carried, error.message());
    }
    save(carried, path);
    if (has_ended(placed->job_id)) {
      break;
    }
    const bool has_worked = os::now_monotonic() - began > k_longest_wait;
    pause = has_worked ? k_first_wait : std::min(pause * 2, k_longest_wait);
    std::this_thread::sleep_for(pause);
  }
  if (!placed) { // what lay beside the record went with it, but for what we made meanwhile
    os::remove_tree(lock);
  }
  return 0;
}

std::optional<std::int64_t>
port_carrier_of(const place::PlacedRecords& records, const place::Placed& placed) {
  const auto holder = os::lock_holder(lock_path(records, placed));
  return holder ? std::optional<std::int64_t>(holder->pid) : std::nullopt;
}

void ensure_port_carrier(
    const place::PlacedRecords& records, const place::Placed& placed, const std::string& program) {
  if (port_carrier_of(records, placed)) {
    return;
  }
  const os::Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  os::Command command;
  command.argv = {program, "carry", records.base(), placed.key};
  command.env = place::environment_of_slurm();
  command.cwd = "/";
  command.fds = {{0, nothing.get()}, {1, nothing.get()}, {2, nothing.get()}};
  command.new_session = true;
  os::spawn(command).release();
}

void end_port_carrier(const place::PlacedRecords& records, const place::Placed& placed) {
  const auto carrier = port_carrier_of(records, placed);
  const auto process = carrier ? os::process_id_of(static_cast<pid_t>(*carrier)) : std::nullopt;
  if (process) {
    os::kill_and_wait(*process, k_patience_with_carrier);
  }
}

} // namespace pyro::node
