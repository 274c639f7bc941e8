#include "network_log.hpp"

#include <pyro/base/error.hpp>
#include <pyro/egress/rule.hpp>
#include <pyro/events/journal.hpp>
#include <pyro/workspace/context/context.hpp>
#include <pyro/workspace/context/network_policy.hpp>
#include <pyro/workspace/state/locate.hpp>

#include <algorithm>
#include <set>

namespace pyro::workspace {

namespace {

std::vector<Json> all_records(const std::string& runtime) {
  auto records = events::Journal(runtime + "/network").read("", std::string::npos, "").events;
  std::erase_if(records, [](const Json& record) {
    return !record.value("ts", Json()).is_number() || !record.value("verdict", Json()).is_string();
  });
  for (auto& record : records) {
    record["at"] = record["ts"];
    record.erase("ts");
  }
  return records;
}

Json counted(const std::vector<Json>& records) {
  std::map<std::pair<std::string, std::int64_t>, Json> hosts;
  for (const auto& record : records) {
    auto& host = hosts[{string_or(record, "host", ""), int_or(record, "port", 0)}];
    if (host.is_null()) {
      host = {
          {"host", string_or(record, "host", "")},
          {"port", int_or(record, "port", 0)},
          {"allowed", 0},
          {"denied", 0},
          {"failed", 0}};
    }
    const auto verdict = get_string(record, "verdict");
    host[verdict] = int_or(host, verdict, 0) + int_or(record, "count", 1);
    host["last_at"] = get_double(record, "at");
    host["protocol"] = string_or(record, "protocol", "");
    host["rule"] = string_or(record, "rule", "");
    host["reason"] = string_or(record, "reason", "");
  }
  std::vector<Json> list;
  for (auto& [key, host] : hosts) {
    list.push_back(std::move(host));
  }
  std::stable_sort(list.begin(), list.end(), [](const Json& a, const Json& b) {
    return get_double(a, "last_at") > get_double(b, "last_at");
  });
  return list;
}

/// Names only: which address was meant by one, nobody here can know.
Json proposal_of(const std::vector<Json>& records) {
  std::set<std::string> rules;
  for (const auto& record : records) {
    const auto name = egress::host_name(string_or(record, "host", ""));
    if (!name || get_string(record, "verdict") == "failed") {
      continue;
    }
    const auto port = int_or(record, "port", 0);
    rules.insert(to_string(egress::rule_for(*name, static_cast<std::uint16_t>(port))));
  }
  return rules;
}

} // namespace

Json network_log(
    Context& context, const std::string& workspace, const Project& project,
    const NetworkLogRequest& request) {
  context.base.prepare();
  const auto located = locate(context, workspace, project);
  const auto record = load_and_recover(context, located.id);
  const auto records = all_records(store::WorkspacePaths(context.base, located.id).runtime());
  Json shown = Json::array();
  for (const auto& one : records) {
    if (!request.denied || get_string(one, "verdict") != "allowed") {
      shown.push_back(one);
    }
  }
  const auto count = static_cast<std::int64_t>(shown.size());
  if (count > request.tail) {
    shown.erase(shown.begin(), shown.begin() + (count - request.tail));
  }
  return {{"workspace_id", record.id}, {"name", record.name},       {"egress", record.egress},
          {"records", shown},          {"hosts", counted(records)}, {"proposal", proposal_of(records)}};
}

} // namespace pyro::workspace
