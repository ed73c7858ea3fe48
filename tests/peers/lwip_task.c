/* The hello client over lwIP with an operating system: port/lwip/task.h, in a process of this
 * machine. The address that it is given is that of a server of this machine; a relay stands for it
 * on lwIP's side: lwip_task HOST:PORT, as examples/hello/hello_client.c. Where nobody listens
 * there, nobody listens on lwIP's side either. */
#include "../../port/lwip/task.h"

#include "hello.mote.h"

#include "lwip/netif.h"
#include "lwip/tcpip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HERE "10.9.8.7" /* of the interface, which sends to itself */
enum { PORT = 50051 };

/* ---- the interface and the relay ---------------------------------------------------------------
 */

static int peer = -1; /* the socket of this machine */
static struct netconn *listener, *accepted;

static err_t goes_nowhere(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    (void)netif, (void)p, (void)to;
    return ERR_RTE;
}

static err_t interface_init(struct netif *netif)
{
    netif->output = goes_nowhere;
    netif->mtu = 1500;
    return ERR_OK;
}

static void start_lwip(void *done)
{
    static struct netif netif;
    ip4_addr_t address, mask, none;

    IP4_ADDR(&address, 10, 9, 8, 7);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&none, 0, 0, 0, 0);
    netif_add(&netif, &address, &mask, &none, NULL, interface_init, tcpip_input);
    netif_set_up(&netif);
    netif_set_link_up(&netif);
    netif_set_default(&netif);
    sys_sem_signal(done);
}

static void *to_peer(void *unused)
{
    struct netbuf *b;
    void *data;
    u16_t len;

    while (netconn_recv(accepted, &b) == ERR_OK) {
        do {
            netbuf_data(b, &data, &len);
            if (send(peer, data, len, MSG_NOSIGNAL) != len)
                return unused;
        } while (netbuf_next(b) >= 0);
        netbuf_delete(b);
    }
    shutdown(peer, SHUT_WR);
    return unused;
}

static void *relay(void *unused)
{
    pthread_t other;
    char bytes[100];
    ssize_t n;

    if (netconn_accept(listener, &accepted) != ERR_OK)
        return unused;
    pthread_create(&other, NULL, to_peer, NULL);
    while ((n = recv(peer, bytes, sizeof bytes, 0)) > 0)
        netconn_write(accepted, bytes, (size_t)n, NETCONN_COPY);
    netconn_shutdown(accepted, 0, 1);
    pthread_join(other, NULL);
    return unused;
}

static void begin_relay(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    pthread_t thread;

    to.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    peer = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer, (struct sockaddr *)&to, sizeof to) < 0)
        return;
    listener = netconn_new(NETCONN_TCP);
    netconn_bind(listener, IP_ADDR_ANY, PORT);
    netconn_listen(listener);
    pthread_create(&thread, NULL, relay, NULL);
    pthread_detach(thread);
}

/* ---- the client --------------------------------------------------------------------------------
 */

MOTE_GRPC_STORAGE(hello, max_calls = 1, slots = 8, rx_size = 128, tx_size = 256, table_size = 0,
                  field_size = 128, user_size = 0);
static mote_channel channel;
static mote_lwip_task tcp = {.host = HERE, .port = PORT};

static void *wakes(void *unused)
{
    mote_lwip_task_wake(&tcp);
    return unused;
}

/* A wait without an end is ended by another thread, also one that begins afterwards. */
static void a_wait_is_ended(mote_io io)
{
    pthread_t thread;

    pthread_create(&thread, NULL, wakes, NULL);
    io.wait(io.context, false, UINT64_MAX);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    static uint8_t input[64];
    mote_grpc_config config = {MOTE_GRPC_SIZES(hello),
                               .authority = MOTE_GRPC_AUTHORITY("localhost")};
    hello_Question question = {.room = MOTE_PB_STRING("kitchen")};
    hello_Reading reading;
    sys_sem_t started;

    sys_sem_new(&started, 0);
    tcpip_init(start_lwip, &started);
    sys_arch_sem_wait(&started, 0);
    sys_sem_free(&started);
    begin_relay(argv[argc - 1]);
    if (mote_lwip_task_begin(&tcp) < 0)
        return 1;
    a_wait_is_ended(mote_lwip_task_io(&tcp));
    mote_channel_init(&channel, &config, hello_memory, sizeof hello_memory, input, sizeof input,
                      mote_lwip_task_io(&tcp));
    mote_status status = hello_Thermometer_Read(&channel, (mote_grpc_request){.timeout_ms = 10000},
                                                &question, &reading, NULL);
    if (status.code == MOTE_GRPC_OK)
        printf("%.1f degrees\n", reading.celsius);
    else
        fprintf(stderr, "error %d: %.*s\n", status.code, (int)status.message_len, status.message);
    mote_channel_close(&channel, 1000);
    return status.code;
}
