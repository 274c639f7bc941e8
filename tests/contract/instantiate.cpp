#include "contract.hpp"

namespace pyro::contract {

INSTANTIATE_TEST_SUITE_P(On, Contract, ::testing::ValuesIn(all_backends()), [](const auto& info) {
  return info.param;
});
INSTANTIATE_TEST_SUITE_P(On, ContractSandbox, ::testing::ValuesIn(sandboxes()), [](const auto& info) {
  return info.param;
});
INSTANTIATE_TEST_SUITE_P(
    On, ContractCommands, ::testing::ValuesIn(that_run_commands()),
    [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(On, ContractContent, ::testing::ValuesIn(that_run_commands()), [](const auto& info) {
  return info.param;
});
INSTANTIATE_TEST_SUITE_P(
    On, ContractAnyImage, ::testing::ValuesIn(that_have_any_image()),
    [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(On, ContractFake, ::testing::Values("fake"), [](const auto& info) {
  return info.param;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Contract);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ContractSandbox);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ContractCommands);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ContractContent);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ContractAnyImage);
INSTANTIATE_TEST_SUITE_P(On, ContractHost, ::testing::Values("host"), [](const auto& info) {
  return info.param;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ContractFake);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ContractHost);

} // namespace pyro::contract
