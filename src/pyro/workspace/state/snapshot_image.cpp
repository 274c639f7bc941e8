#include "snapshot_image.hpp"

#include <pyro/base/error.hpp>
#include <pyro/environment/skopeo.hpp>
#include <pyro/os/archive_writer.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/random.hpp>
#include <pyro/store/export_area.hpp>
#include <pyro/workspace/context/request_secrets.hpp>

#include <linux/fs.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::workspace {

namespace {

namespace fs = std::filesystem;

os::Compression compression_of(const std::string& name) {
  for (const auto compression : {os::Compression::none, os::Compression::gzip, os::Compression::zstd}) {
    if (os::name_of(compression) == name) {
      return compression;
    }
  }
  throw Error(ErrorCode::invalid_argument, "'{}' is no compression of layers", name)
      .with_hint("there are gzip, zstd and none");
}

fs::path checked_output(const std::string& output) {
  auto path = fs::absolute(output).lexically_normal();
  if (!path.has_filename()) {
    path = path.parent_path(); // "out/"
  }
  if (os::exists(path.string())) {
    throw Error(ErrorCode::already_exists, "output_path already exists: {}", path.string());
  }
  if (!os::is_directory(path.parent_path().string())) {
    throw Error(ErrorCode::input_missing, "the directory of output_path does not exist: {}", path.string());
  }
  return path;
}

std::function<void(const std::string&)> told_by(Context& context, const std::string& kind) {
  return [&context, kind](const std::string& line) {
    context.emit(kind, "snapshot", line);
  };
}

void write_layout_archive(const std::string& layout, const std::string& file) {
  const auto output = os::open_file(file, O_WRONLY | O_CREAT | O_EXCL, 0644);
  os::ArchiveOptions options;
  options.max_mtime = 0; // nothing but the content is in it
  options.metadata = os::Metadata::fixed;
  os::write_archive(os::open_directory(layout).get(), output.get(), options);
  if (::fsync(output.get()) != 0) {
    throw Error::from_errno(errno, "fsync " + file);
  }
}

} // namespace

oci::OciExport image_of(
    const store::WorkspaceRecord& workspace, const store::SnapshotRecord& snapshot,
    const ImagePacking& packing) {
  if (!snapshot.host_directories.empty()) {
    throw Error(
        ErrorCode::bad_state, "the snapshot {} cannot leave this machine: it stands on this machine's own {}",
        snapshot.name, snapshot.host_directories.front().path)
        .with_hint("only snapshots of other environments than `host` are whole, for example of debian:12");
  }
  oci::OciExport image;
  image.layers = snapshot.layers;
  image.tag = packing.tag.empty() ? snapshot.name : packing.tag;
  image.process.env = workspace.env;
  remove_request_variables(image.process.env); // whoever runs it has no gateway of ours
  image.process.user = workspace.user;
  image.process.workdir = workspace.workdir;
  image.compression = compression_of(packing.compression);
  return image;
}

oci::OciExportReport export_image(Context& context, const oci::OciExport& image, const std::string& output) {
  const auto path = checked_output(output);
  store::remove_abandoned_exports(context.base.exports());
  store::ExportArea area(path.string(), context.base.exports());
  const auto layout = area.path() + "/layout";
  os::make_directories(layout, 0755);
  auto report = oci::export_oci_layout(context.layers, image, layout, told_by(context, "note"));
  if (path.extension() == ".tar") {
    write_layout_archive(layout, area.path() + "/archive");
    area.place("archive");
  } else {
    os::sync_tree(layout);
    area.place("layout");
  }
  os::sync_directory(path.parent_path().string());
  return report;
}

environment::ImageReference registry_reference(const std::string& reference) {
  auto parsed =
      environment::parse_image(reference.starts_with("docker://") ? reference : "docker://" + reference, "/");
  if (parsed.name.find('@') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "'{}' names a digest: what is pushed gets its own", reference)
        .with_hint("name a tag: registry.example/team/app:1");
  }
  return parsed;
}

oci::OciExportReport
push_image(Context& context, const oci::OciExport& image, const environment::ImageReference& reference) {
  const auto scratch = context.layers.stage();
  const auto layout = scratch.directory() + "/layout";
  os::make_directories(layout);
  auto report = oci::export_oci_layout(context.layers, image, layout, told_by(context, "note"));
  environment::copy_image(
      {"oci:layout:" + image.tag, reference.canonical(), scratch.directory(),
       environment::RegistryAccess::agreed},
      told_by(context, "log"));
  return report;
}

ImportedImage import_image(Context& context, const std::string& source) {
  const auto here = os::working_directory();
  auto image = source;
  if (os::is_directory(source)) {
    image = "oci:" + fs::absolute(source).string() + "/";
  } else if (os::exists(source)) {
    image = "oci-archive:" + fs::absolute(source).string();
  }
  auto reference = environment::parse_image(image, here);
  reference.access = environment::RegistryAccess::agreed;
  environment::find_source(reference, here, environment::Symlinks::followed);
  if (!environment::is_oci(reference.kind)) {
    throw Error(ErrorCode::invalid_argument, "'{}' is no OCI image", source)
        .with_hint("a directory or .tar of `pyro snapshot export`, or docker://NAME");
  }
  const auto scratch = context.layers.stage();
  const auto place =
      environment::fetch_oci_layout(reference, scratch.directory() + "/scratch", told_by(context, "log"));
  auto imported = environment::import_oci_environment(context.layers, place, told_by(context, "note"));
  auto tag = reference.variant;
  if (tag.empty()) {
    tag = oci::OciLayout(place.path).image(place.tag).descriptor.ref_name;
  }
  if (reference.kind == environment::ImageKind::registry) {
    const auto colon = reference.name.rfind(':');
    tag = reference.name.substr(colon + 1);
  }
  return {{std::move(imported.layers), {}}, tag};
}

} // namespace pyro::workspace
