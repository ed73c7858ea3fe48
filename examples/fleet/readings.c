#include "readings.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

const char *const reading_names[READINGS] = {"load", "memory_mib", "cpu_percent", "net_rx_bytes",
                                             "net_tx_bytes"};

static double read_load(void)
{
    double load = 0;
    FILE *f = fopen("/proc/loadavg", "r");

    if (f) {
        if (fscanf(f, "%lf", &load) != 1)
            load = 0;
        fclose(f);
    }
    return load;
}

static double read_memory(void)
{
    char line[128];
    unsigned long total = 0, available = 0, value;
    FILE *f = fopen("/proc/meminfo", "r");

    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "MemTotal: %lu", &value) == 1)
            total = value;
        else if (sscanf(line, "MemAvailable: %lu", &value) == 1)
            available = value;
    }
    if (f)
        fclose(f);
    return (double)(total - available) / 1024;
}

/* Share of the time since the last call in which the processors were not idle. */
static double read_cpu(void)
{
    static unsigned long long last_busy, last_total;
    unsigned long long user = 0, nice = 0, system = 0, idle = 0, wait = 0;
    FILE *f = fopen("/proc/stat", "r");

    if (f) {
        if (fscanf(f, "cpu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &wait) != 5)
            user = 0;
        fclose(f);
    }
    unsigned long long busy = user + nice + system, total = busy + idle + wait;
    double percent =
        total > last_total ? 100.0 * (double)(busy - last_busy) / (double)(total - last_total) : 0;
    last_busy = busy;
    last_total = total;
    return percent;
}

static unsigned long long read_counter(const char *interface, const char *name)
{
    char path[512];
    unsigned long long value = 0;

    snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", interface, name);
    FILE *f = fopen(path, "r");
    if (f) {
        if (fscanf(f, "%llu", &value) != 1)
            value = 0;
        fclose(f);
    }
    return value;
}

static unsigned long long sum_counters(const char *name)
{
    unsigned long long sum = 0;
    struct dirent *entry;
    DIR *dir = opendir("/sys/class/net");

    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            sum += read_counter(entry->d_name, name);
    if (dir)
        closedir(dir);
    return sum;
}

static double since_last(unsigned long long now, unsigned long long *last)
{
    double change = *last && now >= *last ? (double)(now - *last) : 0;

    *last = now;
    return change;
}

void take_readings(double values[READINGS])
{
    static unsigned long long rx, tx;

    values[0] = read_load();
    values[1] = read_memory();
    values[2] = read_cpu();
    values[3] = since_last(sum_counters("rx_bytes"), &rx);
    values[4] = since_last(sum_counters("tx_bytes"), &tx);
}
