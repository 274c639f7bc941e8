#include "environment.hpp"

#include "debian.hpp"
#include "host.hpp"
#include "import.hpp"
#include "oci.hpp"
#include "recipe.hpp"
#include "reference.hpp"
#include "skopeo.hpp"

#include <pyro/base/error.hpp>
#include <pyro/base/log.hpp>
#include <pyro/base/units.hpp>
#include <pyro/oci/import.hpp>
#include <pyro/os/clock.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/file_lock.hpp>
#include <pyro/os/id_space.hpp>
#include <pyro/os/inside.hpp>
#include <pyro/store/gc.hpp>
#include <pyro/store/records.hpp>

#include <thread>

namespace pyro::environment {

namespace {

using namespace std::chrono_literals;

/// Somebody else may be building a whole distribution.
constexpr auto k_install_patience = 30min;

std::string subject_of(const ImageReference& reference) {
  return "image " + reference.canonical();
}

/// What anybody may have, as opposed to what was fetched with the user's accounts: a file that was not agreed
/// to gets the former alone.
std::string public_subject_of(const ImageReference& reference) {
  return "public image " + reference.canonical();
}

HexDigest digest_of_archive(const HexDigest& file) {
  return Sha256()
      .field("tar")
      .field(os::IdSpace::current().kind() == os::IdSpace::Kind::single ? "single" : "all")
      .field(file)
      .finish();
}

/// Trees that belong to the ids of the inside are removed by them.
void remove_inside(const std::string& path) {
  os::IdSpace::current().run([&] {
    os::remove_tree(path);
    return Json();
  });
}

Environment environment_of(const std::string& image, const EnvironmentRecord& record) {
  Environment environment;
  environment.image = image;
  environment.digest = record.digest;
  environment.layers = record.layers;
  environment.host_dirs = record.host_dirs;
  environment.details = record.details;
  environment.env = {
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, {"LANG", "C.UTF-8"}};
  auto process = oci_process_of(record.details);
  environment.image_env = process.env;
  process.env.merge(environment.env);
  environment.env = std::move(process.env);
  if (!process.user.empty()) {
    environment.default_user = process.user;
  }
  if (!process.workdir.empty()) {
    environment.workdir = process.workdir;
  }
  return environment;
}

} // namespace

/// What a build gave, before it is a layer.
struct Environments::Built {
  std::optional<HexDigest> digest; // empty: made from the layer's
  std::string stamp;               // for fingerprint(); empty: do not remember
  bool remember = false;
  std::vector<std::string> host_dirs;
  Json details = Json::object();
};

std::vector<store::HostDirectory> Environment::host_directories() const {
  std::vector<store::HostDirectory> directories;
  for (const auto& name : host_dirs) {
    directories.push_back({"/" + name, name});
  }
  return directories;
}

Environments::Environments(
    const store::Base& base, const store::LayerStore& layers, EnvironmentProgress progress, std::string cache)
    : m_base(base), m_layers(layers), m_recipes(layers), m_progress(std::move(progress)),
      m_cache(std::move(cache)), m_installs(m_cache, base) {
}

bool Environments::has_other_homes() const {
  return !m_cache.other_homes(m_base.root()).empty();
}

void Environments::note(const std::string& text) const {
  if (m_progress) {
    m_progress("note", text);
  }
}

std::vector<std::string> Environments::private_paths() const {
  return {m_base.root(), m_cache.directory()};
}

/// What the image remembered for this reference was made from. A tag of a registry stays what it was until
/// it is pulled anew.
std::string Environments::stamp_of_source(const ImageReference& reference) const {
  if (reference.kind != ImageKind::oci_archive && reference.kind != ImageKind::docker_archive) {
    return "";
  }
  if (!os::exists(reference.source)) {
    throw Error(ErrorCode::input_missing, "the image archive {} does not exist", reference.path);
  }
  return m_cache.digest_of_file(os::open_found_file(reference.source), reference.source);
}

std::optional<HexDigest> Environments::known_in_registry(const ImageReference& reference) const {
  const auto own =
      reference.access == RegistryAccess::agreed ? m_cache.known(subject_of(reference), "") : std::nullopt;
  return own ? own : m_cache.known(public_subject_of(reference), "");
}

void Environments::remember_source(
    const ImageReference& reference, const std::string& stamp, const HexDigest& digest) const {
  if (reference.kind == ImageKind::registry && reference.access == RegistryAccess::anonymous) {
    m_cache.remember(public_subject_of(reference), stamp, digest);
    return;
  }
  m_cache.remember(subject_of(reference), stamp, digest);
  if (reference.kind == ImageKind::registry && m_cache.known(public_subject_of(reference), "") != digest) {
    m_cache.forget(public_subject_of(reference)); // the tag is another one by now
  }
}

std::optional<HexDigest> Environments::known_digest(const ImageReference& reference) {
  switch (reference.kind) {
  case ImageKind::host:
    return host_fingerprint(observe_host(private_paths()), m_cache);
  case ImageKind::archive:
    if (!os::exists(reference.source)) {
      throw Error(ErrorCode::input_missing, "the environment's archive {} does not exist", reference.path);
    }
    return digest_of_archive(m_cache.digest_of_file(os::open_found_file(reference.source), reference.source));
  case ImageKind::directory:
    return m_cache.known(subject_of(reference), stamp_directory(reference.source).stamp);
  case ImageKind::oci:
    return oci_environment_digest(oci::OciLayout(reference.source).image(reference.variant));
  case ImageKind::oci_archive:
  case ImageKind::docker_archive:
  case ImageKind::debian:
    return m_cache.known(subject_of(reference), stamp_of_source(reference));
  case ImageKind::registry:
    return known_in_registry(reference);
  }
  return std::nullopt;
}

std::optional<HexDigest>
Environments::fingerprint(const std::string& image, const std::string& directory, RegistryAccess access) {
  return known_digest(reference_of(image, directory, access));
}

void Environments::require_programs(
    const std::string& image, const std::string& directory, RegistryAccess access) {
  const auto reference = reference_of(image, directory, access);
  if (installed(reference)) {
    return;
  }
  switch (reference.kind) {
  case ImageKind::debian:
    require_debian_tools();
    break;
  case ImageKind::registry:
  case ImageKind::docker_archive:
    require_copy_tools(reference.access);
    break;
  case ImageKind::host:
  case ImageKind::directory:
  case ImageKind::archive:
  case ImageKind::oci:
  case ImageKind::oci_archive:
    break; // read by ourselves
  }
}

bool Environments::layers_are_there(const std::vector<HexDigest>& layers) const {
  return std::all_of(
      layers.begin(), layers.end(), [&](const HexDigest& layer) { return m_layers.find(layer); });
}

std::optional<EnvironmentRecord> Environments::installed(const HexDigest& digest) const {
  auto record = m_installs.find(digest);
  return record && layers_are_there(record->layers) ? record : std::nullopt;
}

std::optional<EnvironmentRecord> Environments::installed(const ImageReference& reference) {
  const auto digest = known_digest(reference);
  return digest ? installed(*digest) : std::nullopt;
}

std::optional<std::string> Environments::damage_of(const EnvironmentRecord& record) const {
  for (const auto& layer : record.layers) {
    const auto damage = os::IdSpace::current().run([&]() -> Json {
      const auto wrong = m_layers.verify(layer);
      return wrong ? Json(*wrong) : Json();
    });
    if (damage.is_string()) {
      return fmt::format("layer {}: {}", layer.substr(0, 12), damage.get<std::string>());
    }
  }
  return std::nullopt;
}

Environment
Environments::resolve(const std::string& image, const std::string& directory, RegistryAccess access) {
  const auto reference = reference_of(image, directory, access);
  if (const auto record = installed(reference)) {
    return environment_of(image, *record);
  }
  m_cache.prepare();
  m_base.prepare();
  const auto lock = lock_image(reference);
  if (const auto record = installed(reference)) {
    return environment_of(image, *record); // somebody was quicker
  }
  return environment_of(image, install(reference));
}

Environments::Built Environments::build(const ImageReference& reference, const store::Staging& staging) {
  Built built;
  switch (reference.kind) {
  case ImageKind::host: {
    const auto host = observe_host(private_paths());
    built.digest = host_fingerprint(host, m_cache);
    const auto plan = plan_host_layer(host);
    write_planned_tree(plan, staging.tree());
    built.host_dirs = host.directories;
    built.details = host_details(host, plan);
    break;
  }
  case ImageKind::directory: {
    auto before = stamp_directory(reference.source);
    if (before.too_fresh) { // it could not be remembered, and would be made anew the next time
      std::this_thread::sleep_for(k_freshness);
      before = stamp_directory(reference.source);
    }
    built.details = import_directory(reference.source, staging.tree(), private_paths());
    built.stamp = stamp_directory(reference.source).stamp;
    built.remember = !before.too_fresh && before.stamp == built.stamp;
    break;
  }
  case ImageKind::archive:
    built.details = import_archive(reference.source, staging.tree());
    built.digest = digest_of_archive(get_string(built.details, "sha256")); // of what was unpacked
    break;
  case ImageKind::debian:
    built.details = build_debian(
        reference.variant, staging.tree(), staging.directory() + "/scratch", [this](const std::string& line) {
          if (m_progress) {
            m_progress("log", line);
          }
        });
    remove_inside(staging.directory() + "/scratch");
    built.remember = true;
    break;
  default:
    throw Error(ErrorCode::internal, "{} is no image of one layer", reference.text);
  }
  return built;
}

void Environments::record_install(EnvironmentRecord& record) const {
  record.created_at = os::now_epoch();
  store::RecipeRecord recipe;
  recipe.key = environment_recipe_key(record.digest);
  recipe.layers = record.layers;
  recipe.address = std::string(store::k_image_address) + record.image;
  for (const auto& name : record.host_dirs) {
    recipe.host_directories.push_back({"/" + name, name});
  }
  m_recipes.save(std::move(recipe));
  m_cache.prepare_records_of(m_base.root());
  m_installs.save(record);
}

EnvironmentRecord
Environments::publish(const ImageReference& reference, store::Staging staging, Built built) {
  const store::LayerInfo info{"image", reference.canonical()};
  const auto manifest = store::manifest_from_json(os::IdSpace::current().run(
      [&]() -> Json { return store::to_json(m_layers.publish(std::move(staging), info)); }));
  EnvironmentRecord record;
  record.digest = built.digest.value_or(
      Sha256().field(name_of(reference.kind)).field(reference.variant).field(manifest.digest).finish());
  record.image = reference.canonical();
  record.kind = name_of(reference.kind);
  record.layers = {manifest.digest};
  record.host_dirs = std::move(built.host_dirs);
  record.size_bytes = manifest.size_bytes;
  record.entry_count = manifest.entry_count;
  record.details = std::move(built.details);

  record_install(record);
  if (built.remember) {
    m_cache.remember(subject_of(reference), built.stamp, record.digest);
  }
  return record;
}

os::ExclusiveLock Environments::lock_image(const ImageReference& reference) const {
  // Downloads are everybody's who has this cache; what is made of this machine's own files is made for one
  // state directory, and nobody else waits for it.
  const bool downloads = is_oci(reference.kind) || reference.kind == ImageKind::debian;
  return {
      downloads ? m_cache.lock_path(reference.canonical()) : m_base.install_lock(),
      "environment " + reference.canonical(), k_install_patience,
      [&](const std::optional<os::LockHolder>& holder) {
        note(fmt::format(
            "waiting for {} to install {}", holder ? os::to_string(*holder) : "another pyro",
            reference.text));
      }};
}

/// The caller holds the image's lock.
EnvironmentRecord Environments::install(const ImageReference& reference) {
  note(fmt::format("preparing environment {}", reference.text));
  if (is_oci(reference.kind)) {
    return install_oci(reference);
  }
  const auto begin = os::now_monotonic();
  auto staging = m_layers.stage();
  const auto directory = staging.directory();
  try {
    auto built = build(reference, staging);
    const auto in_use = store::lock_store_shared(m_base);
    auto record = publish(reference, std::move(staging), std::move(built));
    note(fmt::format(
        "environment {}: {} in {} files, {}", reference.text, format_bytes(record.size_bytes),
        record.entry_count, format_elapsed(os::now_monotonic() - begin)));
    return record;
  } catch (Error& error) {
    try {
      remove_inside(directory);
    } catch (const Error& second) {
      log::debug("cannot remove {}: {}", directory, second.what()); // gc does
    }
    error.add_context(fmt::format("preparing environment {}", reference.text));
    throw;
  }
}

/// Only the damaged ones: other images may have the others too.
void Environments::remove_layers(const std::vector<HexDigest>& layers) {
  for (const auto& layer : layers) {
    os::IdSpace::current().run([&] {
      if (m_layers.verify(layer)) {
        m_layers.remove(layer);
      }
      return Json();
    });
  }
}

std::string
Environments::status_of_install(const ImageReference& reference, bool is_installed, bool is_damaged) {
  if (is_installed) {
    return is_damaged ? "repaired" : "refreshed";
  }
  const auto digest = known_digest(reference);
  return digest && os::exists(m_installs.path(*digest)) ? "repaired" : "installed";
}

Json Environments::pull(const std::string& image, const std::string& directory, Refresh refresh) {
  const auto reference = reference_of(image, directory, RegistryAccess::agreed, Symlinks::followed);
  m_cache.prepare();
  m_base.prepare();
  const auto begin = os::now_monotonic();
  auto record = installed(reference);
  std::string status = "present";
  if (!record || refresh == Refresh::yes || damage_of(*record)) {
    const auto lock = lock_image(reference);
    record = installed(reference);
    const auto damage = record ? damage_of(*record) : std::nullopt; // somebody may have been quicker
    if (!record || refresh == Refresh::yes || damage) {
      status = status_of_install(reference, record.has_value(), damage.has_value());
      if (damage) {
        note(fmt::format("environment {} is damaged ({}): building it again", image, *damage));
        remove_layers(record->layers);
      }
      record = install(reference);
    }
  }
  return {
      {"image", image},
      {"digest", record->digest},
      {"status", status},
      {"layers", record->layers},
      {"size_bytes", record->size_bytes},
      {"entry_count", record->entry_count},
      {"duration_ms", (os::now_monotonic() - begin).count()}};
}

Json Environments::list() {
  const auto stacks = stacks_in_use();
  Json environments = Json::array();
  for (const auto& listed : m_installs.list()) {
    const auto here = installed(listed.digest);
    const auto& record = here ? *here : listed;
    environments.push_back(
        {{"image", record.image},
         {"digest", record.digest},
         {"kind", record.kind},
         {"installed", here.has_value()},
         {"in_use", any_stands_on(stacks, record.layers)},
         {"size_bytes", record.size_bytes},
         {"created_at", record.created_at}});
  }
  return {{"environments", environments}, {"available", available_images()}};
}

Json Environments::inspect(const std::string& image, const std::string& directory) {
  const auto reference = reference_of(image, directory, RegistryAccess::agreed, Symlinks::followed);
  const auto digest = known_digest(reference);
  Json result{
      {"image", image},
      {"canonical", reference.canonical()},
      {"kind", name_of(reference.kind)},
      {"digest", digest ? Json(*digest) : Json()},
      {"installed", false}};
  const auto record = digest ? installed(*digest) : std::nullopt;
  if (record) {
    Json layers = Json::array();
    for (const auto& layer : record->layers) {
      layers.push_back({{"digest", layer}, {"tree", m_layers.tree(layer)}});
    }
    result.update(
        {{"installed", true},
         {"layers", layers},
         {"host_dirs", record->host_dirs},
         {"size_bytes", record->size_bytes},
         {"entry_count", record->entry_count},
         {"created_at", record->created_at},
         {"details", record->details}});
  }
  return result;
}

} // namespace pyro::environment
