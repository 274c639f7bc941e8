#include <pyro/backend/qemu/arguments.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace pyro::backend::qemu {
namespace {

std::string joined(const MachineShape& shape, const StartMode& mode) {
  std::string text;
  for (const auto& word : arguments(shape, mode)) {
    text += word + " ";
  }
  return text;
}

TEST(QemuArguments, NothingIsThereThatWasNotAskedFor) {
  const auto text = joined({}, {});
  for (const auto* wanted :
       {"-nodefaults", "-no-user-config", "-no-reboot", "-sandbox on,", "spawn=deny", "-S "}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted;
  }
  EXPECT_EQ(text.find("-netdev"), std::string::npos) << "a guest without egress has no network card";
  EXPECT_EQ(text.find("-incoming"), std::string::npos);
  EXPECT_EQ(text.find("memory-backend"), std::string::npos);
}

std::multiset<std::string>
only_in(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  std::multiset<std::string> left(some.begin(), some.end());
  for (const auto& word : others) {
    if (const auto found = left.find(word); found != left.end()) {
      left.erase(found);
    }
  }
  return left;
}

TEST(QemuArguments, ATemplateAndItsClonesDifferInSharingAndTheWayTheyStartOnly) {
  const MachineShape shape{Accelerator::tcg, 2, 512, true};
  const auto made = arguments(shape, {Memory::shared_file, ImagesFormat::vmdk, false});
  const auto cloned = arguments(shape, {Memory::private_file, ImagesFormat::vmdk, true});
  const std::string memory = "memory-backend-file,id=ram,size=512M,mem-path=/vm/memory,share=";
  EXPECT_EQ(
      only_in(cloned, made),
      (std::multiset<std::string>{
          memory + "off", "-global", "migration.send-configuration=off", "-incoming", "defer"}));
  auto booted = only_in(made, cloned);
  EXPECT_EQ(booted.erase(memory + "on"), 1U);
  for (const auto* word : {"-kernel", seen::k_kernel, "-initrd", seen::k_initrd, "-append"}) {
    EXPECT_EQ(booted.erase(word), 1U) << word;
  }
  EXPECT_EQ(booted.size(), 1U) << "the kernel's command line";
}

TEST(QemuArguments, TheShapeIsTheMachine) {
  const auto text = joined({Accelerator::kvm, 3, 768, false}, {});
  EXPECT_NE(text.find("-accel kvm "), std::string::npos);
  EXPECT_NE(text.find("-cpu host"), std::string::npos);
  EXPECT_NE(text.find("-smp 3 "), std::string::npos);
  EXPECT_NE(text.find("-m 768M "), std::string::npos);
  EXPECT_EQ(text.find("mitigations=off"), std::string::npos) << "for emulated processors only";
}

} // namespace
} // namespace pyro::backend::qemu
