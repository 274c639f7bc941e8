#include "guest_factory.hpp"

#include "images_disk.hpp"
#include "program.hpp"
#include "scratch_disk.hpp"

#include <pyro/backend/shared/guest_description.hpp>
#include <pyro/backend/shared/kvm_verdict.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/atomic_file.hpp>
#include <pyro/os/crash_point.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/os/tree_copy.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pyro::backend::qemu {

namespace {

using namespace std::chrono_literals;

// Under emulation on a busy machine everything takes its time; a guest that hangs is still found out.
constexpr auto k_monitor_limit = 30s;
constexpr auto k_boot_limit = 25s;
constexpr auto k_mount_limit = 60s;
constexpr auto k_load_limit = 20s;
constexpr int k_boot_attempts = 3;
constexpr int k_key_version = 2;

/// A file that reads as zeros.
void make_sparse(const std::string& path, std::uint64_t bytes) {
  const auto file = os::open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) < 0) {
    throw Error::from_errno(errno, fmt::format("make {}", path));
  }
  give_to_confined(file.get());
}

void copy_file(const std::string& from, const std::string& to, std::uint64_t bytes) {
  make_sparse(to, bytes);
  const auto source = os::open_file(from, O_RDONLY);
  const auto target = os::open_file(to, O_RDWR);
  std::ignore = os::copy_content(source.get(), target.get());
}

} // namespace

std::string scratch_path(const LaunchSpec& spec) {
  return spec.generation_dir + "/scratch.img";
}

std::string state_path(const LaunchSpec& spec) {
  return spec.runtime_dir + "/machine-state";
}

GuestFactory::GuestFactory(
    const LaunchSpec& spec, MachineShape shape, os::Cgroup& cgroup, std::vector<std::string>& notes)
    : m_spec(spec), m_shape(shape), m_cgroup(cgroup), m_notes(notes), m_program(find_qemu()),
      m_templates(spec.machine.templates_dir, spec.machine.template_budget),
      m_images(spec.runtime_dir + "/images.vmdk") {
  os::make_directories(spec.machine.templates_dir);
  describe_images();
}

void GuestFactory::describe_images() {
  const auto padding = m_spec.machine.templates_dir + "/padding";
  make_sparse(padding, k_images_disk_sectors * 512);
  std::vector<Extent> extents;
  for (const auto& image : images_of(m_spec.machine)) {
    m_extents.push_back({image, fmt::format("/vm/i{}", m_extents.size())});
    extents.push_back({m_extents.back().seen, sectors_of(image)});
  }
  m_extents.push_back({padding, "/vm/padding"});
  os::write_file_atomically(m_images, images_descriptor(extents, "/vm/padding"), 0644, os::Durable::no);
  give_to_confined(os::open_file(m_images, O_RDONLY).get());
}

HexDigest GuestFactory::key_of(const char* stage) const {
  Sha256 key;
  key.field("pyro template").field(std::to_string(k_key_version)).field(stage);
  key.field(program_identity(m_program)).field(m_spec.machine.kernel_digest);
  key.field(fmt::format(
      "{} {} {} {} {}", name_of(m_shape.accelerator), m_shape.cpus, m_shape.memory_mib, m_shape.network,
      m_spec.machine.scratch_bytes));
  if (std::string_view(stage) != "machine") {
    for (const auto& extent : m_extents) {
      key.field(std::filesystem::path(extent.path).filename().string());
    }
  }
  return key.finish();
}

MachineFiles GuestFactory::files_with(const std::string& scratch) {
  MachineFiles files;
  files.kernel = m_spec.machine.kernel;
  files.initrd = m_spec.machine.initrd;
  files.images = m_images;
  files.extents = m_extents;
  files.scratch = scratch;
  return files;
}

std::unique_ptr<Machine> GuestFactory::start(const StartMode& mode, const MachineFiles& files, GuestUse use) {
  const auto* network = use == GuestUse::workspace && m_spec.egress ? &m_spec : nullptr;
  auto machine = std::make_unique<Machine>(
      m_program, m_shape, mode, files, m_spec.runtime_dir + "/root", m_cgroup, network);
  machine->await_monitor(k_monitor_limit);
  return machine;
}

void GuestFactory::make_machine_template(const Template& made) {
  auto files = files_with(made.directory + "/no-scratch");
  files.images = made.directory + "/no-images";
  files.extents.clear();
  files.memory = made.memory();
  files.state = made.state();
  const auto memory_bytes = static_cast<std::uint64_t>(m_shape.memory_mib) << 20;
  for (int attempt = 1;; ++attempt) {
    make_sparse(files.images, k_images_disk_sectors * 512);
    make_sparse(files.scratch, static_cast<std::uint64_t>(m_spec.machine.scratch_bytes));
    std::ignore = ::unlink(files.memory.c_str());
    make_sparse(files.memory, memory_bytes);
    make_sparse(files.state, 0);
    try {
      auto machine = start({Memory::shared_file, ImagesFormat::raw, false}, files, GuestUse::saved_only);
      machine->resume();
      machine->await_guest(k_boot_limit);
      machine->save();
      break;
    } catch (const Error& error) {
      // A boot may hang (facts: a known flaw under emulation); anything else is no better the next time.
      if (error.code() != ErrorCode::timeout || attempt == k_boot_attempts) {
        throw;
      }
    }
  }
  std::ignore = ::unlink(files.images.c_str());
  std::ignore = ::unlink(files.scratch.c_str());
}

Template GuestFactory::machine_template() {
  std::string note;
  auto made = m_templates.ensure(
      key_of("machine"), [this](const Template& t) { make_machine_template(t); }, note);
  if (!note.empty()) {
    m_notes.push_back(note);
  }
  return made;
}

void GuestFactory::make_stack_template(const Template& made) {
  const auto base = machine_template();
  copy_file(base.memory(), made.memory(), static_cast<std::uint64_t>(m_shape.memory_mib) << 20);
  make_scratch_disk(made.scratch(), static_cast<std::uint64_t>(m_spec.machine.scratch_bytes));
  make_sparse(made.state(), 0);
  auto files = files_with(made.scratch());
  files.memory = made.memory();
  files.state = made.state();
  auto machine = start({Memory::shared_file, ImagesFormat::vmdk, true}, files, GuestUse::saved_only);
  machine->load(os::open_file(base.state(), O_RDONLY).get(), k_load_limit);
  machine->ask_guest(protocol::to_json(mount_of(m_spec.machine)), k_mount_limit);
  machine->save();
}

Template GuestFactory::stack_template() {
  std::string note;
  auto made = m_templates.ensure(
      key_of("stack"), [this](const Template& t) { make_stack_template(t); }, note);
  if (!note.empty()) {
    m_notes.push_back(note);
  }
  return made;
}

std::unique_ptr<Machine> GuestFactory::clone(const Template& from) {
  auto files = files_with(scratch_path());
  files.memory = from.memory();
  files.state = state_path(m_spec);
  make_sparse(files.state, 0);
  auto machine = start({Memory::private_file, ImagesFormat::vmdk, true}, files, GuestUse::workspace);
  machine->load(os::open_file(from.state(), O_RDONLY).get(), k_load_limit);
  return machine;
}

std::unique_ptr<Machine> GuestFactory::boot() {
  for (int attempt = 1;; ++attempt) {
    try {
      auto machine = start(
          {Memory::anonymous, ImagesFormat::vmdk, false}, files_with(scratch_path()), GuestUse::workspace);
      machine->resume();
      machine->await_guest(k_boot_limit);
      return machine;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::timeout || attempt == k_boot_attempts) {
        throw;
      }
    }
  }
}

std::string GuestFactory::copy_scratch(const std::string& from) const {
  return copy_scratch_disk(from, scratch_path());
}

void GuestFactory::new_scratch() const {
  const auto temporary = scratch_path() + ".new";
  make_scratch_disk(temporary, static_cast<std::uint64_t>(m_spec.machine.scratch_bytes));
  if (::rename(temporary.c_str(), scratch_path().c_str()) < 0) {
    throw Error::from_errno(errno, "put the scratch disk in place");
  }
}

} // namespace pyro::backend::qemu
