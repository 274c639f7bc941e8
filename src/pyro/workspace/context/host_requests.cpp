#include "host_requests.hpp"

#include <pyro/base/error.hpp>
#include <pyro/egress/reserved.hpp>
#include <pyro/egress/rule.hpp>
#include <pyro/environment/image.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <tuple>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

/// Behind a path that can be written to, which is more than to read it.
constexpr std::string_view k_writable = " (read and write)";

constexpr std::array<std::string_view, 7> k_request_kinds{"command", "environment", "path",    "listen",
                                                          "cache",   "network",     "registry"};

bool has_host_variable(std::string_view text) {
  return text.find("${env:") != std::string_view::npos;
}

auto request_key(const HostRequest& request) {
  return std::tie(request.kind, request.what, request.address);
}

std::string normal_path(const std::string& directory, const std::string& path) {
  auto whole = (fs::path(directory) / path).lexically_normal().string();
  while (whole.size() > 1 && whole.back() == '/') {
    whole.pop_back();
  }
  return whole;
}

bool only_for_this_machine(const std::string& address) {
  return address.starts_with("127.") || address == "localhost" || address == "::1" || address == "[::1]";
}

/// May it be an address of this machine, of its cloud or of a network around it?
bool names_what_is_near(const egress::Rule& rule) {
  const auto overlaps = [&](const Destination& reserved) {
    return covers(reserved, rule.range) || covers(rule.range, reserved);
  };
  const auto overlaps_any = [&](const std::vector<Destination>& all) {
    return std::any_of(all.begin(), all.end(), overlaps);
  };
  return rule.kind == egress::RuleKind::range
         && (overlaps_any(egress::forbidden_destinations()) || overlaps_any(egress::private_destinations()));
}

class Collector {
public:
  Collector(const spec::Spec& spec, const std::string& directory) : m_spec(spec), m_directory(directory) {}

  HostRequests collect() {
    for (const auto& variable : m_spec.host_variables) {
      add(HostRequestKind::environment, variable.name, variable.address);
    }
    add_secrets();
    add_image();
    if (!m_spec.environment.ca.empty()) {
      add_path(m_spec.environment.ca, "environment.ca");
    }
    add_path(m_spec.seed.from, "seed.from");
    for (std::size_t i = 0; i < m_spec.mounts.size(); ++i) {
      add_mount(m_spec.mounts[i], fmt::format("mounts[{}].from", i));
    }
    for (const auto& [name, service] : m_spec.services) {
      add_service(name, service);
    }
    add_egress(m_spec.network_egress, "network.egress");
    for (const auto& step : m_spec.environment.setup) {
      add_caches(step, "environment.setup.");
      add_egress(step.egress, fmt::format("environment.setup.{}.egress", step.id));
    }
    for (const auto& step : m_spec.prepare) {
      add_caches(step, "prepare.");
    }
    std::sort(m_requests.begin(), m_requests.end());
    m_requests.erase(std::unique(m_requests.begin(), m_requests.end()), m_requests.end());
    return std::move(m_requests);
  }

private:
  void add(HostRequestKind kind, std::string what, const std::string& address) {
    m_requests.push_back({kind, std::move(what), address, m_spec.place(address)});
  }

  /// A value that the host did not tell can become any path.
  bool is_unknown(const std::string& text) const { return !m_spec.complete && has_host_variable(text); }

  void add_path(
      const std::string& path, const std::string& address,
      spec::MountMode mode = spec::MountMode::read_only) {
    const auto suffix = mode == spec::MountMode::read_write ? k_writable : "";
    if (is_unknown(path)) {
      add(HostRequestKind::path, fmt::format("{}{}", path, suffix), address);
    } else if (!relative_inside(m_directory, path)) {
      add(HostRequestKind::path, fmt::format("{}{}", normal_path(m_directory, path), suffix), address);
    }
  }

  /// What runs inside may change what is written to: also in the checkout, where people run what they find
  /// (hooks, scripts, this very file).
  void add_mount(const spec::Mount& mount, const std::string& address) {
    const bool is_told = !is_unknown(mount.from) && relative_inside(m_directory, mount.from);
    if (is_told && mount.mode == spec::MountMode::read_write) {
      add(HostRequestKind::path, normal_path(m_directory, mount.from).append(k_writable), address);
    } else {
      add_path(mount.from, address, mount.mode);
    }
  }

  void add_secrets() {
    for (const auto& [name, secret] : m_spec.secrets) {
      const auto address = "secrets." + name;
      const auto hosts =
          secret.is_for_requests() ? fmt::format(" for {}", fmt::join(secret.hosts, ", ")) : std::string();
      switch (secret.source) {
      case spec::SecretSource::command:
        add(HostRequestKind::command, secret.from + hosts, address);
        break;
      case spec::SecretSource::env:
        add(HostRequestKind::environment, secret.from + hosts, address);
        break;
      case spec::SecretSource::file:
        add_path(secret.from, address);
        break;
      }
    }
  }

  void add_image() {
    const auto& image = m_spec.environment.image;
    const std::string address = "environment.image";
    if (is_unknown(image)) {
      add(HostRequestKind::path, image, address);
      return;
    }
    try {
      const auto reference = environment::parse_image(image, m_directory);
      if (!reference.path.empty()) {
        add_path(reference.path, address);
      } else if (reference.kind == environment::ImageKind::registry) {
        add(HostRequestKind::registry, reference.name, address);
      }
    } catch (const Error&) {
      return; // no image at all: it is refused where it is looked for
    }
  }

  void add_caches(const spec::Step& step, const std::string& above) {
    for (std::size_t i = 0; i < step.cache.size(); ++i) {
      if (step.cache[i].share == spec::CacheShare::machine) {
        add(HostRequestKind::cache, step.cache[i].path, fmt::format("{}{}.cache[{}]", above, step.id, i));
      }
    }
  }

  void add_egress(const spec::Egress& egress, const std::string& address) {
    for (const auto& host : egress.hosts) {
      if (is_unknown(host) || names_what_is_near(egress::rule_from(host))) {
        add(HostRequestKind::network, host, address);
      }
    }
  }

  void add_service(const std::string& name, const spec::Service& service) {
    const auto address = "services." + name;
    for (std::size_t i = 0; i < service.env_file.size(); ++i) {
      add_path(service.env_file[i], fmt::format("{}.env_file[{}]", address, i));
    }
    for (std::size_t i = 0; i < service.ports.size(); ++i) {
      const auto& port = service.ports[i];
      if (!only_for_this_machine(port.address)) {
        add(HostRequestKind::listen,
            fmt::format(
                "{}:{}", port.address, port.host_port ? std::to_string(*port.host_port) : "a free port"),
            fmt::format("{}.ports[{}]", address, i));
      }
    }
  }

  const spec::Spec& m_spec;
  const std::string& m_directory;
  HostRequests m_requests;
};

} // namespace

std::string_view name_of(HostRequestKind kind) {
  return k_request_kinds.at(static_cast<std::size_t>(kind));
}

bool is_needed(const HostRequest& request) {
  return request.kind != HostRequestKind::registry || environment::is_private_registry(request.what);
}

bool HostRequest::operator==(const HostRequest& other) const {
  return request_key(*this) == request_key(other);
}

bool HostRequest::operator<(const HostRequest& other) const {
  return request_key(*this) < request_key(other);
}

HostRequests host_requests(const spec::Spec& spec, const std::string& directory) {
  return Collector(spec, directory).collect();
}

HostRequests untold_requests(const HostRequests& told, const HostRequests& complete) {
  HostRequests untold;
  for (const auto& request : complete) {
    const bool is_told = std::any_of(told.begin(), told.end(), [&](const HostRequest& known) {
      return known == request
             || (known.kind == request.kind && known.address == request.address
                 && has_host_variable(known.what)
                 && known.what.ends_with(k_writable) == request.what.ends_with(k_writable));
    });
    if (!is_told) {
      untold.push_back(request);
    }
  }
  return untold;
}

HexDigest digest_of(const HostRequests& requests) {
  auto sorted = requests;
  std::sort(sorted.begin(), sorted.end());
  Sha256 digest;
  digest.field("host requests, 1");
  for (const auto& request : sorted) {
    digest.field(name_of(request.kind)).field(request.what).field(request.address);
  }
  return digest.finish();
}

HostRequests added_requests(const HostRequests& requests, const HostRequests& known) {
  HostRequests added;
  std::copy_if(requests.begin(), requests.end(), std::back_inserter(added), [&](const HostRequest& request) {
    return std::find(known.begin(), known.end(), request) == known.end();
  });
  return added;
}

Json to_json(const HostRequest& request) {
  return {
      {"kind", name_of(request.kind)},
      {"what", request.what},
      {"needed", is_needed(request)},
      {"address", request.address},
      {"position",
       {{"file", request.place.file}, {"line", request.place.line}, {"column", request.place.column}}}};
}

Json to_json(const HostRequests& requests) {
  Json list = Json::array();
  for (const auto& request : requests) {
    list.push_back(to_json(request));
  }
  return list;
}

HostRequests host_requests_from_json(const Json& list) {
  HostRequests requests;
  for (const auto& item : list) {
    const auto kind = std::find(k_request_kinds.begin(), k_request_kinds.end(), get_string(item, "kind"));
    if (kind == k_request_kinds.end()) {
      throw Error(ErrorCode::protocol, "'{}' is no kind of request", get_string(item, "kind"));
    }
    const auto& place = value_at(item, "position");
    requests.push_back(
        {static_cast<HostRequestKind>(kind - k_request_kinds.begin()),
         get_string(item, "what"),
         get_string(item, "address"),
         {get_string(place, "file"), static_cast<int>(get_int(place, "line")),
          static_cast<int>(get_int(place, "column"))}});
  }
  return requests;
}

std::string to_string(const HostRequest& request) {
  return fmt::format("{} {}: {}", name_of(request.kind), request.address, request.what);
}

std::optional<std::string> relative_inside(const std::string& directory, const std::string& path) {
  const auto relative =
      fs::path(normal_path(directory, path)).lexically_relative(normal_path(directory, ".")).string();
  const bool climbs = relative.empty() || relative == ".." || relative.starts_with("../");
  return climbs ? std::nullopt : std::optional<std::string>(relative);
}

} // namespace pyro::workspace
