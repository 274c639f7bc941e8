#include <pyro/base/error.hpp>
#include <pyro/os/directory.hpp>
#include <pyro/place/placed.hpp>
#include <pyro/place/slurm.hpp>

#include <gtest/gtest.h>

namespace pyro::place {
namespace {

TEST(Place, IsReadAsItIsWritten) {
  for (const auto* text : {"here", "slurm:pyro", "slurm:a.b-c_1,qos=high", "slurm:p,qos=q,account=a"}) {
    EXPECT_EQ(to_string(parse_place(text)), text);
  }
  EXPECT_EQ(parse_place("slurm:p,account=a").account, "a");
}

TEST(Place, TakesNoOptionsOfSlurmsPrograms) {
  for (const auto* text :
       {"", "slurm", "slurm:", "slurm:-p", "slurm:a b", "slurm:a;id", "slurm:a,b", "slurm:a,qos=",
        "slurm:a,qos=-x", "slurm:a,time=1", "slurm:a,qos=x,qos=y", "slurm:a,", "there", "slurm:a\n"}) {
    EXPECT_THROW(parse_place(text), Error) << text;
  }
}

TEST(Slurm, ReadsAJob) {
  const auto job = parse_job(
      "JobId=12 JobName=pyro-x Requeue=0 Restarts=1 JobState=NODE_FAIL Reason=NodeDown ReqNodeList=(null) "
      "NodeList=n7 BatchHost=n7\n");
  EXPECT_EQ(job.id, "12");
  EXPECT_EQ(job.phase, JobPhase::ended);
  EXPECT_EQ(job.node, "n7");
  EXPECT_EQ(job.reason, "NodeDown");
  EXPECT_EQ(job.restarts, 1);
  const auto waiting = parse_job("JobId=3 JobState=PENDING Reason=Resources NodeList=(null)");
  EXPECT_EQ(waiting.phase, JobPhase::waiting);
  EXPECT_EQ(waiting.node, "");
  EXPECT_EQ(parse_job("JobId=3 JobState=RUNNING Reason=None NodeList=n1").phase, JobPhase::running);
  EXPECT_THROW(parse_job("slurm_load_jobs error"), Error);
  const auto running = parse_job("JobId=3 JobState=RUNNING EndTime=2026-01-31T08:00:10 NodeList=n1");
  const auto later = parse_job("JobId=3 JobState=RUNNING EndTime=2026-01-31T08:01:00 NodeList=n1");
  EXPECT_EQ(later.ends_at - running.ends_at, 50);
  EXPECT_EQ(parse_job("JobId=3 JobState=RUNNING EndTime=Unknown NodeList=n1").ends_at, 0);
  EXPECT_TRUE(parse_job("JobId=3 JobState=SUSPENDED NodeList=n1").is_suspended());
}

TEST(Slurm, ReadsAPartition) {
  const auto partition = parse_partition("pyro*|up|1:00:00|1/2/1/4|2/6/4/12|4000+");
  ASSERT_TRUE(partition);
  EXPECT_EQ(partition->name, "pyro");
  EXPECT_TRUE(partition->is_default && partition->is_up);
  EXPECT_EQ(partition->usable_nodes, 3);
  EXPECT_EQ(partition->idle_cpus, 6);
  EXPECT_EQ(partition->memory_mib, 4000);
  EXPECT_FALSE(parse_partition("pyro|up|1:00:00|1/2|3|4"));
  EXPECT_FALSE(parse_partition(""));
}

TEST(Placed, IsFoundAgain) {
  const os::TempDir base("/tmp", "pyro-placed");
  const PlacedRecords records(base.path());
  EXPECT_TRUE(records.all().empty());
  Placed placed;
  placed.workspace_id = "abc123";
  placed.name = "far";
  placed.identity = "one";
  placed.place = parse_place("slurm:p,qos=q");
  placed.job_name = "pyro-1";
  records.save(placed);
  auto fork = placed;
  fork.key.clear();
  fork.workspace_id = "abd";
  fork.name = "twin";
  fork.identity.clear();
  records.save(fork);
  EXPECT_EQ(records.all().size(), 2U);
  EXPECT_EQ(records.of_identity("one")->place, placed.place);
  EXPECT_EQ(records.named("abc")->name, "far");
  EXPECT_EQ(records.named("twin")->workspace_id, "abd");
  EXPECT_THROW(records.named("ab"), Error);
  EXPECT_FALSE(records.named("nobody"));
  EXPECT_EQ(records.beside(placed).size(), 1U);
  records.remove(fork);
  EXPECT_TRUE(records.beside(placed).empty());
  records.remove(placed);
  EXPECT_TRUE(os::list_directory(base.path()).empty());
}

} // namespace
} // namespace pyro::place
