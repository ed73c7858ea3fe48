/* lwIP's PPP over a serial line. */
#include "ppp.h"

#include <lwip/init.h>
#include <netif/ppp/pppos.h>

static struct netif interface;
static ppp_pcb *ppp;
static enum mote_ppp_state state;
static int last_error;
static const mote_ppp_config *settings;

static u32_t output(ppp_pcb *pcb, u8_t *data, u32_t len, void *context)
{
    (void)pcb;
    (void)context;
    settings->write(data, len);
    return len;
}

/* Also after mote_ppp_close() (PPPERR_USER). */
static void on_status(ppp_pcb *pcb, int code, void *context)
{
    (void)pcb;
    (void)context;
    state = code == PPPERR_NONE ? MOTE_PPP_UP : MOTE_PPP_DOWN;
    last_error = code == PPPERR_NONE ? last_error : code;
}

void mote_ppp_begin(const mote_ppp_config *config)
{
    lwip_init();
    settings = config;
    ppp = pppos_create(&interface, output, on_status, NULL);
    if (!ppp)
        return;
    ppp_set_default(ppp);
    ppp->settings.lcp_echo_interval = config->echo_s;
    if (config->user)
        ppp_set_auth(ppp, PPPAUTHTYPE_ANY, config->user, config->password);
}

bool mote_ppp_open(void)
{
    if (state != MOTE_PPP_DOWN)
        return true;
    if (!ppp || ppp_connect(ppp, 0) != ERR_OK)
        return false;
    state = MOTE_PPP_NEGOTIATES;
    return true;
}

void mote_ppp_close(void)
{
    if (state != MOTE_PPP_DOWN)
        ppp_close(ppp, 1);
}

enum mote_ppp_state mote_ppp_look(void)
{
    return state;
}

int mote_ppp_error(void)
{
    return last_error;
}

void mote_ppp_receive(const uint8_t *in, size_t len)
{
    pppos_input(ppp, (u8_t *)(uintptr_t)in, (int)len);
}

void mote_ppp_poll(uint64_t now_ms)
{
    mote_lwip_tick(now_ms);
}
