#define _GNU_SOURCE
#include "tokens.h"
#include "../common/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

typedef struct {
    char device[DEVICE_NAME + 1], token[TOKEN + 1];
} entry;

static entry *entries;
static size_t count;
static struct stat seen; /* the file that was read, or tried, last */

/* b64token of RFC 6750 2.1. */
static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr("-._~+/=", c))))
            return false;
    }
    return len >= TOKEN_LEAST && len <= TOKEN;
}

static int by_device(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->device, ((const entry *)b)->device);
}

/* 1: an entry; 0: nothing on this line; -1: it is wrong. */
static int read_entry(const char *line, entry *e)
{
    size_t device = strcspn(line, " \t\r\n"), blank = strspn(line + device, " \t");
    const char *token = line + device + blank;
    size_t len = strcspn(token, " \t\r\n");

    if (device == 0 || line[0] == '#')
        return 0;
    if (!name_is_valid(line, device, DEVICE_NAME) || !is_token(token, len) ||
        token[len + strspn(token + len, " \t\r\n")] != '\0')
        return -1;
    memset(e, 0, sizeof *e);
    memcpy(e->device, line, device);
    memcpy(e->token, token, len);
    return 1;
}

/* The number of the line that is wrong; 0: none. */
static unsigned read_entries(FILE *f, entry **list, size_t *n)
{
    char line[DEVICE_NAME + TOKEN + 64];
    size_t room = 0;

    for (unsigned number = 1; fgets(line, sizeof line, f); number++) {
        if (*n == room) {
            entry *wider = realloc(*list, (room = room ? 2 * room : 64) * sizeof **list);
            if (!wider)
                return number;
            *list = wider;
        }
        int r = read_entry(line, *list + *n);
        if (r < 0)
            return number;
        *n += (size_t)r;
    }
    return 0;
}

static int refuse(entry *list, const char *path, const char *why)
{
    free(list);
    print_line(stderr, "collector: --tokens=%s: %s", path, why);
    return -1;
}

int tokens_load(const char *path)
{
    entry *list = NULL;
    size_t n = 0;
    char why[64];
    FILE *f = fopen(path, "re");

    if (!f || fstat(fileno(f), &seen) < 0) {
        snprintf(why, sizeof why, "%s", strerror(errno));
        if (f)
            fclose(f);
        return refuse(list, path, why);
    }
    unsigned wrong = read_entries(f, &list, &n);
    bool failed = ferror(f) != 0;
    fclose(f);
    if (seen.st_mode & (S_IRWXG | S_IRWXO))
        return refuse(list, path, "others may read or change it (chmod 600)");
    snprintf(why, sizeof why, "line %u is not DEVICE TOKEN, of 16 characters or more", wrong);
    if (wrong || failed)
        return refuse(list, path, failed ? "it cannot be read" : why);
    if (n > 0)
        qsort(list, n, sizeof *list, by_device);
    free(entries);
    entries = list;
    count = n;
    return 0;
}

bool tokens_refresh(const char *path, uint64_t now_ms)
{
    enum { LOOK_MS = 1000 };
    static uint64_t looked_ms;
    struct stat s;

    if (now_ms - looked_ms < LOOK_MS)
        return false;
    looked_ms = now_ms;
    if (stat(path, &s) < 0 ||
        (s.st_ino == seen.st_ino && s.st_size == seen.st_size &&
         s.st_mtim.tv_sec == seen.st_mtim.tv_sec && s.st_mtim.tv_nsec == seen.st_mtim.tv_nsec &&
         s.st_mode == seen.st_mode))
        return false;
    return tokens_load(path) == 0;
}

bool token_is_of(const char *token, size_t len, const char *device, size_t device_len)
{
    entry key;
    unsigned differs = 0;

    if (device_len > DEVICE_NAME || len > TOKEN || len == 0 || count == 0)
        return false;
    memset(&key, 0, sizeof key);
    memcpy(key.device, device, device_len);
    memcpy(key.token, token, len);
    const entry *e = bsearch(&key, entries, count, sizeof *entries, by_device);
    for (size_t i = 0; e && i < sizeof key.token; i++)
        differs |= (unsigned)(uint8_t)e->token[i] ^ (uint8_t)key.token[i];
    return e && differs == 0;
}

bool token_take(const char *value, size_t len, char token[TOKEN + 1])
{
    enum { SCHEME = 7 };

    if (token[0] || len <= SCHEME || len - SCHEME > TOKEN ||
        strncasecmp(value, "Bearer ", SCHEME) != 0 || !is_token(value + SCHEME, len - SCHEME))
        return false;
    memcpy(token, value + SCHEME, len - SCHEME);
    return true;
}
