// What pyro.yaml files may take from this machine: shown, agreed to, listed, taken back.
#include "manager.hpp"
#include "manager_state.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/workspace/context/project.hpp>
#include <pyro/workspace/context/trust.hpp>

#include <filesystem>

namespace pyro::workspace {

namespace {

Json describe(const Agreement& agreement) {
  return {
      {"digest", agreement.digest},
      {"file", agreement.file},
      {"profile", agreement.profile},
      {"requests", to_json(agreement.requests)},
      {"agreed_at", agreement.agreed_at}};
}

} // namespace

Json Manager::trust_show(const Project& project) {
  const auto file = read_project_file(project);
  const auto& context = m_state->context;
  return describe_requests(context, project, file, wanted_requests(context, project, file));
}

Json Manager::trust_agree(const Project& project, const std::string& digest) {
  auto& context = m_state->context;
  const auto file = read_project_file(project);
  const auto requests = wanted_requests(context, project, file);
  if (!digest.empty() && digest != digest_of(requests)) {
    throw Error(ErrorCode::stale, "{} wants other things by now than those that were looked at", file.shown)
        .with_hint("look at the list again: `pyro trust`");
  }
  auto document = describe_requests(context, project, file, requests);
  if (!requests.empty()) {
    TrustRecords(context.base).agree({file.directory, file.file, project.profile}, requests);
  }
  document["agreed"] = true;
  return document;
}

Json Manager::trust_list() {
  std::vector<std::string> damaged;
  Json checkouts = Json::array();
  for (const auto& trust : TrustRecords(m_state->context.base).list(damaged)) {
    Json agreements = Json::array();
    for (const auto& agreement : trust.agreements) {
      agreements.push_back(describe(agreement));
    }
    checkouts.push_back(
        {{"checkout", trust.checkout},
         {"present", os::is_directory(trust.checkout)},
         {"agreements", agreements}});
  }
  return {{"count", checkouts.size()}, {"checkouts", checkouts}, {"damaged", damaged}};
}

Json Manager::trust_remove(const std::string& checkout, const Project& project) {
  const auto file = std::filesystem::path(project.directory) / project.file;
  const auto meant = checkout.empty() ? file.parent_path() : std::filesystem::path(checkout);
  auto directory = std::filesystem::weakly_canonical(std::filesystem::absolute(meant)).string();
  while (directory.size() > 1 && directory.back() == '/') {
    directory.pop_back();
  }
  return {{"checkout", directory}, {"removed", TrustRecords(m_state->context.base).remove(directory)}};
}

} // namespace pyro::workspace
