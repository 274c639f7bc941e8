#include "trust_agreements.hpp"

#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/workspace/context/context.hpp>
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

Json show_host_requests(const Context& context, const Project& project) {
  const auto file = read_project_file(project);
  return describe_requests(context, project, file, wanted_requests(context, project, file));
}

Json agree_to_host_requests(const Context& context, const Project& project, const std::string& digest) {
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

Json list_agreements(const Context& context) {
  std::vector<std::string> damaged;
  Json checkouts = Json::array();
  for (const auto& trust : TrustRecords(context.base).list(damaged)) {
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

Json remove_agreements(const Context& context, const std::string& checkout, const Project& project) {
  const auto file = std::filesystem::path(project.directory) / project.file;
  const auto meant = checkout.empty() ? file.parent_path() : std::filesystem::path(checkout);
  auto directory = std::filesystem::weakly_canonical(std::filesystem::absolute(meant)).string();
  while (directory.size() > 1 && directory.back() == '/') {
    directory.pop_back();
  }
  return {{"checkout", directory}, {"removed", TrustRecords(context.base).remove(directory)}};
}

} // namespace pyro::workspace
