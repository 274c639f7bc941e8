// attack_swap SECONDS A B [C D]…: exchanges A with B, and C with D, as fast as it can, for as long as it is
// told. For races with whoever looks at the one and means the other. Prints how often it did.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 4 || argc % 2 != 0) {
    return 64;
  }
  constexpr unsigned k_exchange = 2; // RENAME_EXCHANGE
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[1]));
  long swaps = 0;
  while (std::chrono::steady_clock::now() < end) {
    for (int pair = 2; pair + 1 < argc; pair += 2) {
      swaps += ::renameat2(AT_FDCWD, argv[pair], AT_FDCWD, argv[pair + 1], k_exchange) == 0 ? 1 : 0;
    }
  }
  std::printf("swaps: %ld\n", swaps);
  return swaps > 0 ? 0 : 1;
}
