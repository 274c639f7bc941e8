// Runs a harness without libFuzzer: `fuzz_spec [--seconds N] [--seed N] FILE|FOLDER…` replays every file,
// then mutates them for N seconds. The input at hand is kept in crash-input (in the working directory) should
// the program die.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace {

using Clock = std::chrono::steady_clock;

const std::string* g_current = nullptr;
int g_directory = AT_FDCWD; // where the program was started, wherever the harness goes

extern "C" void save_current(int signal_number) {
  const int fd = ::openat(g_directory, "crash-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd >= 0 && g_current) {
    [[maybe_unused]] const auto written = ::write(fd, g_current->data(), g_current->size());
    ::close(fd);
  }
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> read_corpus(const std::vector<std::string>& paths) {
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      corpus.push_back(read_file(path));
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) {
        corpus.push_back(read_file(entry.path()));
      }
    }
  }
  return corpus;
}

void run(const std::string& input) {
  g_current = &input;
  const auto start = std::clock(); // of the processor: the machine may be busy with others
  LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char*>(input.data()), input.size());
  if (std::clock() - start > 5 * CLOCKS_PER_SEC) {
    std::fprintf(stderr, "one input of %zu bytes took more than 5 s\n", input.size());
    std::abort();
  }
}

class Mutator {
public:
  Mutator(std::vector<std::string> corpus, unsigned seed) : m_corpus(std::move(corpus)), m_random(seed) {}

  std::string next() {
    std::string text = pick(m_corpus);
    for (std::size_t i = below(6) + 1; i > 0; --i) {
      mutate(text);
    }
    return text;
  }

private:
  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(m_random);
  }

  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  void mutate(std::string& text) {
    static const std::vector<std::string> k_words{
        "{",       "}",   "[",           "]",    ": ",    "- ",           "\n",   "\n  ",     "\t",
        "*a",      "&a ", "<<: ",        "${",   "}",     "$$",           "|",    ">",        "'",
        "\"",      "!",   "%",           "@",    "---\n", "...\n",        "null", "~",        "true",
        "0",       "-1",  "99999999999", "1GiB", "5s",    "\xEF\xBB\xBF", "\xFF", "\r\n",     "#",
        "? ",      ", ",  "x-",          "\\",   "env:",  ":-",           "run",  "services", "depends_on",
        "profiles"};
    const auto at = below(text.size() + 1);
    const auto length = std::min(below(40) + 1, text.size() - at);
    switch (below(6)) {
    case 0:
      text.insert(at, pick(k_words));
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      text.insert(below(text.size() + 1), text.substr(at, length));
      break;
    case 3:
      if (at < text.size()) {
        text[at] = static_cast<char>(below(256));
      }
      break;
    case 4: {
      const auto& other = pick(m_corpus);
      const auto from = below(other.size() + 1);
      text.insert(at, other.substr(from, below(200)));
      break;
    }
    default:
      text.replace(at, length, pick(k_words));
    }
  }

  std::vector<std::string> m_corpus;
  std::mt19937 m_random;
};

} // namespace

int main(int argc, char** argv) {
  unsigned seconds = 0;
  unsigned seed = std::random_device{}();
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if ((argument == "--seconds" || argument == "--seed") && i + 1 < argc) {
      const auto value = std::strtoul(argv[++i], nullptr, 10);
      (argument == "--seed" ? seed : seconds) = static_cast<unsigned>(value);
    } else {
      paths.push_back(argument);
    }
  }
  for (const int signal_number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    std::signal(signal_number, save_current);
  }
  g_directory = ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  const auto corpus = read_corpus(paths);
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus: name files or folders\n");
    return 2;
  }
  for (const auto& input : corpus) {
    run(input);
  }
  std::printf("%zu files replayed, seed %u\n", corpus.size(), seed);
  std::size_t count = 0;
  Mutator mutator(corpus, seed);
  for (const auto end = Clock::now() + std::chrono::seconds(seconds); Clock::now() < end; ++count) {
    run(mutator.next());
  }
  std::printf("%zu inputs tried\n", count);
  return 0;
}
