#include "render_vm.hpp"

#include "render_parts.hpp"

#include <pyro/base/error.hpp>
#include <pyro/operations/text.hpp>

#include <fmt/format.h>

namespace pyro::cli {

namespace {

std::string network_text(const Json& vm) {
  if (!bool_or(vm, "network_enabled", false)) {
    return "off";
  }
  const auto address = text_at(vm, "guest_ip");
  return address.empty() ? "on" : "on, " + address;
}

std::string machine_size_text(const Json& vm) {
  return fmt::format("{} CPU, {} MiB", int_or(vm, "vcpu_count", 0), int_or(vm, "mem_mib", 0));
}

void add(Table& table, std::string name, const std::string& text) {
  if (!text.empty()) {
    table.add({std::move(name), text});
  }
}

/// "made from" and the like: whatever an environment knows of itself, in one line each.
void add_details(Table& table, const Json& environment) {
  const auto details = environment.find("details");
  if (details == environment.end() || !details->is_object()) {
    return;
  }
  for (const auto& [key, value] : details->items()) {
    if (value.is_array() || value.is_object()) {
      add(table, operations::escape_controls(key), fmt::format("{} entries", value.size()));
    } else {
      add(table, operations::escape_controls(key), text_at(*details, key));
    }
  }
}

} // namespace

std::string render_vm(const Json& vm, Style style, double now) {
  Table table;
  add(table, "vm", text_at(vm, "vm_id"));
  add(table, "name", text_at(vm, "name"));
  add(table, "state", colored_state(text_at(vm, "state"), style));
  add(table, "environment", text_at(vm, "environment"));
  const auto mode = text_at(vm, "execution_mode");
  add(table, "backend", text_at(vm, "backend") + (mode.empty() ? "" : fmt::format(" ({})", mode)));
  add(table, "size", machine_size_text(vm));
  add(table, "network", network_text(vm));
  add(table, "made", age_text(epoch_at(vm, "created_at"), now));
  add(table, "ends", age_text(epoch_at(vm, "expires_at"), now));
  add(table, "error", text_at(vm, "last_error"));
  std::string notes;
  for (const auto& note : list_at(vm, "notes")) {
    notes += fmt::format(
        "note: {}\n", operations::escape_controls(note.is_string() ? note.get<std::string>() : note.dump()));
  }
  return table.text() + notes;
}

std::string render_vm_list(const Json& result, Style style, double now) {
  const auto& vms = list_at(result, "vms");
  Table table;
  table.add({"VM", "NAME", "STATE", "ENVIRONMENT", "SIZE", "NETWORK", "ENDS"});
  for (const auto& vm : vms) {
    table.add(
        {text_at(vm, "vm_id"), text_at(vm, "name"), colored_state(text_at(vm, "state"), style),
         text_at(vm, "environment"), machine_size_text(vm), network_text(vm),
         age_text(epoch_at(vm, "expires_at"), now)});
  }
  return vms.empty() ? "No VMs. `pyro run ENV -- COMMAND` makes one for a command.\n" : table.text();
}

std::string render_vm_network(const Json& info) {
  return network_text(info) + "\n";
}

namespace {

/// What virtual machines start with on this machine, whatever the environment.
void add_kernel(Table& table, const Json& environment) {
  const auto kernel = environment.value("kernel", Json());
  if (!kernel.is_object()) {
    add(table, "kernel of VMs", "none; `pyro env pull debian:12` fetches one");
    return;
  }
  const auto file = [&](const char* name) {
    const auto& part = kernel.value(name, Json::object());
    return text_at(part, "digest").substr(0, 12) + "  " + text_at(part, "path");
  };
  add(table, "kernel of VMs", text_at(kernel, "version"));
  add(table, "kernel", file("kernel"));
  add(table, "initramfs", file("initramfs"));
  for (const auto& package : list_at(kernel, "packages")) {
    add(table, "package", text_at(package, "name") + " " + text_at(package, "version"));
  }
}

} // namespace

std::string render_environment(const Json& environment, double now) {
  Table table;
  add(table, "image", text_at(environment, "image"));
  const auto canonical = text_at(environment, "canonical");
  add(table, "full name", canonical == text_at(environment, "image") ? "" : canonical);
  add(table, "kind", text_at(environment, "kind"));
  add(table, "digest", text_at(environment, "digest"));
  const bool installed = bool_or(environment, "installed", false);
  add(table, "installed", installed ? "yes" : "no; `pyro env pull` installs it");
  if (installed) {
    add(table, "size",
        fmt::format(
            "{} in {} entries", bytes_at(environment, "size_bytes"), int_or(environment, "entry_count", 0)));
    add(table, "made", age_text(epoch_at(environment, "created_at"), now));
    for (const auto& layer : list_at(environment, "layers")) {
      add(table, "layer", text_at(layer, "digest").substr(0, 12) + "  " + text_at(layer, "tree"));
    }
    std::string shown;
    for (const auto& directory : list_at(environment, "host_dirs")) {
      shown += (shown.empty() ? "/" : ", /") + operations::escape_controls(directory.get<std::string>());
    }
    add(table, "from this machine", shown);
    add_details(table, environment);
  }
  add_kernel(table, environment);
  return table.text();
}

} // namespace pyro::cli
