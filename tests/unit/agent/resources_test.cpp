// Whose process is it? Known by session, by ancestors, and by the marker of who has lost them.
#include <pyro/agent/resources.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

namespace pyro::agent {
namespace {

ProcessStat process(pid_t pid, pid_t parent, pid_t session) {
  ProcessStat stat;
  stat.pid = pid;
  stat.state = 'S';
  stat.parent = parent;
  stat.session = session;
  return stat;
}

class ServicesOf : public ::testing::Test {
protected:
  std::map<pid_t, std::string> found(const std::vector<ProcessStat>& processes) {
    return services_of(processes, m_services, [this](pid_t pid) {
      m_asked.push_back(pid);
      return m_markers[pid];
    });
  }

  const pid_t m_agent = ::getpid();
  // Numbers that are never ours, whoever we are.
  const pid_t m_first = m_agent + 1000;
  std::map<std::string, Lineage> m_services{{"web", {m_first, "mark-web"}}, {"db", {0, "mark-db"}}};
  std::map<pid_t, std::string> m_markers;
  std::vector<pid_t> m_asked;
};

TEST_F(ServicesOf, TheLeaderItsSessionAndItsDescendants) {
  const auto web = m_first;
  const auto services = found(
      {process(m_agent, 0, 0), process(web, m_agent, web), process(web + 1, web, web),
       process(web + 2, web + 1, web + 2),   // a session of its own
       process(web + 3, web + 2, web + 3),   // and what that started
       process(web + 4, m_agent, web),       // whose parent has ended
       process(web + 5, m_agent, web + 5)}); // a command of somebody's
  EXPECT_EQ(
      services, (std::map<pid_t, std::string>{
                    {web, "web"}, {web + 1, "web"}, {web + 2, "web"}, {web + 3, "web"}, {web + 4, "web"}}));
  EXPECT_EQ(m_asked, (std::vector<pid_t>{web + 5})) << "only who is not known otherwise is looked at closer";
}

TEST_F(ServicesOf, WhoTookLeaveOfTheSessionIsKnownByItsMarker) {
  m_markers[m_first + 1] = "mark-db";
  m_markers[m_first + 2] = "mark-nobody";
  const auto services = found(
      {process(m_first + 1, m_agent, m_first + 1), process(m_first + 2, m_agent, m_first + 2),
       process(m_first + 3, m_first + 1, m_first + 3), process(m_first + 4, m_first + 9, m_first + 4)});
  EXPECT_EQ(services, (std::map<pid_t, std::string>{{m_first + 1, "db"}, {m_first + 3, "db"}}));
}

TEST_F(ServicesOf, ACircleEnds) { // /proc is not read at one instant: numbers may be used again meanwhile
  EXPECT_TRUE(found({process(m_first + 1, m_first + 2, 7), process(m_first + 2, m_first + 1, 7)}).empty());
}

TEST_F(ServicesOf, TheAgentIsOfNone) {
  m_markers[m_agent] = "mark-web";
  EXPECT_TRUE(found({process(m_agent, 0, 0)}).empty());
}

} // namespace
} // namespace pyro::agent
