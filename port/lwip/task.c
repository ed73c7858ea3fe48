/* lwIP with an operating system: bytes by netconn without waiting, and one semaphore for all that
 * may be waited for. */
#include "task.h"

#include <lwip/dns.h>
#include <lwip/tcpip.h>

/* All that were begun: lwIP's callback tells the netconn alone. */
static mote_lwip_task *lwip_tasks;

void mote_lwip_task_wake(void *t)
{
    sys_sem_signal(&((mote_lwip_task *)t)->woken);
}

static uint64_t task_now(void *context)
{
    mote_lwip_task *t = context;
    SYS_ARCH_DECL_PROTECT(level);

    SYS_ARCH_PROTECT(level);
    uint64_t now = mote_clock_ms(&t->clock, sys_now());
    SYS_ARCH_UNPROTECT(level);
    return now;
}

static void task_wait(void *context, bool writing, uint64_t until_ms)
{
    mote_lwip_task *t = context;
    uint64_t now = task_now(t);

    (void)writing; /* lwIP tells of room as of bytes */
    if (now < until_ms)
        sys_arch_sem_wait(&t->woken, until_ms - now < 60000 ? (u32_t)(until_ms - now) : 60000);
}

/* ---- what failed -------------------------------------------------------------------------------
 */

static const char *text_of(err_t error)
{
    switch (error) {
    case ERR_MEM:
    case ERR_BUF:
        return "lwIP has no memory";
    case ERR_RTE:
        return "no route to the host";
    case ERR_RST:
        return "connection refused or reset";
    case ERR_CLSD:
        return "the server has closed the connection";
    case ERR_ABRT:
    case ERR_TIMEOUT:
        return "timed out";
    default:
        return "connection lost";
    }
}

static size_t add_text(char *to, size_t at, size_t cap, const char *text)
{
    for (; *text && at + 1 < cap; at++)
        to[at] = *text++;
    to[at] = '\0';
    return at;
}

/* "connect HOST:PORT: WHY", "read: WHY"; returns -1. */
static int task_failed(mote_lwip_task *t, const char *what, const char *why)
{
    char digits[6] = "", *p = digits + 5;
    size_t at = add_text(t->text, 0, sizeof t->text, what);

    if (t->state != MOTE_LWIP_TASK_OPEN) {
        for (unsigned n = t->port; n > 0 || p == digits + 5; n /= 10)
            *--p = (char)('0' + n % 10);
        at = add_text(t->text, at, sizeof t->text, " ");
        at = add_text(t->text, at, sizeof t->text, t->host);
        at = add_text(t->text, at, sizeof t->text, ":");
        at = add_text(t->text, at, sizeof t->text, p);
    }
    at = add_text(t->text, at, sizeof t->text, ": ");
    add_text(t->text, at, sizeof t->text, why);
    return -1;
}

static uint32_t task_random(void *context)
{
    (void)context;
    return LWIP_RAND();
}

static const char *task_error(void *context)
{
    return ((mote_lwip_task *)context)->text;
}

/* ---- bytes -------------------------------------------------------------------------------------
 */

static int task_read(void *context, uint8_t *buf, size_t cap)
{
    mote_lwip_task *t = context;
    err_t r = ERR_OK;

    if (!t->conn)
        return -1;
    if (!t->in)
        r = netconn_recv_tcp_pbuf_flags(t->conn, &t->in, NETCONN_DONTBLOCK);
    if (r != ERR_OK || !t->in)
        return r == ERR_WOULDBLOCK || r == ERR_OK ? 0 : task_failed(t, "read", text_of(r));
    u16_t n = pbuf_copy_partial(t->in, buf, cap < 0xffff ? (u16_t)cap : 0xffff, t->in_at);
    t->in_at = (u16_t)(t->in_at + n);
    if (t->in_at == t->in->tot_len) {
        pbuf_free(t->in);
        t->in = NULL;
        t->in_at = 0;
    }
    return n;
}

static int task_write(void *context, const uint8_t *buf, size_t len)
{
    mote_lwip_task *t = context;
    size_t n = 0;

    if (!t->conn)
        return -1;
    err_t r = netconn_write_partly(t->conn, buf, len, NETCONN_COPY | NETCONN_DONTBLOCK, &n);
    if (r == ERR_OK || r == ERR_WOULDBLOCK || r == ERR_MEM)
        return (int)n;
    return task_failed(t, "write", text_of(r));
}

static void task_close(void *context)
{
    mote_lwip_task *t = context;
    struct netconn *conn = t->conn;
    SYS_ARCH_DECL_PROTECT(level);

    SYS_ARCH_PROTECT(level);
    t->conn = NULL;
    t->state = MOTE_LWIP_TASK_CLOSED;
    SYS_ARCH_UNPROTECT(level);
    if (t->in)
        pbuf_free(t->in);
    t->in = NULL;
    t->in_at = 0;
    if (conn)
        netconn_delete(conn);
}

/* ---- connecting --------------------------------------------------------------------------------
 */

/* In lwIP's thread: something has happened on a connection. */
static void on_netconn(struct netconn *conn, enum netconn_evt event, u16_t len)
{
    mote_lwip_task *t;
    SYS_ARCH_DECL_PROTECT(level);

    (void)len;
    SYS_ARCH_PROTECT(level);
    for (t = lwip_tasks; t && t->conn != conn;)
        t = t->next;
    if (t && t->state == MOTE_LWIP_TASK_CONNECTING) /* behind an error comes SENDPLUS as well */
        t->state = event == NETCONN_EVT_SENDPLUS ? MOTE_LWIP_TASK_OPEN
                   : event == NETCONN_EVT_ERROR  ? MOTE_LWIP_TASK_CLOSED
                                                 : MOTE_LWIP_TASK_CONNECTING;
    SYS_ARCH_UNPROTECT(level);
    if (t)
        sys_sem_signal(&t->woken);
}

/* In lwIP's thread: a name was looked up. */
static void on_name(const char *name, const ip_addr_t *address, void *context)
{
    mote_lwip_task *t = context;
    SYS_ARCH_DECL_PROTECT(level);

    (void)name;
    SYS_ARCH_PROTECT(level);
    if (address)
        t->address = *address;
    t->name = address ? MOTE_LWIP_FOUND : MOTE_LWIP_NOT_FOUND;
    SYS_ARCH_UNPROTECT(level);
    sys_sem_signal(&t->woken);
}

static void look_up(void *context)
{
    mote_lwip_task *t = context;
    ip_addr_t address;
#if LWIP_DNS
    err_t r = dns_gethostbyname(t->host, &address, on_name, t);
#else
    err_t r = ipaddr_aton(t->host, &address) ? ERR_OK : ERR_ARG;
#endif

    if (r != ERR_INPROGRESS)
        on_name(t->host, r == ERR_OK ? &address : NULL, t);
}

static enum mote_lwip_name name_of(const mote_lwip_task *t)
{
    SYS_ARCH_DECL_PROTECT(level);

    SYS_ARCH_PROTECT(level);
    enum mote_lwip_name name = t->name;
    SYS_ARCH_UNPROTECT(level);
    return name;
}

static enum mote_lwip_task_state state_of(const mote_lwip_task *t)
{
    SYS_ARCH_DECL_PROTECT(level);

    SYS_ARCH_PROTECT(level);
    enum mote_lwip_task_state state = t->state;
    SYS_ARCH_UNPROTECT(level);
    return state;
}

/* The address of the host, by until_ms. */
static int resolve(mote_lwip_task *t, uint64_t until_ms)
{
    t->name = MOTE_LWIP_ASKED; /* an answer to an earlier question is as good */
    if (tcpip_callback(look_up, t) != ERR_OK)
        return task_failed(t, "look up", text_of(ERR_MEM));
    while (name_of(t) == MOTE_LWIP_ASKED && task_now(t) < until_ms)
        task_wait(t, false, until_ms);
    if (name_of(t) == MOTE_LWIP_FOUND)
        return 0;
    return task_failed(t, "look up", name_of(t) == MOTE_LWIP_ASKED ? "timed out" : "no such host");
}

static int begin_to_connect(mote_lwip_task *t)
{
    struct netconn *conn = netconn_new_with_callback(
        IP_IS_V6(&t->address) ? NETCONN_TCP_IPV6 : NETCONN_TCP, on_netconn);
    SYS_ARCH_DECL_PROTECT(level);

    if (!conn)
        return task_failed(t, "connect", text_of(ERR_MEM));
    SYS_ARCH_PROTECT(level);
    t->conn = conn;
    t->state = MOTE_LWIP_TASK_CONNECTING;
    SYS_ARCH_UNPROTECT(level);
    netconn_set_nonblocking(conn, 1);
    err_t r = netconn_connect(conn, &t->address, t->port);
    return r == ERR_OK || r == ERR_INPROGRESS ? 0 : task_failed(t, "connect", text_of(r));
}

static int task_connect(void *context, uint64_t until_ms)
{
    mote_lwip_task *t = context;

    task_close(t);
    t->text[0] = '\0';
    if (resolve(t, until_ms) < 0)
        return -1;
    if (begin_to_connect(t) < 0)
        return task_close(t), -1;
    while (state_of(t) == MOTE_LWIP_TASK_CONNECTING && task_now(t) < until_ms)
        task_wait(t, false, until_ms);
    if (state_of(t) == MOTE_LWIP_TASK_OPEN)
        return 0;
    bool late = state_of(t) == MOTE_LWIP_TASK_CONNECTING;
    task_failed(t, "connect", text_of(late ? ERR_TIMEOUT : netconn_err(t->conn)));
    task_close(t);
    return -1;
}

/* ---- the transport -----------------------------------------------------------------------------
 */

int mote_lwip_task_begin(mote_lwip_task *t)
{
    SYS_ARCH_DECL_PROTECT(level);

    if (sys_sem_new(&t->woken, 0) != ERR_OK)
        return -1;
    SYS_ARCH_PROTECT(level);
    t->next = lwip_tasks;
    lwip_tasks = t;
    SYS_ARCH_UNPROTECT(level);
    return 0;
}

mote_io mote_lwip_task_io(mote_lwip_task *t)
{
    return (mote_io){.context = t,
                     .read = task_read,
                     .write = task_write,
                     .wait = task_wait,
                     .now_ms = task_now,
                     .connect = task_connect,
                     .close = task_close,
                     .error = task_error,
                     .random = task_random};
}
