#include "oci.hpp"

#include "skopeo.hpp"
#include "tree.hpp"

#include <pyro/base/error.hpp>
#include <pyro/oci/import.hpp>
#include <pyro/os/archive_reader.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/inside.hpp>
#include <pyro/store/layered_view.hpp>

#include <array>
#include <cerrno>
#include <filesystem>
#include <unistd.h>

namespace pyro::environment {

namespace {

namespace fs = std::filesystem;

void require_file(const std::string& path) {
  if (!os::exists(path)) {
    throw Error(ErrorCode::input_missing, "the image archive {} does not exist", path);
  }
}

/// It is where commands start, and made where it is missing: no way out of the root may be in it.
std::string checked_workdir(const std::string& workdir) {
  if (workdir.empty()) {
    return "";
  }
  const auto path = fs::path(workdir).lexically_normal();
  const bool leaves =
      std::any_of(path.begin(), path.end(), [](const fs::path& name) { return name == ".."; });
  if (!path.is_absolute() || leaves) {
    throw Error(ErrorCode::invalid_argument, "the image's WorkingDir '{}' is no absolute path", workdir);
  }
  auto text = path.string();
  while (text.size() > 1 && text.back() == '/') {
    text.pop_back();
  }
  return text;
}

Json details_of(const oci::OciImage& image, const std::string& workdir, const oci::OciImportReport& report) {
  Json env = Json::array();
  for (const auto& [name, value] : image.config.env) {
    env.push_back(name + "=" + value);
  }
  return {
      {"manifest", "sha256:" + image.descriptor.digest},
      {"configuration", "sha256:" + image.manifest.config.digest},
      {"user", image.config.user},
      {"workdir", workdir},
      {"env", env},
      {"command", image.config.entrypoint},
      {"image_layers", image.manifest.layers.size()},
      {"dropped_xattrs", report.dropped_xattrs},
      {"left_out", report.left_out}};
}

/// What the merged tree lacks. With the ids of the inside.
PlannedTree missing_parts(const store::LayeredView& view, const std::string& workdir) {
  PlannedTree plan;
  const auto root = view.root().sources().empty() ? std::optional<store::Found>() : view.root().self();
  const auto like = [](const store::Found& found) {
    return planned_like(PlannedEntry::Kind::directory, found.status);
  };
  for (const auto& [path, mode] : k_mount_points) {
    if (!view.lookup(path)) {
      plan[path] = planned_directory(mode);
    }
  }
  const auto etc = view.lookup("etc");
  for (const auto& [name, content] : std::array<std::pair<std::string, std::string>, 4>{
           {{"etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"},
            {"etc/group", "root:x:0:\n"},
            {"etc/hosts", std::string(k_hosts_file)},
            {"etc/resolv.conf", resolver_configuration()}}}) {
    if ((etc && !etc->is_directory()) || view.lookup(name)) {
      continue; // a link of the image's stays the image's
    }
    plan.try_emplace("etc", etc ? like(*etc) : planned_directory());
    plan[name] = planned_file(content);
  }
  if (!workdir.empty() && workdir != "/" && !view.lookup(workdir)) {
    std::string path;
    for (const auto& name : store::path_components(workdir)) {
      path += (path.empty() ? "" : "/") + name;
      const auto found = view.lookup(path);
      if (found && !found->is_directory()) {
        break;
      }
      plan.try_emplace(path, found ? like(*found) : planned_directory());
    }
  }
  if (!plan.empty() && root) {
    plan[""] = like(*root);
  }
  return plan;
}

Json to_json(const PlannedTree& plan) {
  Json entries = Json::array();
  for (const auto& [path, entry] : plan) {
    entries.push_back(
        {path, static_cast<int>(entry.kind), entry.mode, entry.uid, entry.gid, entry.mtime.tv_sec,
         entry.mtime.tv_nsec, entry.text});
  }
  return entries;
}

PlannedTree plan_from_json(const Json& entries) {
  PlannedTree plan;
  for (const auto& each : entries) {
    PlannedEntry entry;
    entry.kind = static_cast<PlannedEntry::Kind>(each[1].get<int>());
    entry.mode = each[2].get<mode_t>();
    entry.uid = each[3].get<uid_t>();
    entry.gid = each[4].get<gid_t>();
    entry.mtime = {each[5].get<time_t>(), each[6].get<long>()};
    entry.text = each[7].get<std::string>();
    plan[each[0].get<std::string>()] = std::move(entry);
  }
  return plan;
}

/// A layer with what is missing, on top of the others.
void complete(const store::LayerStore& store, std::vector<HexDigest>& layers, const std::string& workdir) {
  const auto& space = os::IdSpace::current();
  const auto plan = plan_from_json(space.run([&] {
    const auto stack = store::Stack::of(store.trees(layers));
    return to_json(missing_parts(store::LayeredView(stack), workdir));
  }));
  if (plan.empty()) {
    return;
  }
  auto staging = store.stage();
  write_planned_tree(plan, staging.tree());
  const auto manifest = store::manifest_from_json(space.run([&]() -> Json {
    return store::to_json(store.publish(std::move(staging), {"image", "mount points"}));
  }));
  layers.push_back(manifest.digest);
}

} // namespace

OciProcess oci_process_of(const Json& details) {
  OciProcess process;
  process.user = string_or(details, "user", "");
  process.workdir = string_or(details, "workdir", "");
  for (const auto& variable : strings_or_empty(details, "env")) {
    const auto equals = variable.find('=');
    if (equals != std::string::npos) {
      process.env[variable.substr(0, equals)] = variable.substr(equals + 1);
    }
  }
  return process;
}

HexDigest oci_environment_digest(const oci::OciImage& image) {
  return Sha256()
      .field("oci 1")
      .field(os::IdSpace::current().kind() == os::IdSpace::Kind::single ? "single" : "all")
      .field(image.manifest.config.digest)
      .finish();
}

void unpack_oci_archive(const std::string& archive, const std::string& directory) {
  require_file(archive);
  const auto file = os::open_found_file(archive);
  os::make_directories(directory);
  os::ArchivePolicy policy;
  policy.max_entries = 100'000;
  std::ignore = os::extract_archive_fd(file.get(), archive, os::open_directory(directory).get(), policy);
}

OciPlace fetch_oci_layout(const ImageReference& reference, const std::string& scratch, const OciLines& line) {
  if (reference.kind == ImageKind::oci) {
    return {reference.source, reference.variant};
  }
  os::make_directories(scratch);
  if (reference.kind == ImageKind::oci_archive) {
    unpack_oci_archive(reference.source, scratch + "/layout");
    return {scratch + "/layout", reference.variant};
  }
  SkopeoCopy copy{"docker://" + reference.name, "oci:layout:image", scratch, reference.access};
  os::Fd archive;
  if (reference.kind == ImageKind::docker_archive) {
    require_file(reference.source);
    archive = os::open_found_file(reference.source);
    copy.archive = archive.get();
    // A name without a colon, at which skopeo cuts paths.
    if (::symlink(k_archive_of_skopeo, (scratch + "/archive").c_str()) != 0) {
      throw Error::from_errno(errno, "link to " + reference.source);
    }
    copy.from = "docker-archive:archive" + (reference.variant.empty() ? "" : ":" + reference.variant);
  }
  try {
    copy_image(copy, line);
  } catch (Error& error) {
    throw error.add_context("fetching the image " + reference.text);
  }
  return {scratch + "/layout", "image"};
}

OciEnvironment
import_oci_environment(const store::LayerStore& layers, const OciPlace& place, const OciLines& line) {
  const oci::OciLayout layout(place.path);
  const auto image = layout.image(place.tag);
  const auto workdir = checked_workdir(image.config.workdir);
  const auto report = oci::import_oci_layers(layers, layout, image, line);
  OciEnvironment environment;
  environment.digest = oci_environment_digest(image);
  environment.layers = report.layers;
  environment.details = details_of(image, workdir, report);
  complete(layers, environment.layers, workdir);
  return environment;
}

} // namespace pyro::environment
