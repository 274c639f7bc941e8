#include "first_services.hpp"

#include <fmt/ranges.h>

#include <vector>

namespace pyro::workspace {

namespace {

std::string redis_service(const Database& database) {
  return fmt::format(
      "  redis:                           # found in {}\n"
      "    command: redis-server --save \"\"  # keeps nothing in files: empty at each start\n"
      "    readiness: {{tcp: 6379}}\n",
      database.sign);
}

std::string postgresql_services(const Database& database, const std::string& migrations) {
  auto text = fmt::format(
      "  postgresql:                      # found in {}\n"
      "    command: [/usr/lib/postgresql/15/bin/postgres, -D, /etc/postgresql/15/main]\n"
      "    user: postgres\n"
      "    readiness: {{exec: pg_isready -q -h 127.0.0.1}}\n"
      "    stop: {{signal: SIGINT, grace: 20s}}\n"
      "    # ports: [\"5432\"]              # to reach it from outside\n"
      "  database:\n"
      "    oneshot: {{per: content}}        # once: snapshots hold what it made\n"
      "    command: psql -U postgres -d postgres -c 'CREATE ROLE app SUPERUSER LOGIN' -c 'CREATE DATABASE "
      "app OWNER app'\n"
      "    depends_on: [postgresql]\n",
      database.sign);
  if (migrations.empty()) {
    text += "  # migrate:\n"
            "  #   oneshot: {per: content}\n"
            "  #   command: psql -f schema.sql\n"
            "  #   depends_on: [database]\n";
  } else {
    text += fmt::format(
        "  migrate:\n"
        "    oneshot: {{per: content}}\n"
        "    command: {}\n"
        "    depends_on: [database]\n",
        migrations);
  }
  return text;
}

} // namespace

std::string install_packages(const std::vector<std::string>& packages) {
  return fmt::format(
      "apt-get update && apt-get install -y --no-install-recommends {} && apt-get clean && rm -r "
      "/var/lib/apt/lists/*",
      fmt::join(packages, " "));
}

std::string postgresql_step() {
  return fmt::format(
      "    - id: postgresql\n"
      "      run: |\n"
      "        {} || exit\n"
      "        # Nobody but the sandbox reaches it: no passwords\n"
      "        printf '%s\\n' 'local all all trust' 'host all all 127.0.0.1/32 trust' > "
      "/etc/postgresql/15/main/pg_hba.conf\n",
      install_packages({"postgresql-15"}));
}

std::string database_variables(const Database& database) {
  if (database.kind == Database::Kind::redis) {
    return "    REDIS_URL: redis://127.0.0.1:6379\n";
  }
  return "    DATABASE_URL: postgresql://app@127.0.0.1:5432/app\n"
         "    PGHOST: 127.0.0.1\n"
         "    PGUSER: app\n"
         "    PGDATABASE: app\n";
}

std::string services_text(const CheckoutLook& look) {
  std::string services;
  for (const auto& database : look.databases) {
    services += database.kind == Database::Kind::redis ? redis_service(database)
                                                       : postgresql_services(database, look.migrations);
  }
  if (look.has_flask_app) {
    services += "  web:\n"
                "    command: python3 -m flask run --port 5000\n"
                "    ports: [\"5000\"]\n"
                "    readiness: {tcp: 5000}\n";
  }
  if (look.kind == "static") {
    services += "  web:\n"
                "    command: python3 -m http.server 8080\n"
                "    ports: [\"8080\"]\n"
                "    readiness: {http: {port: 8080}}\n";
  }
  std::string text;
  if (!look.compose.empty()) {
    text = fmt::format("# What becomes of {}, field by field, says docs/from-compose.md.\n", look.compose);
  }
  if (!services.empty()) {
    return text
           + "services:                          # started in order, watched, and ready before apply is "
             "done\n"
           + services;
  }
  return text
         + "# services:                       # started in order, watched, and ready before apply is done\n"
           "#   web:\n"
           "#     command: python3 -m http.server 8080\n"
           "#     readiness: {http: {port: 8080}}\n";
}

} // namespace pyro::workspace
