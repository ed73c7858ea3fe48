/* A server of mote's h2 beside libnghttp2's session: where both go on with a client's bytes, which
 * no choices precede, all that is answered has the same status, fields and content, the same
 * streams are reset, and all SETTINGS and PINGs are answered, but for what three lists name, which
 * is not noticed whatever its cause. */
#include "differ.h"
#include "fuzz.h"

/* The lists, one behind the other, from the root of the source. */
__asm__(".section .rodata\n"
        "mote_differ_lists: .incbin \"fuzz/differ.rules\"\n"
        ".incbin \"fuzz/differ-nghttp2.rules\"\n"
        ".incbin \"fuzz/differ-mutants.rules\"\n"
        ".byte 0\n"
        ".text\n");
extern const char mote_differ_lists[];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static mote_difference found[8];
    mote_differ d = {&mote_differ_h2, &mote_differ_nghttp2, mote_differ_lists, false, 0};
    size_t n = mote_differ_compare(&d, data, size < 65536 ? size : 65536, found, 8);

    for (size_t i = 0; i < n; i++) {
        if (!found[i].open) {
            fprintf(stderr, "%s of stream %u: mote %s, libnghttp2 %s, at %s\n",
                    mote_differs_name(found[i].kind), (unsigned)found[i].stream, found[i].ours,
                    found[i].theirs, found[i].cause);
            abort();
        }
    }
    return 0;
}
