// Makes guests of one description: templates, clones of them, and booted ones.
#pragma once

#include "machine.hpp"
#include "templates.hpp"

#include <pyro/backend/launch_spec.hpp>

#include <memory>
#include <string>
#include <vector>

namespace pyro::backend::qemu {

/// The disk of the writable layer.
std::string scratch_path(const LaunchSpec& spec);
/// What saving a clone writes the state of its devices to.
std::string state_path(const LaunchSpec& spec);

/// What a machine is started for: only for one of them it needs its network to lead anywhere.
enum class GuestUse { saved_only, workspace };

class GuestFactory {
public:
  /// `cgroup` takes every QEMU that is started. Notes are what the user should know.
  GuestFactory(
      const LaunchSpec& spec, MachineShape shape, os::Cgroup& cgroup, std::vector<std::string>& notes);

  /// A guest whose kernel and agent run and that has mounted nothing; made where missing.
  Template machine_template();
  /// A guest that has mounted the layers and an empty scratch disk; made where missing.
  Template stack_template();

  /// Goes on where the template's guest stopped. The scratch disk must be in place.
  std::unique_ptr<Machine> clone(const Template& from);
  /// From the kernel on.
  std::unique_ptr<Machine> boot();

  /// Over all that a guest depends on whose memory is kept with its processes.
  HexDigest key_of_kept() const { return key_of("kept"); }

  std::string scratch_path() const { return qemu::scratch_path(m_spec); }

  std::string copy_scratch(const std::string& from) const;
  /// An empty scratch disk.
  void new_scratch() const;

private:
  MachineFiles files_with(const std::string& scratch);
  void describe_images();
  HexDigest key_of(const char* stage) const;
  void make_machine_template(const Template& made);
  void make_stack_template(const Template& made);
  std::unique_ptr<Machine> start(const StartMode& mode, const MachineFiles& files, GuestUse use);

  const LaunchSpec& m_spec;
  MachineShape m_shape;
  os::Cgroup& m_cgroup;
  std::vector<std::string>& m_notes;
  std::string m_program;
  Templates m_templates;
  std::string m_images;              // the descriptor
  std::vector<SharedFile> m_extents; // what it names
};

} // namespace pyro::backend::qemu
