#include <pyro/backend/qemu/arguments.hpp>

#include <gtest/gtest.h>

#include <algorithm>

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

TEST(QemuArguments, ATemplateAndItsClonesDifferInSharingAndTheWayTheyStartOnly) {
  const MachineShape shape{Accelerator::tcg, 2, 512, true};
  auto made = arguments(shape, {Memory::shared_file, ImagesFormat::vmdk, false});
  auto cloned = arguments(shape, {Memory::private_file, ImagesFormat::vmdk, true});
  ASSERT_GT(cloned.size(), made.size());
  EXPECT_EQ(
      std::vector<std::string>(cloned.begin() + static_cast<std::ptrdiff_t>(made.size()), cloned.end()),
      (std::vector<std::string>{"-global", "migration.send-configuration=off", "-incoming", "defer"}));
  std::vector<std::string> different;
  for (std::size_t at = 0; at < made.size(); ++at) {
    if (made[at] != cloned[at]) {
      different.push_back(made[at] + " / " + cloned[at]);
    }
  }
  ASSERT_EQ(different.size(), 1U);
  EXPECT_NE(different[0].find("share=on / "), std::string::npos) << different[0];
  EXPECT_NE(different[0].find("share=off"), std::string::npos) << different[0];
}

TEST(QemuArguments, TheShapeIsTheMachine) {
  const auto text = joined({Accelerator::kvm, 3, 768, false}, {});
  EXPECT_NE(text.find("-accel kvm "), std::string::npos);
  EXPECT_NE(text.find("-cpu host"), std::string::npos);
  EXPECT_NE(text.find("-smp 3 "), std::string::npos);
  EXPECT_NE(text.find("-m 768M "), std::string::npos);
}

} // namespace
} // namespace pyro::backend::qemu
