#include <pyro/backend/shared/child_steps.hpp>
#include <pyro/base/error.hpp>
#include <pyro/os/unix_socket.hpp>

#include <gtest/gtest.h>

namespace pyro::backend {
namespace {

class ChildSteps : public ::testing::Test {
protected:
  os::Fd m_parent, m_child;

  void SetUp() override { std::tie(m_parent, m_child) = os::socket_pair(); }
};

/// The child may be slow: it was taken for one step, and the child waited for ever.
TEST_F(ChildSteps, LetGoAtOnceAreTakenOneByOne) {
  let_go_on(m_parent.get());
  let_go_on(m_parent.get(), {m_parent.get(), m_child.get()});
  let_go_on(m_parent.get());
  EXPECT_EQ(await_step(m_child.get()).value().size(), 0U);
  EXPECT_EQ(await_step(m_child.get()).value().size(), 2U);
  EXPECT_EQ(await_step(m_child.get()).value().size(), 0U);
  m_parent.reset();
  EXPECT_FALSE(await_step(m_child.get())) << "nobody lets it go any more";
}

TEST_F(ChildSteps, AChildThatHasEndedIsNoError) {
  m_child.reset();
  let_go_on(m_parent.get());
  EXPECT_EQ(report_of_child(m_parent.get()), "");
}

TEST_F(ChildSteps, TheReportOfAChildThatTookNoStepIsRead) {
  os::write_all(m_child.get(), "no memory");
  let_go_on(m_parent.get());
  m_child.reset();
  EXPECT_EQ(report_of_child(m_parent.get()), "no memory");
}

TEST_F(ChildSteps, AReportThatHasNoEndIsRefused) {
  os::write_all(m_child.get(), std::string(70'000, 'x'));
  EXPECT_THROW(report_of_child(m_parent.get()), Error);
}

} // namespace
} // namespace pyro::backend
