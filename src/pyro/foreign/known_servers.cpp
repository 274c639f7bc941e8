#include "known_servers.hpp"

#include "reading.hpp"

#include <fmt/format.h>

#include <array>

namespace pyro::foreign {

namespace {

/// A server that needs no more than its package.
struct Server {
  std::string_view image;
  std::string_view package;
  std::string_view command;
  std::string_view readiness;
};

constexpr std::array k_servers{
    Server{"redis", "redis-server", "redis-server --save \"\"", "{tcp: 6379}"},
    Server{"valkey", "redis-server", "redis-server --save \"\"", "{tcp: 6379}"},
    Server{"memcached", "memcached", "memcached -u nobody", "{tcp: 11211}"},
    Server{"beanstalkd", "beanstalkd", "beanstalkd", "{tcp: 11300}"},
    Server{"nats", "nats-server", "nats-server", "{tcp: 4222}"},
    Server{"mosquitto", "mosquitto", "mosquitto", "{tcp: 1883}"},
};

std::string
value_or(const std::map<std::string, std::string>& env, const char* name, const std::string& otherwise) {
  const auto found = env.find(name);
  return found == env.end() || found->second.empty() ? otherwise : found->second;
}

bool is_identifier(const std::string& text) {
  return !text.empty()
         && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
                == std::string::npos;
}

/// The package makes the cluster; the role and the database of the container are made once.
void add_postgresql(Draft& draft, const std::string& name, const std::map<std::string, std::string>& env) {
  draft.setup.insert(
      draft.setup.end(),
      {fmt::format("- id: {}", name),
       "  apt: [postgresql-15]            # of Debian 12: another release has another number"});
  draft.setup.insert(
      draft.setup.end(),
      {fmt::format("- id: {}-access             # nobody but the sandbox reaches it: no passwords", name),
       "  run: printf '%s\\n' 'local all all trust' 'host all all 127.0.0.1/32 trust' > "
       "/etc/postgresql/15/main/pg_hba.conf"});
  draft.services.push_back(
      {name,
       "Debian's PostgreSQL 15",
       {"command: [/usr/lib/postgresql/15/bin/postgres, -D, /etc/postgresql/15/main]", "user: postgres",
        "readiness: {exec: pg_isready -q -h 127.0.0.1}", "stop: {signal: SIGINT, grace: 20s}"}});
  const auto user = value_or(env, "POSTGRES_USER", "postgres");
  const auto database = value_or(env, "POSTGRES_DB", user);
  if (!is_identifier(user) || !is_identifier(database)) {
    return; // of a variable: whoever reads the file knows it
  }
  std::string statements;
  if (user != "postgres") {
    statements += fmt::format(" -c 'CREATE ROLE \"{}\" SUPERUSER LOGIN'", user);
  }
  if (database != "postgres") {
    statements += fmt::format(" -c 'CREATE DATABASE \"{}\" OWNER \"{}\"'", database, user);
  }
  if (!statements.empty()) {
    draft.services.push_back(
        {name + "-database",
         "what the container made at its first start",
         {"oneshot: {per: content}",
          fmt::format("command: {}", quoted("psql -U postgres -d postgres" + statements)),
          fmt::format("depends_on: [{}]", name)}});
  }
}

} // namespace

std::string base_name(const std::string& image) {
  auto name = image.substr(image.rfind('/') == std::string::npos ? 0 : image.rfind('/') + 1);
  return name.substr(0, name.find_first_of(":@"));
}

bool add_known_server(
    Draft& draft, const std::string& name, const std::string& image,
    const std::map<std::string, std::string>& env) {
  const auto base = base_name(image);
  if (base == "postgres" || base == "postgis") {
    add_postgresql(draft, name, env);
    return true;
  }
  for (const auto& server : k_servers) {
    if (base == server.image) {
      draft.setup.push_back(fmt::format("- {{id: {}, apt: [{}]}}", name, server.package));
      draft.services.push_back(
          {name,
           fmt::format("Debian's {} instead of {}", server.package, image),
           {fmt::format("command: {}", server.command), fmt::format("readiness: {}", server.readiness)}});
      return true;
    }
  }
  return false;
}

} // namespace pyro::foreign
