/* The services of wire_grpc.c: t.T, health and reflection. */
#include "wire_grpc.h"

#include "../../grpc/services/services.h"

static mote_health_entry entries[] = {{"", MOTE_HEALTH_SERVING},
                                      {"t.T", MOTE_HEALTH_NOT_SERVING},
                                      {"t.U", MOTE_HEALTH_UNKNOWN},
                                      {"v", MOTE_HEALTH_SERVING}};
enum { MANY = 40 }; /* more than are told of */
static mote_health_entry many_entries[MANY];
static mote_health health = {entries, 4};
static const mote_grpc_method health_methods[] = MOTE_HEALTH_METHODS(&health);
static const mote_grpc_method methods[] = {
    {"Call", wire_handler, NULL, NULL, NULL, false, false},
    {"Single", wire_handler, NULL, NULL, NULL, true, false},
    {"Chunks", wire_handler, NULL, NULL, &mote_grpc_chunks, false, false},
    {"None", NULL, NULL, NULL, NULL, false, false}};

/* What is told of them, and the names behind it. */
static const uint8_t small_bytes[] = "small descriptor\1T\2Me\7Message";
static const uint8_t base_bytes[] = "base descriptor\7Message";
static const mote_pb_symbol small_symbols[] = {{18, 0}, {21, 0}, {16, 0}};
static const mote_pb_symbol base_symbols[] = {{15, 0}};
static const mote_pb_file *const no_imports[] = {NULL};
static const mote_pb_file base_file = {"base.proto", base_bytes, 15,        "base",
                                       base_symbols, 1,          no_imports};
static const mote_pb_file *const small_imports[] = {&base_file, &mote_health_file, NULL};
static const mote_pb_file small_file = {"t/small.proto", small_bytes, 16,           "t",
                                        small_symbols,   3,           small_imports};
static const mote_pb_file *const files[] = {&small_file, &mote_reflection_file};
static const mote_pb_file *many_files[2 * MANY];

enum { RING = 60 }; /* files, each of which imports all around it */
static const mote_pb_file *ring_imports[RING][4], *ring_files[1];
static mote_pb_file ring[RING];
static char ring_names[RING][16];
static mote_grpc_service many_services[MANY];
static mote_reflection reflection = {wire_services, WIRE_SERVICES, files, 2};
static const mote_grpc_method reflection_methods[] = MOTE_REFLECTION_METHODS(&reflection);
const mote_grpc_service wire_services[WIRE_SERVICES] = {
    {"t.T", methods, 4, false},
    MOTE_HEALTH_SERVICE(health_methods),
    MOTE_REFLECTION_SERVICE(reflection_methods),
    MOTE_REFLECTION_SERVICE_V1ALPHA(reflection_methods),
    {"t.Empty", NULL, 0, false}};

/* Of 80 files the first 64 are looked at: those we ask for are the last of them, and the one
 * behind. */
static void set_ring(void)
{
    for (size_t i = 0; i < RING; i++) {
        const mote_pb_file *imports[3] = {&ring[0], &ring[i], &ring[(i + 1) % RING]};
        memcpy(ring_imports[i], imports, sizeof imports);
        snprintf(ring_names[i], sizeof ring_names[i], "ring%zu.proto", i);
        ring[i] = (mote_pb_file){ring_names[i],  (const uint8_t *)ring_names[i], 4, "", NULL, 0,
                                 ring_imports[i]};
    }
    ring_files[0] = &ring[0];
    reflection = (mote_reflection){wire_services, WIRE_SERVICES, ring_files, 1};
}

void wire_set_services(bool many, bool of_ring)
{
    static const int states[] = {MOTE_HEALTH_SERVING, MOTE_HEALTH_NOT_SERVING, MOTE_HEALTH_UNKNOWN,
                                 MOTE_HEALTH_UNKNOWN};

    for (size_t i = 0; i < 4; i++)
        entries[i].status = states[i];
    for (size_t i = 0; i < MANY; i++) {
        many_entries[i] = (mote_health_entry){i % 2 ? "odd" : "even", (int)(i % 3)};
        many_services[i] = wire_services[i % WIRE_SERVICES];
        many_files[2 * i] = many_files[2 * i + 1] = &base_file;
    }
    many_files[63] = &mote_health_file;
    many_files[64] = &mote_reflection_file;
    health = (mote_health){many ? many_entries : entries, many ? MANY : 4};
    reflection =
        (mote_reflection){many ? many_services : wire_services, many ? MANY : WIRE_SERVICES,
                          many ? many_files : files, many ? 2 * MANY : 2};
    if (of_ring)
        set_ring();
}

void wire_set_health(const wire_line *l)
{
    for (size_t i = 0; i < 4; i++)
        if (strcmp(entries[i].service, wire_text_at(l, 1)) == 0)
            entries[i].status = (int)wire_at(l, 2);
}
