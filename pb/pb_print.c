/* Messages for people: the text format, and the path of a place. */
#include "pb_walk.h"
#include "pb_wire.h"

typedef struct {
    mote_pb_sink *sink;
    void *context;
    unsigned depth;
} printer;

static void print_text(const printer *p, const char *text)
{
    p->sink(p->context, text, mote_pb_cstring(text).len);
}

static void put_indent(const printer *p)
{
    for (unsigned i = 0; i < p->depth; i++)
        print_text(p, "  ");
}

/* ---- numbers ------------------------------------------------------------------------------- */

static void put_unsigned(const printer *p, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;

    do
        digits[--n] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    p->sink(p->context, digits + n, sizeof digits - n);
}

static void put_signed(const printer *p, int64_t v)
{
    if (v < 0)
        print_text(p, "-");
    put_unsigned(p, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Scales a positive number to [1, 10); returns the exponent of ten. */
static int normalize(double *v)
{
    static const double powers[] = {1e256, 1e128, 1e64, 1e32, 1e16, 1e8, 1e4, 1e2, 1e1};
    int exponent = 0;

    for (unsigned i = 0; i < 9; i++) {
        int power = i == 8 ? 1 : 256 >> i;
        if (*v >= powers[i]) {
            *v /= powers[i];
            exponent += power;
        } else if (*v * powers[i] < 10) {
            *v *= powers[i];
            exponent -= power;
        }
    }
    return exponent;
}

static void put_double(const printer *p, double v)
{
    char digits[15];
    size_t n = sizeof digits;

    if (v != v || v - v != 0) { /* not a number; infinite */
        print_text(p, v != v ? "nan" : v < 0 ? "-inf" : "inf");
        return;
    }
    if (v < 0 || (v == 0 && 1 / v < 0)) { /* minus zero is told apart */
        print_text(p, "-");
        v = -v;
    }
    if (v == 0) {
        print_text(p, "0");
        return;
    }
    int exponent = normalize(&v);
    uint64_t scaled = (uint64_t)(v * 1e14 + 0.5);
    if (scaled >= 1000000000000000u) {
        scaled /= 10;
        exponent++;
    }
    for (size_t i = sizeof digits; i > 0; scaled /= 10)
        digits[--i] = (char)('0' + scaled % 10);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    p->sink(p->context, digits, 1);
    if (n > 1)
        print_text(p, ".");
    p->sink(p->context, digits + 1, n - 1);
    if (exponent != 0) {
        print_text(p, "e");
        put_signed(p, exponent);
    }
}

/* ---- values -------------------------------------------------------------------------------- */

static void print_bytes(const printer *p, const mote_pb_bytes *b)
{
    print_text(p, "\"");
    for (size_t i = 0; i < b->len; i++) {
        uint8_t c = b->data[i];
        char octal[4] = {'\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)),
                         (char)('0' + (c & 7))};
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
            p->sink(p->context, (const char *)&b->data[i], 1);
        else
            p->sink(p->context, octal, sizeof octal);
    }
    print_text(p, "\"");
}

static void put_value(const printer *p, unsigned type, const void *at)
{
    const mote_pb_type_info *info = &mote_pb_types[type];
    uint64_t v = 0;
    double d;

    if (info->kind == MOTE_PB_VIEW) {
        print_bytes(p, at);
    } else if (info->kind == MOTE_PB_REAL) {
        d = info->size == 8 ? *(const double *)at : (double)*(const float *)at;
        put_double(p, d);
    } else if (type == MOTE_PB_BOOL) {
        print_text(p, *(const bool *)at ? "true" : "false");
    } else {
        v = info->size == 8 ? *(const uint64_t *)at : *(const uint32_t *)at;
        if (info->kind == MOTE_PB_UNSIGNED)
            put_unsigned(p, v);
        else
            put_signed(p, info->size == 8 ? (int64_t)v : (int32_t)v);
    }
}

/* ---- fields -------------------------------------------------------------------------------- */

typedef struct {
    const mote_pb_names *names;
    const uint8_t *message;
    size_t field, element;
} print_frame;

static void open_message(printer *p, const char *name)
{
    put_indent(p);
    print_text(p, name);
    print_text(p, " {\n");
    p->depth++;
}

static void close_message(printer *p)
{
    p->depth--;
    put_indent(p);
    print_text(p, "}\n");
}

static void put_scalar(const printer *p, const char *name, unsigned type, const void *at)
{
    put_indent(p);
    print_text(p, name);
    print_text(p, ": ");
    put_value(p, type, at);
    print_text(p, "\n");
}

/* The next element of the message on top; true: it is a message, which *sub describes. */
static bool put_next(printer *p, print_frame *top, print_frame *sub)
{
    const mote_pb_field *f = &top->names->type->fields[top->field];
    const char *name = top->names->fields[top->field];
    const uint8_t *first;
    size_t count = mote_pb_elements(f, top->message, &first);

    if (top->element == count || mote_pb_label_of(f) == MOTE_PB_UNKNOWN) { /* which have no name */
        top->field++;
        top->element = 0;
        return false;
    }
    size_t i = top->element++;
    if (!mote_pb_is_message(f)) {
        put_scalar(p, name, mote_pb_type_of(f), first + i * mote_pb_info_of(f)->size);
        return false;
    }
    const mote_pb_names *names = top->names->subs[mote_pb_sub_index(top->names->type, f)];
    *sub = (print_frame){names, first + i * names->type->size, 0, 0};
    open_message(p, name);
    return true;
}

int mote_pb_print(const mote_pb_names *names, const void *message, mote_pb_sink *sink,
                  void *context)
{
    printer p = {sink, context, 0};
    print_frame stack[MOTE_PB_DEPTH], sub;
    print_frame *top = stack;
    int r = 0;

    *top = (print_frame){names, message, 0, 0};
    for (;;) {
        if (top->field == top->names->type->field_count) {
            if (top == stack)
                return r;
            top--;
            close_message(&p);
        } else if (put_next(&p, top, &sub)) {
            if (top < stack + MOTE_PB_DEPTH - 1) {
                *++top = sub;
            } else {
                r = MOTE_PB_ERR_DEPTH;
                close_message(&p);
            }
        }
    }
}

/* ---- paths --------------------------------------------------------------------------------- */

typedef struct {
    char *out;
    size_t cap, len;
} path_text;

static void add_piece(void *context, const char *bytes, size_t len)
{
    path_text *t = context;

    for (size_t i = 0; i < len && t->len + 1 < t->cap; i++)
        t->out[t->len++] = bytes[i];
}

static size_t row_of(const mote_pb_message *type, uint32_t number)
{
    size_t i = 0;

    while (i < type->field_count && type->fields[i].key >> 3 != number)
        i++;
    return i;
}

/* Elements of a field before a place, at this level. */
static size_t count_before(const uint8_t *p, const uint8_t *place, uint32_t number)
{
    size_t n = 0;
    uint32_t key;

    while (p < place && mote_pb_read_key(&p, place, &key) == 0 && mote_pb_skip(&p, place, key) == 0)
        n += key >> 3 == number;
    return n;
}

static void add_path_field(path_text *t, const mote_pb_names *names, size_t row, size_t index)
{
    const mote_pb_field *f = &names->type->fields[row];
    printer p = {add_piece, t, 0};

    print_text(&p, ".");
    print_text(&p, names->fields[row]);
    if (mote_pb_label_of(f) == MOTE_PB_REPEATED || mote_pb_label_of(f) == MOTE_PB_PACKED) {
        print_text(&p, "[");
        put_unsigned(&p, index);
        print_text(&p, "]");
    }
}

/* The field of a level that the place lies in, its end included for `to_end` where it has a length:
 * its content, or NULL when it begins there. */
static const uint8_t *field_at(const uint8_t *p, const uint8_t **end, const uint8_t *place,
                               uint32_t *key, const uint8_t **start, bool to_end)
{
    for (;;) {
        size_t len;
        *start = p;
        if (mote_pb_read_key(&p, *end, key) < 0)
            return NULL;
        const uint8_t *content = p;
        bool ends = mote_pb_skip(&p, *end, *key) == 0;
        if (*start == place)
            return NULL;
        if (ends && (p < place || (p == place && !(to_end && (*key & 7) == MOTE_PB_LEN))))
            continue;
        p = content;
        if ((*key & 7) == MOTE_PB_LEN && mote_pb_read_len(&p, *end, &len) == 0)
            *end = p + len;
        return p;
    }
}

/* A required field that is missing: the length of the text before it, its message and row. */
typedef struct {
    size_t len, row;
    const mote_pb_names *names; /* NULL: none is */
} path_gap;

/* Whole fields from `p` to the place, none of which has the key. */
static bool is_absent(const uint8_t *p, const uint8_t *place, uint32_t key)
{
    for (uint32_t k; p < place;) {
        if (mote_pb_read_key(&p, place, &k) < 0 || k == key || mote_pb_skip(&p, place, k) < 0)
            return false;
    }
    return p == place;
}

/* Notes the first required field that a message which ends at the place has not had. */
static void note_gap(path_gap *gap, size_t len, const mote_pb_names *names, const uint8_t *level,
                     const uint8_t *place)
{
    const mote_pb_field *f = names->type->fields;

    for (size_t i = names->type->field_count; i-- > 0;) {
        if (mote_pb_label_of(&f[i]) == MOTE_PB_REQUIRED && is_absent(level, place, f[i].key))
            *gap = (path_gap){len, i, names};
    }
}

/* A message, or a group that was entered by the key, ends at the place. */
static bool ends_at(const uint8_t *place, const uint8_t *end, uint32_t entered)
{
    uint32_t key = 0;

    return (entered & 7) != MOTE_PB_SGROUP
               ? place == end
               : mote_pb_read_key(&place, end, &key) == 0 && key == entered + 1;
}

/* With a gap: of the messages that end at the place, the innermost one that lacks a field. */
static void add_path_of(path_text *t, const mote_pb_names *names, const uint8_t *p,
                        const uint8_t *end, const uint8_t *place, path_gap *gap)
{
    const uint8_t *start;
    uint32_t key = 0;

    while (p && (gap || place < end)) {
        const uint8_t *level = p;
        if (gap && ends_at(place, end, key))
            note_gap(gap, t->len, names, level, place);
        key = 0;
        p = field_at(level, &end, place, &key, &start, gap != NULL);
        size_t row = row_of(names->type, key >> 3);
        if (key == 0 || row == names->type->field_count)
            break;
        add_path_field(t, names, row, count_before(level, start, key >> 3));
        if (!mote_pb_is_message(&names->type->fields[row]))
            break;
        names = names->subs[mote_pb_sub_index(names->type, &names->type->fields[row])];
    }
}

const char *mote_pb_path(const mote_pb_names *names, const uint8_t *in, size_t len, size_t offset,
                         char *out, size_t cap)
{
    path_text t = {out, cap, 0};
    const uint8_t *end = in + len, *place = in + (offset < len ? offset : len);
    printer words = {add_piece, &t, 0};
    path_gap gap = {0, 0, NULL};

    print_text(&words, names->name);
    size_t begin = t.len;
    add_path_of(&t, names, in, end, place, &gap);
    t.len = gap.names ? gap.len : begin;
    if (gap.names)
        add_path_field(&t, gap.names, gap.row, 0);
    else
        add_path_of(&t, names, in, end, place, NULL);
    if (cap > 0)
        out[t.len] = '\0';
    return out;
}

/* ---- why a message cannot be encoded ------------------------------------------------------- */

/* A message that is open. */
typedef struct {
    mote_pb_level at;
    const mote_pb_names *names;
} why_level;

static why_level why_open(const mote_pb_names *names, const uint8_t *message)
{
    return (why_level){{.type = names->type, .message = message}, names};
}

/* The byte that makes a text invalid. */
static size_t invalid_byte(const mote_pb_bytes *text)
{
    size_t i = 0, n = 1;

    while (i < text->len && n <= 4) {
        for (n = 1; n <= 4 && (n > text->len - i || !mote_pb_utf8_valid(text->data + i, n));)
            n++;
        i += n <= 4 ? n : 0;
    }
    return i;
}

/* The texts of a field; the element at work is the first one that is not valid. */
static const mote_pb_bytes *invalid_text(mote_pb_level *l)
{
    const mote_pb_field *f = mote_pb_row(l);
    const void *place = l->message + f->offset;
    const mote_pb_list *list = place;
    bool is_list = mote_pb_is_list(f);

    if (mote_pb_type_of(f) != MOTE_PB_TEXT)
        return NULL;
    const mote_pb_bytes *texts =
        is_list ? list->items : (const void *)mote_pb_single(f, l->message);
    size_t count = is_list ? list->count : texts != NULL;
    for (l->element = 0; l->element < count; l->element++) {
        if (!mote_pb_utf8_valid(texts[l->element].data, texts[l->element].len))
            return &texts[l->element];
    }
    return NULL;
}

/* What is wrong with the field at work, or 0: then *inside is the message to be looked at next, or
 * NULL. */
static int why_field(mote_pb_level *l, const uint8_t **inside)
{
    const mote_pb_field *f = mote_pb_row(l);

    *inside = NULL;
    if (!mote_pb_is_message(f))
        return MOTE_PB_CHECK_SENT && invalid_text(l) ? MOTE_PB_ERR_UTF8 : 0;
    mote_pb_element(l, inside); /* an array's: what functions supply has no names */
    bool is_missing = !*inside && l->element == 0 && mote_pb_label_of(f) == MOTE_PB_REQUIRED;
    return is_missing ? MOTE_PB_ERR_REQUIRED : 0;
}

/* To the first error: 0, when there is none. */
static int find_why(why_level *stack, why_level **at)
{
    why_level *top = stack;
    const uint8_t *inside;
    int r = 0;

    while (r == 0) {
        *at = top;
        if (top->at.field == top->at.type->field_count) {
            if (top-- == stack)
                return 0;
            top->at.element++;
            continue;
        }
        r = why_field(&top->at, &inside);
        if (r == 0 && !inside) {
            top->at.field++;
            top->at.element = 0;
        } else if (r == 0 && top == stack + MOTE_PB_DEPTH - 1) {
            r = MOTE_PB_ERR_DEPTH;
        } else if (r == 0) {
            const mote_pb_level *l = &top->at;
            const mote_pb_names *names =
                top->names->subs[mote_pb_sub_index(l->type, mote_pb_row(l))];
            *++top = why_open(names, inside);
        }
    }
    return r;
}

/* The limit, or the place in the text. */
static void add_detail(printer *words, mote_pb_level *l, int r)
{
    const mote_pb_bytes *text = r == MOTE_PB_ERR_UTF8 ? invalid_text(l) : NULL;

    print_text(words, ": ");
    print_text(words, mote_pb_strerror(r));
    if (r == MOTE_PB_ERR_DEPTH) {
        print_text(words, ", the limit is ");
        put_unsigned(words, MOTE_PB_DEPTH);
    } else if (text) {
        print_text(words, ", at byte ");
        put_unsigned(words, invalid_byte(text));
    }
}

int mote_pb_why(const mote_pb_names *names, const void *message, char *out, size_t cap)
{
    why_level stack[MOTE_PB_DEPTH], *at;
    path_text t = {out, cap, 0};
    printer words = {add_piece, &t, 0};

    stack[0] = why_open(names, message);
    int r = find_why(stack, &at);
    if (r < 0) {
        print_text(&words, names->name);
        for (why_level *level = stack; level <= at; level++)
            add_path_field(&t, level->names, level->at.field, level->at.element);
        add_detail(&words, &at->at, r);
    }
    if (cap > 0)
        out[t.len] = '\0';
    return r;
}
