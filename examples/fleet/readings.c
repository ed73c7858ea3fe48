#include "readings.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *const reading_names[READINGS] = {"load", "memory_mib", "cpu_percent", "net_rx_bytes",
                                             "net_tx_bytes"};

/* One line of a file matched by a format; false: it cannot be read, which is not the same as 0. */
static bool read_line(const char *path, const char *prefix, char *line, size_t size)
{
    FILE *f = fopen(path, "r");
    bool found = false;

    while (f && !found && fgets(line, (int)size, f))
        found = strncmp(line, prefix, strlen(prefix)) == 0;
    if (f)
        fclose(f);
    return found;
}

static bool read_load(double *load)
{
    char line[128];

    return read_line("/proc/loadavg", "", line, sizeof line) && sscanf(line, "%lf", load) == 1;
}

static bool read_memory(double *mib)
{
    char line[128];
    unsigned long total, available;

    if (!read_line("/proc/meminfo", "MemTotal:", line, sizeof line) ||
        sscanf(line, "MemTotal: %lu", &total) != 1 ||
        !read_line("/proc/meminfo", "MemAvailable:", line, sizeof line) ||
        sscanf(line, "MemAvailable: %lu", &available) != 1)
        return false;
    *mib = (double)(total - available) / 1024;
    return true;
}

/* Share of the time since the last call in which the processors were not idle. */
static bool read_cpu(double *percent)
{
    static unsigned long long last_busy, last_total;
    static double last;
    unsigned long long user, nice, system, idle, wait;
    char line[256];

    if (!read_line("/proc/stat", "cpu ", line, sizeof line) ||
        sscanf(line, "cpu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &wait) != 5)
        return false;
    unsigned long long busy = user + nice + system, total = busy + idle + wait;
    if (total > last_total && busy >= last_busy) /* the clock of these counts is slow */
        last = 100.0 * (double)(busy - last_busy) / (double)(total - last_total);
    last_busy = busy;
    last_total = total;
    *percent = last;
    return true;
}

static bool read_counter(const char *interface, const char *name, unsigned long long *sum)
{
    char path[512], line[64];
    unsigned long long value;

    snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", interface, name);
    if (!read_line(path, "", line, sizeof line) || sscanf(line, "%llu", &value) != 1)
        return false;
    *sum += value;
    return true;
}

static bool sum_counters(const char *name, unsigned long long *sum)
{
    struct dirent *entry;
    DIR *dir = opendir("/sys/class/net");
    bool ok = dir != NULL;

    *sum = 0;
    while (dir && (entry = readdir(dir)))
        ok = (entry->d_name[0] == '.' || read_counter(entry->d_name, name, sum)) && ok;
    if (dir)
        closedir(dir);
    return ok;
}

static bool since_last(const char *name, unsigned long long *last, double *change)
{
    unsigned long long now;

    if (!sum_counters(name, &now))
        return false;
    *change = now >= *last ? (double)(now - *last) : 0;
    *last = now;
    return true;
}

unsigned take_readings(double values[READINGS])
{
    static unsigned long long rx, tx;

    return (unsigned)read_load(&values[0]) | (unsigned)read_memory(&values[1]) << 1 |
           (unsigned)read_cpu(&values[2]) << 2 |
           (unsigned)since_last("rx_bytes", &rx, &values[3]) << 3 |
           (unsigned)since_last("tx_bytes", &tx, &values[4]) << 4;
}
