/* Replays files, and folders of files, through a fuzz target: for compilers without libFuzzer. */
#include "../tests/guard.h"

#include "fuzz.h"

#include <dirent.h>

#pragma weak LLVMFuzzerInitialize

static unsigned replayed;

static void replay(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *f = fopen(path, "rb");

    if (!f)
        return;
    size_t n = fread(data, 1, sizeof data, f);
    fclose(f);
    LLVMFuzzerTestOneInput(guarded(data, n), n);
    replayed++;
}

static void replay_folder(const char *path)
{
    char file[1024];
    struct dirent *entry;
    DIR *dir = opendir(path);

    while (dir && (entry = readdir(dir))) {
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            replay(file);
    }
    if (dir)
        closedir(dir);
    else
        replay(path);
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        replay_folder(argv[i]);
    printf("%u passed, 0 failed\n", replayed);
    return replayed == 0;
}
