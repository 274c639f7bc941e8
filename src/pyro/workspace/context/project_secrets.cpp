#include "project_secrets.hpp"

#include "request_secrets.hpp"

#include <pyro/base/error.hpp>

namespace pyro::workspace {

namespace {

std::string source_of(const spec::Secret& secret) {
  switch (secret.source) {
  case spec::SecretSource::env:
    return "the variable " + secret.from;
  case spec::SecretSource::file:
    return "the file " + secret.from;
  case spec::SecretSource::command:
    break;
  }
  return "the command " + secret.from;
}

} // namespace

ProjectSecrets::ProjectSecrets(
    const Context& context, const LoadedProject& project, std::optional<SecretValues> delivered)
    : m_context(&context), m_directory(project.directory), m_is_delivered_known(delivered.has_value()),
      m_delivered(std::move(delivered).value_or(SecretValues{})) {
  for (const auto& [name, secret] : project.spec.secrets) {
    m_declared[name] = {secret, project.spec.place("secrets." + name), std::nullopt};
  }
}

const std::optional<std::string>& ProjectSecrets::look(const std::string& name) {
  auto& declared = m_declared.at(name);
  if (!declared.found) {
    try {
      declared.found = declared_secret(declared.secret, m_directory);
      if (*declared.found && declared.secret.is_for_requests()) {
        declared.found = header_value(**declared.found);
      }
    } catch (Error& error) {
      throw error.add_context("secret " + name).at(declared.place);
    }
  }
  return *declared.found;
}

Error ProjectSecrets::missing(const std::string& name) const {
  const auto& declared = m_declared.at(name);
  Error error(
      ErrorCode::input_missing, "the secret {} is not set ({} is not there)", name,
      source_of(declared.secret));
  error.at(declared.place);
  error.with_hint(
      declared.secret.source == spec::SecretSource::env
          ? fmt::format("set {} and run it again, or write `required: false`", declared.secret.from)
          : "make it and run it again, or write `required: false`");
  return error;
}

const std::string* ProjectSecrets::value(const std::string& name) {
  if (const auto known = m_values.find(name); known != m_values.end()) {
    return &known->second;
  }
  const auto& declared = m_declared.at(name);
  if (const auto& found = look(name)) {
    return &(m_values[name] = *found);
  }
  if (const auto before = m_delivered.find(name); before != m_delivered.end()) {
    m_context->emit(
        "note", "secrets." + name,
        fmt::format(
            "{} is not there: the value that the workspace has is used again", source_of(declared.secret)));
    return &(m_values[name] = before->second);
  }
  if (declared.secret.required) {
    throw missing(name);
  }
  return nullptr;
}

void ProjectSecrets::read(const std::set<std::string>& names) {
  for (const auto& name : names) {
    value(name);
  }
}

std::optional<Error> ProjectSecrets::problem(const std::string& name) {
  const auto& declared = m_declared.at(name);
  if (declared.secret.source == spec::SecretSource::command) {
    return std::nullopt;
  }
  try {
    const bool is_there = look(name).has_value() || m_delivered.contains(name);
    return is_there || !declared.secret.required ? std::nullopt : std::optional(missing(name));
  } catch (const Error& error) {
    return error;
  }
}

bool ProjectSecrets::is_changed(const std::string& name) {
  const auto& secret = m_declared.at(name).secret;
  if (!m_is_delivered_known || secret.source == spec::SecretSource::command) {
    return false;
  }
  try {
    const auto& found = look(name);
    const auto before = m_delivered.find(name);
    return found && (before == m_delivered.end() || before->second != *found);
  } catch (const Error&) {
    return secret
        .is_for_requests(); // it was usable when it was delivered; who plans says what is wrong with it
  }
}

std::set<std::string> secrets_at_run_time(const spec::Spec& spec) {
  auto names = request_secrets(spec);
  for (const auto& [name, service] : spec.services) {
    names.insert(service.secrets.begin(), service.secrets.end());
  }
  return names;
}

} // namespace pyro::workspace
