/* How often a second a snapshot is restored and a call runs from it to its end, without sanitizers:
 * a loop of the target that examples/fuzz/ shows, with its seed. The best of five. */
#include "../../examples/fuzz/fuzz_service.c"

#include <stdio.h>
#include <time.h>

enum { LOOPS = 200000 };

int main(void)
{
    static uint8_t seed[4096];
    FILE *f = fopen("fuzz/corpus/service/import", "rb");
    double best = 0;

    if (!f)
        return 1;
    size_t n = fread(seed, 1, sizeof seed, f);
    fclose(f);
    for (int turn = 0; turn < 5; turn++) {
        clock_t begin = clock();
        for (int i = 0; i < LOOPS; i++)
            LLVMFuzzerTestOneInput(seed, n);
        double rate = LOOPS / ((double)(clock() - begin) / CLOCKS_PER_SEC);
        best = rate > best ? rate : best;
    }
    printf("%.0f loops a second, snapshot of %zu bytes\n", best,
           sizeof grpc + sizeof fuzzed_memory);
    return 0;
}
