/* What mote_http1 makes of requests, for differential.py: each is a length, four bytes, and its
 * bytes, on standard input; for each a line: "open" or "ended", what was written, and what the
 * engine was told, in hexadecimal. */
#include "../../fuzz/http1_reader.h"

static void print_hex(const fuzz_log *log)
{
    putchar(' ');
    for (size_t i = 0; i < log->len; i++)
        printf("%02x", log->bytes[i]);
    if (log->len == 0)
        putchar('-');
}

int main(void)
{
    static http1_run r;
    static uint8_t data[1 << 20], length[4];

    while (fread(length, 1, 4, stdin) == 4) {
        size_t n =
            (size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 | length[3];
        if (n > sizeof data || fread(data, 1, n, stdin) != n)
            return 2;
        begin_run(&r);
        feed(data, n, sizeof data);
        printf(r.ended ? "ended" : "open");
        print_hex(&r.output);
        print_hex(&r.told);
        putchar('\n');
    }
    return 0;
}
