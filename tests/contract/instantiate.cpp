#include "contract.hpp"

namespace pyro::contract {

INSTANTIATE_TEST_SUITE_P(On, Contract, ::testing::ValuesIn(all_backends()), [](const auto& info) {
  return info.param;
});
INSTANTIATE_TEST_SUITE_P(On, ContractSandbox, ::testing::ValuesIn(sandboxes()), [](const auto& info) {
  return info.param;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Contract);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ContractSandbox);

} // namespace pyro::contract
