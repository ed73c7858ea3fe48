/* The content of an echo's answer: see differ.h. */
#include "differ_echo.h"

#include "differ.h"

#include <string.h>

typedef struct {
    uint8_t *out;
    size_t len;
} text;

void mote_echo_clear(mote_echo *e)
{
    e->count = e->used = e->body_len = 0;
}

void mote_echo_put(mote_echo *e, const char *name, size_t name_len, const char *value,
                   size_t value_len)
{
    mote_echo_field *f = &e->fields[e->count];

    if (e->count == MOTE_ECHO_FIELDS || name_len + value_len > sizeof e->text - e->used)
        return;
    *f = (mote_echo_field){e->used, name_len, value_len};
    memcpy(e->text + e->used, name, name_len);
    if (value_len > 0)
        memcpy(e->text + e->used + name_len, value, value_len);
    e->used += name_len + value_len;
    e->count++;
}

void mote_echo_content(mote_echo *e, const uint8_t *data, size_t len)
{
    len = len < sizeof e->body - e->body_len ? len : sizeof e->body - e->body_len;
    if (len > 0)
        memcpy(e->body + e->body_len, data, len);
    e->body_len += len;
}

static void put(text *t, const char *bytes, size_t len)
{
    if (len > MOTE_DIFFER_BODY - t->len)
        len = MOTE_DIFFER_BODY - t->len;
    memcpy(t->out + t->len, bytes, len);
    t->len += len;
}

static const mote_echo_field *find(const mote_echo *e, const char *name)
{
    for (size_t i = 0; i < e->count; i++) {
        const mote_echo_field *f = &e->fields[i];
        if (f->name_len == strlen(name) && memcmp(e->text + f->name, name, f->name_len) == 0)
            return f;
    }
    return NULL;
}

bool mote_echo_has_content(const mote_echo *e)
{
    const mote_echo_field *f = find(e, ":method");

    return !f || f->value_len != 4 || memcmp(e->text + f->name + f->name_len, "HEAD", 4) != 0;
}

static void put_value(text *t, const mote_echo *e, const mote_echo_field *f)
{
    if (f)
        put(t, e->text + f->name + f->name_len, f->value_len);
}

static int compare(const mote_echo *e, const mote_echo_field *a, const mote_echo_field *b)
{
    size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
    int order = memcmp(e->text + a->name, e->text + b->name, len);

    return order != 0 ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

/* By name; those of one name stay in their order. */
static void sort(mote_echo *e)
{
    for (size_t i = 1; i < e->count; i++) {
        mote_echo_field f = e->fields[i];
        size_t at = i;
        for (; at > 0 && compare(e, &e->fields[at - 1], &f) > 0; at--)
            e->fields[at] = e->fields[at - 1];
        e->fields[at] = f;
    }
}

static bool is_regular(const mote_echo *e, const mote_echo_field *f)
{
    const char *name = e->text + f->name;

    return !(f->name_len > 0 && name[0] == ':') &&
           !(f->name_len == 4 && memcmp(name, "host", 4) == 0);
}

static void put_field(text *t, const mote_echo *e, const mote_echo_field *f,
                      const mote_echo_field *before)
{
    const char *name = e->text + f->name;
    bool cookie = f->name_len == 6 && memcmp(name, "cookie", 6) == 0;

    if (before && compare(e, before, f) == 0) {
        t->len--; /* the line goes on */
        put(t, cookie ? "; " : ", ", 2);
    } else {
        put(t, name, f->name_len);
        put(t, ": ", 2);
    }
    put_value(t, e, f);
    put(t, "\n", 1);
}

size_t mote_echo_answer(mote_echo *e, uint8_t *out)
{
    const mote_echo_field *authority = find(e, ":authority"), *before = NULL;
    text t = {out, 0};

    put_value(&t, e, find(e, ":method"));
    put(&t, " ", 1);
    put_value(&t, e, find(e, ":path"));
    put(&t, " ", 1);
    put_value(&t, e, authority ? authority : find(e, "host"));
    put(&t, "\n", 1);
    sort(e);
    for (size_t i = 0; i < e->count; i++) {
        if (!is_regular(e, &e->fields[i]))
            continue;
        put_field(&t, e, &e->fields[i], before);
        before = &e->fields[i];
    }
    put(&t, "\n", 1);
    put(&t, (const char *)e->body, e->body_len);
    return t.len;
}
